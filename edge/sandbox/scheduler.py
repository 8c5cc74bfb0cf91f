"""Who runs next: fair, short slices on the event loop, and a background thread for the unruly.

A guest's first slice runs where it was called, so a short function pays for no hop, unless the
loop has spent its time on first slices in this turn: then it waits for a turn, and functions take
turns by the fuel they used. What goes on computing shares the loop in slices of equal fuel, for a
bounded time in each turn of the loop; guests that are young get three turns of four. A guest whose
single slice held the loop for milliseconds (a huge `memory.fill` is charged after it ran) goes to
one background thread at the lowest priority. A guest that waits for the host holds neither.

Neighbours: `runtime.py` hands it executions; `background.py` is the thread.
Invariant: a guest is advanced by one thread at a time, and closed by the thread that has it.
Source of the scheme's figures: `docs/decisions/0003-slices.md`.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from edge.config import SandboxSettings
from edge.host.calls import HostCalls
from edge.model.outcome import Failure, Outcome
from edge.sandbox.background import Background
from edge.sandbox.execution import Ending, Execution
from edge.sandbox.instance import Pending, Request, Sleep
from edge.sandbox.shares import Accounts, FairQueue

_NS_PER_US = 1_000
_NS_PER_MS = 1_000_000
_YOUNG_TURNS = 3
_UNSEEN_RATIO = 4
"""A machine at its slowest takes twice as long for its fuel as at its best."""
_ENDED_MAX = 8
"""Guests that ended and hold their seats until their answers have left; the pool has slack."""
_TIMEOUT = Failure("Timeout", "the function did not answer within its timeout")
_CANCELED = Failure("Canceled", "the caller went away")


class GuestCanceled(asyncio.CancelledError):
    """The caller went away; `ending` is what the guest used until then."""

    def __init__(self, ending: Ending) -> None:
        super().__init__()
        self.ending = ending


class Guest:
    """An execution that did not end in its first slice, and who awaits it."""

    __slots__ = ("answered", "cpu_ns", "execution", "future", "holder", "slices", "wait")

    def __init__(self, execution: Execution, future: "asyncio.Future[Ending]") -> None:
        self.execution = execution
        self.future = future
        self.cpu_ns = 0
        self.slices = 1
        self.holder: Background | None = None
        self.answered = False
        self.wait: asyncio.Task[None] | asyncio.TimerHandle | None = None


class Turn:
    """Someone who waits to start a guest of `function`; `begin` is called once, unless canceled."""

    __slots__ = ("begin", "canceled", "function")

    def __init__(self, function: str, begin: Callable[[], object]) -> None:
        self.function = function
        self.begin = begin
        self.canceled = False


class Scheduler:
    """The pump of one event loop. Bounded by the seats: it never holds more guests than those."""

    def __init__(self, settings: SandboxSettings, calls: HostCalls) -> None:
        self._settings = settings
        self._calls = calls
        self.accounts = Accounts()
        self._young: FairQueue[Guest | Turn] = FairQueue(self.accounts)
        self._old: FairQueue[Guest | Turn] = FairQueue(self.accounts)
        self._picks = 0
        self._waiting: Counter[str] = Counter()  # turns, by function
        self._waiting_total = 0
        self.arrivals = 0  # in this turn of the loop: while there is traffic, turns are short
        self._spent_ns = 0  # on first slices in this turn of the loop
        self._starts_ns = settings.turn_us_starts * _NS_PER_US
        self._start_fuel = settings.start_fuel
        self._fuel_per_ns = settings.fuel_per_ms / _NS_PER_MS
        self._seen_ns = _UNSEEN_RATIO * settings.start_fuel / self._fuel_per_ns
        self._pumping = False
        self._slice_fuel = settings.slice_fuel  # in this turn
        self._ended: deque[Execution] = deque()
        self._loop = asyncio.get_running_loop()
        self._background = Background(self._loop, settings.slice_fuel_background, self._returned)

    @property
    def is_idle(self) -> bool:
        """Whether nobody runs, waits for a turn, or has come in this turn of the loop."""
        return not (self._young or self._old or self.arrivals)

    @property
    def ended(self) -> int:
        """Guests that ended and are not closed yet."""
        return len(self._ended)

    # Starting

    def must_wait(self, function: str) -> bool:
        """Whether a guest of `function` has to wait for a turn before it starts."""
        if self._waiting_total:
            return not self._young.is_before(function)
        return self._spent_ns > self._starts_ns

    def await_turn(self, turn: Turn) -> bool:
        """Queue a turn; False when the function has as many waiting as is its share."""
        function, most = turn.function, self._settings.waiting_max
        if self._waiting_total >= most:
            share = most // max(1, len(self._waiting))
            if self._waiting[function] >= share:
                return False
        self._waiting[function] += 1
        self._waiting_total += 1
        self._young.push(function, turn)
        self._run_soon()
        return True

    def started(self, function: str, fuel: int, elapsed_ns: int) -> None:
        """Note a first slice that was run. One that took far longer than its fuel says (its start
        makes huge tables, say) is counted by its time, when functions share the worker."""
        cost = fuel + self._start_fuel
        if elapsed_ns > self._seen_ns:
            spent = int(elapsed_ns * self._fuel_per_ns)
            cost = spent if spent > _UNSEEN_RATIO * cost else cost
        self.accounts.charge(function, cost)
        if not self.arrivals:
            self._loop.call_soon(self._end_turn)
        self.arrivals += 1
        self._spent_ns += elapsed_ns

    def _end_turn(self) -> None:
        self._spent_ns = 0
        if not self._pumping:
            self.arrivals = 0

    async def finish(self, execution: Execution, deadline_s: float) -> Ending:
        """Run what is left of an execution; its ending, at the deadline at the latest.

        `deadline_s` is on the loop's clock. Cancelling this ends the guest within one slice.
        """
        guest = Guest(execution, self._loop.create_future())
        timer = self._loop.call_at(deadline_s, self._expire, guest)
        self._place(guest)
        try:
            return await guest.future
        except asyncio.CancelledError:
            raise GuestCanceled(self._break_off(guest, Outcome.CANCELED, _CANCELED)) from None
        finally:
            timer.cancel()
            self._abandon(guest)

    # Placing

    def _place(self, guest: Guest) -> None:
        """Put a guest that is not running where it belongs."""
        instance = guest.execution.instance
        if guest.answered:
            self._close(guest)
        elif instance.pending is not None:
            self._await(guest)
        elif instance.module.stalls:
            guest.holder = self._background
            self._background.take(guest)
        else:
            young = guest.cpu_ns < self._settings.young_us * _NS_PER_US
            queue = self._young if young else self._old
            queue.push(instance.session.function, guest)
            self._run_soon()

    def _run_soon(self) -> None:
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _await(self, guest: Guest) -> None:
        """Let a guest wait for the host without holding anything."""
        instance = guest.execution.instance
        pending: Pending | bytes | None = instance.pending
        if isinstance(pending, Request):
            pending = self._calls.begin(instance.session, pending.data)
        if isinstance(pending, Sleep):
            delay_s = pending.duration_ns / 1e9
            guest.wait = self._loop.call_later(delay_s, self._wake, guest)
        elif isinstance(pending, bytes):
            instance.resolve(pending)
            self._place(guest)
        else:
            assert pending is not None
            guest.wait = self._loop.create_task(self._answer(guest, pending))

    async def _answer(self, guest: Guest, pending: Any) -> None:
        answer = await pending
        guest.wait = None
        if not guest.answered:
            guest.execution.instance.resolve(answer)
            self._place(guest)

    def _wake(self, guest: Guest) -> None:
        guest.wait = None
        guest.execution.instance.wake()
        self._place(guest)

    # Running

    def _pump(self) -> None:
        """Run slices for one turn of the loop."""
        settings = self._settings
        is_alone = len(self._young) + len(self._old) == 1 and not self._waiting_total
        if self._waiting_total:
            budget_us = settings.turn_us_starts
        elif self.arrivals and not (is_alone and self.arrivals == 1):  # else it came itself
            budget_us = settings.turn_us_busy
        else:
            budget_us = settings.turn_us_idle
        self._slice_fuel = settings.slice_fuel_alone if is_alone else settings.slice_fuel
        self.arrivals = 0
        until_ns = perf_counter_ns() + budget_us * _NS_PER_US
        while item := self._next():
            now_ns = self._begin(item) if isinstance(item, Turn) else self._advance(item)
            if now_ns >= until_ns:
                break
        if self._young or self._old:
            self._loop.call_soon(self._pump)
        else:
            self._pumping = False

    def _next(self) -> Guest | Turn | None:
        self._picks = (self._picks + 1) % (_YOUNG_TURNS + 1)
        queue = self._old if self._picks == 0 else self._young
        return queue.pop() or self._young.pop() or self._old.pop()

    def _begin(self, turn: Turn) -> int:
        """Somebody's turn has come; the time after it."""
        self._waiting_total -= 1
        self._waiting[turn.function] -= 1
        if not self._waiting[turn.function]:
            del self._waiting[turn.function]
        if not turn.canceled:
            turn.begin()
        return perf_counter_ns()

    def _advance(self, guest: Guest) -> int:
        """Run one slice of one guest; the time it ended."""
        if guest.answered:
            self._close(guest)
            return perf_counter_ns()
        instance, fuel = guest.execution.instance, self._slice_fuel
        if instance.slice_fuel != fuel:
            instance.set_slice(fuel)
        began_ns = perf_counter_ns()
        ended = guest.execution.advance()
        now_ns = perf_counter_ns()
        elapsed_ns = now_ns - began_ns
        guest.cpu_ns += elapsed_ns
        guest.slices += 1
        self.accounts.charge(instance.session.function, fuel)
        if ended:
            self._answered(guest)
        else:
            if elapsed_ns > self._settings.stall_us * _NS_PER_US:
                self.note_stall(guest.execution, guest.slices)
            self._place(guest)
        return now_ns

    def note_stall(self, execution: Execution, slices: int) -> None:
        """A slice took too long. If it also burned far more than a slice's fuel, it was the
        guest's doing, not the machine's: its module runs on the background thread from now on."""
        instance = execution.instance
        sliced = instance.fuel_used() - instance.session.host_fuel
        if sliced > (slices + 10) * self._settings.slice_fuel_alone:
            instance.module.stalls = True

    # Ending

    def _answered(self, guest: Guest) -> None:
        guest.answered = True
        if not guest.future.done() and guest.execution.ending is not None:
            guest.future.set_result(guest.execution.ending)
        self.close_soon(guest.execution)

    def _expire(self, guest: Guest) -> None:
        """The deadline: answer now; whoever has the guest closes it."""
        if guest.answered or guest.future.done():
            return
        guest.future.set_result(self._break_off(guest, Outcome.TIMEOUT, _TIMEOUT))
        self._abandon(guest)

    def _break_off(self, guest: Guest, outcome: Outcome, failure: Failure) -> Ending:
        """The ending of a guest that did not reach its own."""
        if guest.holder is not None:  # it may be inside a slice: ask nothing of its store
            return self._background.account(guest, outcome, failure)
        guest.execution.conclude(outcome, None, failure, 0)
        assert guest.execution.ending is not None
        return guest.execution.ending

    def _abandon(self, guest: Guest) -> None:
        """Nobody awaits the guest any more."""
        if guest.answered:
            return
        guest.answered = True
        if guest.wait is not None:
            guest.wait.cancel()
            guest.wait = None
            self._close(guest)
        elif guest.holder is None:
            self._forget(guest)
            self._close(guest)

    def _forget(self, guest: Guest) -> None:
        function = guest.execution.instance.session.function
        for queue in (self._young, self._old):
            queue.remove(function, guest)

    def _close(self, guest: Guest) -> None:
        self.close(guest.execution)

    def close_soon(self, execution: Execution) -> None:
        """Close an ended execution when its answer has left: a component's takes 0.1 ms."""
        if not self._ended:
            self._loop.call_soon(self._close_ended)
        self._ended.append(execution)
        if len(self._ended) > _ENDED_MAX:  # someone goes on without giving the loop a turn
            self.close(self._ended.popleft())

    def _close_ended(self) -> None:
        while self._ended:
            self.close(self._ended.popleft())

    def close(self, execution: Execution) -> None:
        """Close an ended execution: here when it is small, else on the background thread, since
        giving back a hundred megabytes holds the loop for tens of milliseconds."""
        if execution.instance.held_bytes > self._settings.close_inline_bytes_max:
            self._background.close(execution)
        else:
            execution.close()

    def _returned(self, guest: Guest) -> None:
        """The background thread hands a guest back: it ended, or it waits for the host."""
        guest.holder = None
        if guest.execution.ending is not None:
            self._answered(guest)
        else:
            self._place(guest)

    def stop(self) -> None:
        """Close who has ended, and end the background thread; the guests are gone by then."""
        self._close_ended()
        self._background.stop()
