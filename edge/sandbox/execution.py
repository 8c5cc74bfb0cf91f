"""One invocation as the scheduler sees it: something to advance until it has an ending.

Neighbours: `runtime.py` makes it, `scheduler.py` advances it, `abi.py` and `command.py` are its
steps.
Invariant: it has exactly one ending, and its instance is closed once, by whoever advances it.
"""

from collections.abc import Generator
from time import perf_counter_ns
from typing import Any, NamedTuple

import structlog

from edge.host.response import ResponseStream
from edge.host.session import Session
from edge.model.function import GuestKind
from edge.model.outcome import Failure, Outcome
from edge.sandbox import abi, command
from edge.sandbox.instance import Allowance, Instance, SliceOverran
from edge.sandbox.seats import Seats
from edge.sandbox.stop import GuestStopped, too_large

NS_PER_US = 1_000

_log = structlog.get_logger(__name__)


class Ending(NamedTuple):
    """How it ended and what it used; what the sandbox knows of the invocation's bill."""

    outcome: Outcome
    value: object
    failure: Failure | None
    fuel: int
    restore_us: int
    host_us: int
    memory_peak_bytes: int
    bytes_out: int


class Work(NamedTuple):
    """One invocation for the sandbox: `data` is the envelope in bytes, a command's nothing, or the
    request for a `wasi:http` guest."""

    image: str
    session: Session
    allowance: Allowance
    data: Any


def end_at_once(instance: Instance, answer: bytes, begun_ns: int) -> Ending:
    """The ending of a guest that answered in its first slice."""
    outcome, value, failure = abi.read_answer(answer)
    session = instance.session
    return Ending(
        outcome,
        value,
        failure,
        instance.used_fuel + session.host_fuel,
        (instance.restored_ns - begun_ns) // NS_PER_US,
        session.host_ns // NS_PER_US,
        instance.memory_left_bytes,
        len(answer),
    )


class Execution:
    """A guest, its steps, and its ending once there is one."""

    __slots__ = ("_begun_ns", "_data", "_seats", "_steps", "ending", "instance")

    def __init__(
        self,
        instance: Instance,
        seats: Seats,
        data: Any,
        begun_ns: int,
        ending: Ending | None = None,
    ) -> None:
        """A module that has a first slice was run in it. With its ending all is said, and the guest
        has only to be closed."""
        self._begun_ns = begun_ns
        self._seats = seats
        self._data = data
        self.ending = ending
        self.instance = instance
        self._steps: Generator[None, None, bytes] | None = None

    def _drive(self) -> Generator[None, None, bytes]:
        if self.instance.module.kind is GuestKind.COMMAND:
            return command.answer(self.instance)
        return abi.answer(self.instance, self._data)

    def advance(self) -> bool:
        """Run one slice; True when the guest has ended, and then `ending` is set."""
        try:
            if self._steps is None:
                first_slice = self.instance.module.first_slice
                if first_slice is not None:
                    self._conclude(first_slice.rest(self.instance, self._data))
                    return True
                self._steps = self._drive()
            next(self._steps)
        except StopIteration as last:
            self._conclude(last.value)
            if self.instance.session.response is not None:
                self._end_stream(self.instance.session.response)
            return True
        except SliceOverran:
            self._start_again()
            return self.advance()
        except GuestStopped as stopped:
            self.conclude(stopped.outcome, None, stopped.failure, 0)
            return True
        except Exception:
            # Ours to mend; the guest is over, its seat must not be lost, and the pump goes on.
            _log.exception("sandbox_failed", request_id=self.instance.session.request_id)
            failure = Failure("HostError", "the host failed to run the guest")
            self.conclude(Outcome.HOST_ERROR, None, failure, 0)
            return True
        return False

    def _start_again(self) -> None:
        """The guest does not fit one slice: from now on its module starts on a fiber.

        What it did so far is forgotten, its charges too: the same input costs the same.
        """
        old = self.instance
        old.module.first_slice = None
        old.session.forget()
        old.close()
        self.instance = Instance(old.module, old.seat, old.session, old.allowance)

    def _conclude(self, data: bytes) -> None:
        size = len(data)
        if self.instance.module.kind is GuestKind.COMMAND:
            self.conclude(Outcome.OK, data, None, size)
        else:
            outcome, value, failure = abi.read_answer(data)
            self.conclude(outcome, value, failure, size)

    def _end_stream(self, response: ResponseStream) -> None:
        """What the guest wrote is its answer; what it returned only ended that."""
        ending = self.ending
        assert ending is not None
        if ending.outcome is not Outcome.OK:
            response.is_over = not response.is_taken
            return
        flow = response.flow
        size = max(flow.pipe.written_bytes, flow.overflow_bytes)
        if size > flow.bytes_max:
            cut = too_large(size, flow.bytes_max)
            self.ending = ending._replace(outcome=cut.outcome, value=None, failure=cut.failure)
        else:
            self.ending = ending._replace(value=response.whole(), bytes_out=size)

    def conclude(
        self, outcome: Outcome, value: object, failure: Failure | None, bytes_out: int
    ) -> None:
        """Set the ending, from what the instance used until now."""
        instance = self.instance
        restored_ns = instance.restored_ns or perf_counter_ns()
        self.ending = Ending(
            outcome,
            value,
            failure,
            instance.fuel_used(),
            (restored_ns - self._begun_ns) // NS_PER_US,
            instance.session.host_ns // NS_PER_US,
            instance.memory_bytes,
            bytes_out,
        )

    def close(self, *, released: bool = False) -> None:
        """End the guest, wherever it is, and free its seat. Not while a poll is running."""
        seat = self.instance.close(released=released)
        if seat is not None:
            self._seats.give_back(seat)
