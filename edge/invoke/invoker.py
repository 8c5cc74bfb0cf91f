"""The one door inside: `invoke(event) -> Result`, which reads resolve → admit → run → meter.

Neighbours: doors call it; `registry/` resolves, `throttle.py` admits, `sandbox/` runs, and what
was used goes to `meter/` before the result is returned.
Invariant: a result is never returned before its record is in the journal.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns, perf_counter_ns, time_ns
from typing import Any, NamedTuple, Protocol

import structlog

from edge.config import HostSettings
from edge.host.log import LogBuffer
from edge.host.response import ResponseStream, Taker
from edge.host.session import Session
from edge.host.wasi2.exchange import IncomingHttp
from edge.invoke.occupancy import Occupancy
from edge.invoke.prepared import Preparations
from edge.invoke.throttle import OVERLOADED, Throttle
from edge.meter.bill import Tariff
from edge.meter.journal import Journal
from edge.meter.logs import LogStore
from edge.model.cbor import CborError
from edge.model.errors import InvalidContent, NotFound, StorageFailure
from edge.model.event import Event, Source
from edge.model.function import GuestKind, Version
from edge.model.readiness import Readiness
from edge.model.result import LogLine, Refusal, Result
from edge.model.usage import NO_CALLS, Usage
from edge.registry.registry import Registry
from edge.sandbox import command
from edge.sandbox.execution import Ending, Execution, Work
from edge.sandbox.runtime import Sandbox
from edge.sandbox.scheduler import GuestCanceled, Turn

NS_PER_MS = 1_000_000
ERROR_LEVEL = 4

_log = structlog.get_logger(__name__)


class Begun(NamedTuple):
    """An event that came, whom it is for, and when, on the wall's clock and on ours."""

    event: Event
    version: Version
    time_ms: int
    began_ns: int


class Invocation(NamedTuple):
    """An event whose guest did not end in its first slice, or must be built before it starts."""

    begun: Begun
    work: Work
    execution: Execution | None


class Recompiler(Protocol):
    """Builds a compiled file that is missing or stale, from the stored image."""

    async def recompile(self, image: str) -> None:
        """Returns when the file is there; raises StorageFailure, InvalidModule, DeployTimeout."""


@dataclass(frozen=True, slots=True)
class Metering:
    """Where the use of an invocation goes."""

    journal: Journal
    logs: LogStore
    tariff: Tariff


