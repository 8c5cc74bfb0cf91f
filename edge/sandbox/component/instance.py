"""One component guest from its store to its end, as steps that yield whenever it is not finished.

The component's counterpart of `sandbox/instance.py`: the scheduler advances and wakes both alike.
It may be started ahead of demand, before the event it will answer has come (`pool.py`).

Neighbours: `link.py` finds it by its seat and calls back in; `execution.py` drives it.
Invariant: the pending future is deleted before its store, and the store before its seat is free; a
result is lowered only for the import that waits for it.
"""

import ctypes
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from inspect import CORO_CREATED, getcoroutinestate
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from edge.host.charges import FUEL_PER_IMPORT
from edge.host.session import FuelSpent, Session
from edge.host.wasi2.context import Context, Misuse, Resource
from edge.model.outcome import Failure, Outcome
from edge.sandbox import raw as core
from edge.sandbox import stop
from edge.sandbox.component import raw
from edge.sandbox.component.cells import Uncrossable, set_kind
from edge.sandbox.component.faults import read_fault
from edge.sandbox.component.handles import Handles
from edge.sandbox.component.raw import Kind
from edge.sandbox.component.touched import Touched
from edge.sandbox.engine import (
    CORE_INSTANCES_PER_COMPONENT_MAX,
    MEMORIES_PER_COMPONENT_MAX,
    RESIDENT_BYTES,
)
from edge.sandbox.instance import TABLE_ELEMENTS_MAX, Allowance
from edge.sandbox.seats import ERROR_WORD, FUEL_WORD, TRAP_WORD, Seat

if TYPE_CHECKING:
    from edge.sandbox.component.link import Signature
    from edge.sandbox.component.loaded import LoadedComponent

_RESULTS = 1


@dataclass(frozen=True, slots=True)
class _Raised:
    """What a coroutine ended with, so that the scheduler only ever sees answers."""

    cause: Exception


