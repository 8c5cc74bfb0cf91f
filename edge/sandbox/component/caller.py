"""A component guest as its imports and the scheduler meet it: in a call of the host, or waiting.

Neighbours: `link.py` enters and leaves for the guest, the scheduler resolves what it waited for;
`instance.py` adds the store and the steps.
Invariant: a result is lowered only for the import that waits for it, and whatever goes wrong in one
ends this guest and nothing else.
"""

import ctypes
from collections.abc import Coroutine
from dataclasses import dataclass
from inspect import CORO_CREATED, getcoroutinestate
from typing import TYPE_CHECKING, Any

from edge.host.charges import FUEL_PER_IMPORT
from edge.host.session import FuelSpent, Session
from edge.host.wasi2.context import Context, Misuse
from edge.model.outcome import Failure, Outcome
from edge.sandbox import stop
from edge.sandbox.component import raw
from edge.sandbox.component.cells import Uncrossable
from edge.sandbox.component.handles import Handles
from edge.sandbox.instance import Allowance
from edge.sandbox.seats import Seat

if TYPE_CHECKING:
    from edge.sandbox.component.link import Signature
    from edge.sandbox.component.loaded import LoadedComponent


@dataclass(frozen=True, slots=True)
class _Raised:
    """What a coroutine ended with, so that the scheduler only ever sees answers."""

    cause: Exception


async def _outcome(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await coroutine
    except Exception as cause:
        return _Raised(cause)


class Caller:
    """What an import needs of the guest that calls it. `pending` is what the guest waits for."""

    context: int  # set when there is a store

    __slots__ = (
        "_paused",
        "_results",
        "_signature",
        "_waiting",
        "allowance",
        "budget_ns",
        "context",
        "handles",
        "module",
        "pending",
        "ready",
        "scratch",
        "stopped",
        "surroundings",
    )

    def __init__(
        self, module: "LoadedComponent", seat: Seat, surroundings: Context, allowance: Allowance
    ) -> None:
        self.module = module
        self.surroundings = surroundings
        self.allowance = allowance
        self.handles = Handles(module.linked.numbers)
        self.scratch = seat.memory
        self.pending: Coroutine[Any, Any, Any] | None = None
        self.ready = False
        self.stopped: stop.GuestStopped | None = None
        self.budget_ns = allowance.host_ns_per_slice
        self._paused = False
        self._waiting: Coroutine[Any, Any, Any] | None = None
        self._signature: Signature | None = None
        self._results = 0

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

    def resume(self) -> None:
        """The next poll begins, with a budget of its own."""
        self.budget_ns = self.allowance.host_ns_per_slice
        if self._paused:
            self._paused = False
            self.ready = True

    def abandon(self) -> None:
        """The guest is gone, with all that it held or waited for."""
        for coroutine in (self.pending, self._waiting):
            if coroutine is not None and getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()  # nobody will await it; whoever does already, cancels it
        self.pending = self._waiting = None
        self.handles.clear()
        self.surroundings.close()