class Invoker:
    """Runs events on this worker. Lives as long as the process."""

    def __init__(
        self,
        registry: Registry,
        sandbox: Sandbox,
        occupancy: Occupancy,
        metering: Metering,
        admission: "Admission",
    ) -> None:
        self._registry = registry
        self._sandbox = sandbox
        self._occupancy = occupancy
        self._metering = metering
        self._admission = admission
        self._loop = asyncio.get_running_loop()

    async def invoke(self, event: Event, taker: Taker | None = None) -> Result:
        """Run one event to its result.

        `taker` is told of an answer that comes in pieces; without one it is collected, and is the
        result's value. Guest failures are results. Raises NotFound for an unknown function or
        qualifier, and StorageFailure when the invocation could not be recorded.
        """
        if self.must_wait(event.function):
            come = asyncio.Event()
            turn = self.await_turn(event.function, come.set)
            if turn is None:
                return self.turn_away(event)
            try:
                await come.wait()
            finally:
                turn.canceled = True
        started = self.start(event)
        return started if isinstance(started, Result) else await self.finish(started, taker)

    def must_wait(self, function: str) -> bool:
        """Whether others come before an event for `function` can be started."""
        return self._sandbox.must_wait(function)

    def await_turn(self, function: str, begin: Callable[[], object]) -> Turn | None:
        """Have `begin` called when it is the function's turn; None when too many wait already."""
        turn = Turn(function, begin)
        return turn if self._sandbox.await_turn(turn) else None

    def turn_away(self, event: Event, refusal: Refusal = OVERLOADED) -> Result:
        """The result of an event that is not run, for a limit or for want of time.

        Raises as `invoke` does.
        """
        version = self._registry.resolve(event.function, event.qualifier, event.pin)
        begun = Begun(event, version, time_ns() // NS_PER_MS, perf_counter_ns())
        return self._meter_refusal(begun, refusal)

    def start(self, event: Event) -> "Result | Invocation":
        """Run the first slice of an event: its result, or an invocation to `finish`.

        A short function costs its door no task that way. Raises as `invoke` does.
        """
        began_ns = perf_counter_ns()
        time_ms = time_ns() // NS_PER_MS
        version = self._registry.resolve(event.function, event.qualifier, event.pin)
        begun = Begun(event, version, time_ms, began_ns)
        refusal = self._admission.throttle.admit(version)
        if refusal is not None:
            return self._meter_refusal(begun, refusal)
        work = self._open(event, version, time_ms)
        try:
            started = self._sandbox.start(work)
        except NotFound:  # its compiled file is missing or stale: `finish` builds it
            started = None
        if isinstance(started, Ending):
            return self._meter(begun, started, work.session)
        # Only what goes on is counted: nobody can come in during a first slice.
        self._occupancy.enter(version.slot)
        return Invocation(begun, work, started)

    async def finish(self, invocation: "Invocation", taker: Taker | None = None) -> Result:
        """Run a started invocation to its result. Cancelling this ends the guest."""
        begun, work, execution = invocation
        version, session = begun.version, work.session
        session.taker = taker or ResponseStream.collect
        try:
            if session.response is not None:
                session.taker(session.response)
            ending: Ending | Execution
            if execution is None:
                ending = await self._rebuild(work)
            else:
                ending = execution
            if isinstance(ending, Execution):
                age_s = (perf_counter_ns() - begun.began_ns) / 1e9
                left_s = version.settings.limits.timeout_ms / 1_000 - age_s
                ending = await self._sandbox.finish(ending, self._loop.time() + left_s)
        except GuestCanceled as canceled:
            self._meter(_received(begun, work), _with_sent(canceled.ending, session), session)
            raise
        finally:
            self._occupancy.leave(version.slot)
            if session.response is not None:
                session.response.pipe.close()
        return self._meter(_received(begun, work), _with_sent(ending, session), session)

    async def _rebuild(self, work: Work) -> Ending | Execution:
        await self._admission.recompiler.recompile(work.image)
        try:
            return self._sandbox.start(work)
        except NotFound as error:
            raise StorageFailure(f"{error.message}, also after a rebuild") from None

    def readiness(self, function: str) -> Readiness:
        """How many of a component's guests wait for their event here, and how often one did."""
        return self._sandbox.readiness(function)

    def refuses(self, version: Version) -> Refusal | None:
        """The limit in the way now, if any; a door asks before it reads a body, and if there is
        one, turns the event away: by the time it was started, its turn might have come."""
        return self._admission.throttle.refusal(version)

    def _open(self, event: Event, version: Version, time_ms: int) -> Work:
        """The session of an invocation, and what its guest is handed."""
        prepared = self._admission.preparations.get(version, event.qualifier)
        settings = version.settings
        timeout_ms = settings.limits.timeout_ms
        session = Session(
            event.request_id,
            version.function,
            prepared.grants,
            settings.environment,
            LogBuffer(self._admission.host.log_bytes_max),
            monotonic_ns() + timeout_ms * NS_PER_MS,
        )
        data: Any = b""
        if version.artifact.kind is GuestKind.COMMAND:
            session.stdin, variables = command.read_event(event)
            session.stdout = bytearray()
            session.environment = (*variables, *settings.environment)
        else:
            try:
                data = prepared.envelope.seal(event, time_ms + timeout_ms)
            except CborError as error:
                text = f"the event cannot be handed to a guest: {error}"
                raise InvalidContent(text) from None
        return Work(version.artifact.image, session, prepared.allowance, data)

    def _meter_refusal(self, begun: "Begun", refusal: Refusal) -> Result:
        """The result of an event that was not let in, journalled like any other."""
        outcome, failure, retry_after_s = refusal
        ending = Ending(outcome, None, failure, 0, 0, 0, 0, 0)
        return self._meter(begun, ending, None)._replace(retry_after_s=retry_after_s)

    def _meter(self, begun: "Begun", ending: Ending, session: Session | None) -> Result:
        """Journal what was used, keep what was logged, and make the result.

        `session` is None for an invocation that was not let in.
        """
        event, version, time_ms, began_ns = begun
        metering = self._metering
        usage = Usage(
            time_ms,
            event.request_id,
            version.function,
            version.version,
            event.source,
            ending.outcome,
            ending.fuel,
            metering.tariff.billed_ms(ending.fuel) if session is not None else 0,
            version.settings.limits.memory_mb,
            (perf_counter_ns() - began_ns) // 1_000,
            ending.restore_us,
            ending.host_us,
            ending.memory_peak_bytes,
            event.bytes_in,
            ending.bytes_out,
            session.calls if session is not None else NO_CALLS,
        )
        metering.journal.append(usage)
        if session is None:
            return Result(ending.outcome, None, ending.failure, usage)
        lines: tuple[LogLine, ...] = ()
        if ending.failure is not None or not session.log.is_empty:
            lines = self._keep_log(event, version, ending, session)
        return Result(ending.outcome, ending.value, ending.failure, usage, lines)

    def _keep_log(
        self, event: Event, version: Version, ending: Ending, session: Session
    ) -> tuple[LogLine, ...]:
        """What the guest logged, and for the function's owner, what became of it."""
        lines = session.log.lines()
        if ending.failure is not None:
            failure = ending.failure
            text = "\n    ".join((f"{failure.type}: {failure.message}", *failure.stack))
            lines = (*lines, LogLine(time_ns() // NS_PER_MS, ERROR_LEVEL, text))
        if lines:
            try:
                self._metering.logs.append(
                    version.function, event.request_id, lines, version.version
                )
            except StorageFailure as error:  # a full disk loses log lines, never a request
                _log.warning("log_lost", function=version.function, cause=error.message)
        return lines


@dataclass(frozen=True, slots=True)
class Admission:
    """What an invocation meets before it runs."""

    host: HostSettings
    preparations: Preparations
    recompiler: Recompiler
    throttle: Throttle


def _received(begun: Begun, work: Work) -> Begun:
    """The event with the bytes that came while its guest ran, if any could."""
    event = begun.event
    if not isinstance(work.data, IncomingHttp) or event.source is not Source.HTTP:
        return begun
    size = max(event.bytes_in, work.data.body.written_bytes)
    return begun._replace(event=event._replace(bytes_in=size))


def _with_sent(ending: Ending, session: Session) -> Ending:
    """The ending with the bytes that left before it, if any did."""
    response = session.response
    if response is None or not response.is_taken:
        return ending
    return ending._replace(bytes_out=response.pipe.written_bytes)