async def _outcome(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await coroutine
    except Exception as cause:
        return _Raised(cause)


class ComponentInstance:
    """A live component on its seat. Made, advanced and closed by one execution."""

    __slots__ = (
        "_arguments",
        "_paused",
        "_results",
        "_seat",
        "_signature",
        "_store",
        "_touched",
        "_waiting",
        "allowance",
        "budget_ns",
        "context",
        "future",
        "handles",
        "module",
        "pending",
        "ready",
        "restored_ns",
        "scratch",
        "slice_fuel",
        "started",
        "stopped",
        "surroundings",
        "used_fuel",
    )

    def __init__(
        self, module: "LoadedComponent", seat: Seat, surroundings: Context, allowance: Allowance
    ) -> None:
        self.module = module
        self.surroundings = surroundings
        self.allowance = allowance
        self.pending: Coroutine[Any, Any, Any] | None = None
        self.ready = False
        self.started = False
        self.stopped: stop.GuestStopped | None = None
        self.budget_ns = allowance.host_ns_per_slice
        self.used_fuel = 0
        self.restored_ns = 0
        self.slice_fuel = allowance.slice_fuel
        self.scratch = seat.memory
        self.future = 0
        self.handles = Handles(module.linked.numbers)
        self._paused = False
        self._touched = Touched()
        self._waiting: Coroutine[Any, Any, Any] | None = None
        self._signature: Signature | None = None
        self._results = 0
        self._arguments = 0
        self._seat = seat
        seat.component = self
        self._store: int = core.store_new(module.engine, seat.number, None)
        self.context: int = core.store_context(self._store)
        core.store_limiter(
            self._store,
            allowance.memory_bytes_max,
            TABLE_ELEMENTS_MAX,
            CORE_INSTANCES_PER_COMPONENT_MAX,
            -1,
            MEMORIES_PER_COMPONENT_MAX,
        )

    @property
    def session(self) -> Session:
        """The invocation this guest runs in."""
        return self.surroundings.session

    @property
    def off_loop(self) -> bool:
        """Whether it runs on the background thread."""
        return self.surroundings.off_loop

    @off_loop.setter
    def off_loop(self, value: bool) -> None:
        self.surroundings.off_loop = value

    def adopt(self, session: Session) -> None:
        """Run in an invocation from now on: what the start was charged and logged is its own."""
        before = self.surroundings.session
        session.host_fuel += before.host_fuel
        for line in before.log.lines():
            session.log.append(line.level, line.message.encode())
        self.surroundings.session = session

    # Steps

    def start(self) -> Generator[None, None, None]:
        """Instantiate, in slices."""
        seat = self._seat
        core.set_fuel(self.context, self.allowance.fuel_max)
        core.set_slice(self.context, self.slice_fuel)
        self.future = raw.instantiate(
            self.module.linked.pointer,
            self.context,
            self.module.pointer,
            seat.instance,
            seat.error,
        )
        yield from self._finish()
        self.started = True

    def call_text(self, text: bytes) -> Generator[None, None, bytes]:
        """Call the handler with one string (UTF-8); the string it answered."""
        seat = self._seat
        raw.name_copy(seat.arguments + raw.VAL_ITEM, len(text), text)
        set_kind(seat.arguments, Kind.STRING)
        self._arguments = 1
        yield from self._call(_RESULTS)
        length = ctypes.c_uint64.from_address(seat.result + raw.LENGTH).value
        try:
            if length > self.allowance.answer_bytes_max:
                raise stop.too_large(length, self.allowance.answer_bytes_max)
            data = ctypes.c_uint64.from_address(seat.result + raw.DATA).value
            return ctypes.string_at(data, length)
        finally:
            raw.value_delete(seat.result)

    def call_resources(self, first: Resource, second: Resource) -> Generator[None, None, None]:
        """Call the handler with two resources it is to own."""
        for address, item in (
            (self._seat.arguments, first),
            (self._seat.arguments + raw.VAL_SIZE, second),
        ):
            self.module.owned.lower(address, item, self)
            self._arguments += 1
        yield from self._call(0)

    def _call(self, results: int) -> Generator[None, None, None]:
        seat = self._seat
        raw.function_get(seat.instance, self.context, self.module.index, seat.function)
        set_kind(seat.result, Kind.BOOL)
        self.future = raw.call(
            seat.function,
            self.context,
            seat.arguments,
            self._arguments,
            seat.result,
            results,
            seat.error,
        )
        yield from self._finish()
        self._drop_arguments()

    def _finish(self) -> Generator[None, None, None]:
        while not self._poll():
            yield
            if self.stopped is not None:  # what it waited for failed: it is not polled again
                raise self.stopped
            self.budget_ns = self.allowance.host_ns_per_slice
            if self._paused:
                self._paused = False
                self.ready = True
        core.future_delete(self.future)
        self.future = 0
        words = self._seat.words
        error, words[ERROR_WORD] = words[ERROR_WORD], 0
        if error:
            fault = read_fault(error)
            if self.stopped is not None:
                raise self.stopped
            raise fault.as_stop(self.fuel_left(), self.surroundings.session.log)

    def _poll(self) -> bool:
        self._touched.begin()
        done: bool = (core.poll_released if self.off_loop else core.poll)(self.future)
        self._touched.end()
        return done

    # Ending

    def fuel_left(self) -> int:
        """What is left of its fuel."""
        core.get_fuel(self.context, self._seat.fuel)
        return self._seat.words[FUEL_WORD]

    def fuel_used(self) -> int:
        """Fuel the guest burned, with what its host calls were charged."""
        if self._store:
            self.used_fuel = self.allowance.fuel_max - self.fuel_left()
        return self.used_fuel + self.session.host_fuel

    @property
    def memory_bytes(self) -> int:
        """What the guest touched: nothing tells how large a component's memories are."""
        return self._touched.bytes + RESIDENT_BYTES

    def set_slice(self, fuel: int) -> None:
        """Change how long a slice is; only between polls."""
        self.slice_fuel = fuel
        if self.future:
            core.set_slice(self.context, fuel)

    def close(self, *, released: bool = False) -> Seat | None:
        """Delete future, arguments and store; the seat is free then."""
        if not self._store:
            return None
        if self.future:
            core.future_delete(self.future)
            self.future = 0
        self._drop_arguments()
        (core.store_delete_released if released else core.store_delete)(self._store)
        self._store = 0
        for coroutine in (self.pending, self._waiting):
            if coroutine is not None and getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()  # nobody will await it; whoever does already, cancels it
        self.pending = self._waiting = None
        self.handles.clear()
        self.surroundings.close()
        seat = self._seat
        seat.words[TRAP_WORD] = seat.words[ERROR_WORD] = 0
        seat.component = None
        return seat

    def _drop_arguments(self) -> None:
        for index in range(self._arguments):
            raw.value_delete(self._seat.arguments + index * raw.VAL_SIZE)
        self._arguments = 0

    # Called by the imports, inside a poll

    def enter(self, signature: "Signature", results: int) -> None:
        """An import begins, and is charged for, whatever it does."""
        if self.stopped is not None:
            raise self.stopped
        self.session.charge(FUEL_PER_IMPORT)
        self.ready = False
        self._signature = signature
        self._results = results

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """The import's result comes later, when the scheduler has awaited it."""
        self._waiting = coroutine
        self.pending = _outcome(coroutine)

    def leave(self, value: Any) -> None:
        """The import's result. Raises what makes it impossible to write down."""
        assert self._signature is not None
        codec, results = self._signature.result, self._results
        if codec is not None:
            ctypes.memset(results, 0, raw.VAL_SIZE)
            try:
                codec.lower(results, value, self)
            except BaseException:
                raw.value_delete(results)
                ctypes.memset(results, 0, raw.VAL_SIZE)
                raise
        self.ready = True

    def spend(self, elapsed_ns: int) -> None:
        """Account for a host function just run; pause a guest that floods the host.

        Fuel does not see host time, so one that has used its share of this poll goes on in the
        next. Raises FuelSpent when what it was charged passed its limit.
        """
        session = self.session
        session.host_ns += elapsed_ns
        self.budget_ns -= elapsed_ns
        if session.host_fuel > self.allowance.fuel_max:
            raise FuelSpent
        if self.budget_ns < 0 and self.pending is None:
            self._paused = True
            self.ready = False

    def end(self, cause: BaseException) -> None:
        """Stop the guest for `cause`."""
        if self.stopped is None:
            if isinstance(cause, stop.GuestStopped):
                self.stopped = cause
            elif isinstance(cause, Misuse | Uncrossable):
                failure = Failure("Trap", str(cause))
                self.stopped = stop.GuestStopped(Outcome.GUEST_TRAP, failure)
            else:
                self.stopped = stop.from_host(cause)

    # Called by the scheduler, between polls

    def resolve(self, answer: Any) -> None:
        """What it waited for has come; the guest sees it at its next slice."""
        self.pending = self._waiting = None
        if isinstance(answer, _Raised):
            self.end(answer.cause)
            return
        try:
            self.leave(answer)
        except BaseException as cause:
            self.end(cause)

    def note_stall(self) -> None:
        """What it hands over takes so long that its module runs on the background thread."""
        self.module.stalls = True

    def restored(self) -> None:
        """Mark the end of starting: what follows is the event's."""
        self.restored_ns = perf_counter_ns()
