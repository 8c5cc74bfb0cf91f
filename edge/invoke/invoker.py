"""The one door inside: `invoke(event) -> Result`, which reads resolve → admit → run → meter.

Neighbours: doors call it; `registry/` resolves, `occupancy.py` admits, `sandbox/` runs, and what
was used goes to `meter/` before the result is returned.
Invariant: a result is never returned before its record is in the journal.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic_ns, perf_counter_ns, time_ns
from typing import Protocol

import structlog

from edge.config import HostSettings
from edge.host.log import LogBuffer
from edge.host.session import Session
from edge.invoke.occupancy import Occupancy
from edge.invoke.prepared import Preparations, Prepared
from edge.meter.bill import Tariff
from edge.meter.journal import Journal
from edge.meter.logs import LogStore
from edge.model.cbor import CborError
from edge.model.errors import InvalidContent, NotFound, StorageFailure
from edge.model.event import Event
from edge.model.function import GuestKind, Version
from edge.model.outcome import Failure, Outcome
from edge.model.result import LogLine, Result
from edge.model.usage import NO_CALLS, Usage
from edge.registry.registry import Registry
from edge.sandbox import command
from edge.sandbox.execution import Ending
from edge.sandbox.runtime import Sandbox, Work
from edge.sandbox.scheduler import GuestCanceled

NS_PER_MS = 1_000_000
ERROR_LEVEL = 4
RETRY_AFTER_S = 1
_REFUSALS = {
    Outcome.THROTTLED: Failure(
        "TooManyRequests", "the function runs as often as it may at once; try again"
    ),
    Outcome.OVERLOADED: Failure("Overloaded", "this host runs as much as it can; try again"),
}

_log = structlog.get_logger(__name__)


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

    async def invoke(self, event: Event) -> Result:
        """Run one event to its result.

        Guest failures are results. Raises NotFound for an unknown function or qualifier, and
        StorageFailure when the invocation could not be recorded.
        """
        began_ns = perf_counter_ns()
        time_ms = time_ns() // NS_PER_MS
        version = self._registry.resolve(event.function, event.qualifier)
        refusal = self._refuse(version)
        if refusal is not None:
            return self._meter(event, version, time_ms, began_ns, _unrun(refusal), None)
        prepared = self._admission.preparations.get(version)
        session, data = self._open(event, version, prepared, time_ms)
        self._occupancy.enter(version.slot)
        try:
            deadline_s = self._loop.time() + version.settings.limits.timeout_ms / 1_000
            work = Work(version.artifact.image, session, prepared.allowance, data)
            ending = await self._run(work, deadline_s)
        except GuestCanceled as canceled:
            self._meter(event, version, time_ms, began_ns, canceled.ending, session)
            raise
        finally:
            self._occupancy.leave(version.slot)
        return self._meter(event, version, time_ms, began_ns, ending, session)

    def refuses(self, version: Version) -> bool:
        """Whether a limit stands in the way now; a door asks before it reads a large body."""
        return self._refuse(version) is not None

    def _refuse(self, version: Version) -> Outcome | None:
        """Whether a limit stands in the way: the function's, or the host's."""
        limit = version.settings.limits.concurrency_max
        if limit is not None and self._occupancy.function(version.slot) >= limit:
            return Outcome.THROTTLED
        if self._occupancy.host() >= self._admission.host.concurrency_max:
            return Outcome.OVERLOADED
        return None

    def _open(
        self, event: Event, version: Version, prepared: Prepared, time_ms: int
    ) -> tuple[Session, bytes]:
        """The session of an invocation, and what its guest is handed."""
        timeout_ms = version.settings.limits.timeout_ms
        session = Session(
            event.request_id,
            version.function,
            prepared.grants,
            version.settings.environment,
            LogBuffer(self._admission.host.log_bytes_max),
            monotonic_ns() + timeout_ms * NS_PER_MS,
        )
        if version.artifact.kind is GuestKind.COMMAND:
            session.stdin, variables = command.read_event(event)
            session.stdout = bytearray()
            session.environment = (*variables, *version.settings.environment)
            return session, b""
        try:
            return session, prepared.envelope.seal(event, time_ms + timeout_ms)
        except CborError as error:
            raise InvalidContent(f"the event cannot be handed to a guest: {error}") from None

    async def _run(self, work: Work, deadline_s: float) -> Ending:
        try:
            return await self._sandbox.run(work, deadline_s)
        except NotFound:  # its compiled file is missing or stale: once more, after building it
            await self._admission.recompiler.recompile(work.image)
            try:
                return await self._sandbox.run(work, deadline_s)
            except NotFound as error:
                raise StorageFailure(f"{error.message}, also after a rebuild") from None

    def _meter(
        self,
        event: Event,
        version: Version,
        time_ms: int,
        began_ns: int,
        ending: Ending,
        session: Session | None,
    ) -> Result:
        """Journal what was used, keep what was logged, and make the result."""
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
        lines = self._keep_log(event, version, ending, session) if session is not None else ()
        retry_after_s = RETRY_AFTER_S if session is None else None
        return Result(ending.outcome, ending.value, ending.failure, usage, lines, retry_after_s)

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


def _unrun(outcome: Outcome) -> Ending:
    """The ending of an invocation that was not let in."""
    return Ending(outcome, None, _REFUSALS[outcome], 0, 0, 0, 0, 0)
