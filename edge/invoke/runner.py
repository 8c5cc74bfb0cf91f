"""Async events run: claim → run → retry, put off, or settle.

Neighbours: `intake.py` accepts, `storage/events.py` keeps, `invoker.py` runs, `destinations.py`
writes what is told at the end.
Invariant: an event leaves the store only after it succeeded or was given up, in one commit with
what follows from it; so it runs at least once, and more often when a process is killed.
Source of the rules: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol
from uuid import uuid4

import structlog

from edge.config import HostSettings
from edge.invoke.destinations import (
    HOPS_MAX,
    HTTP_PREFIXES,
    End,
    encode_record,
    forwarded,
    record,
)
from edge.invoke.intake import keep, now_ms, restore
from edge.model.async_event import AsyncEvent, Condition, DeadLetter, EventConfig
from edge.model.cbor import CborError
from edge.model.errors import EdgeError, InvalidRequest, NotFound, StorageFailure
from edge.model.event import Event
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.storage.events import AsyncEvents

POLL_S = 0.25
"""How soon a worker sees what another accepted, or what fell due."""
WAIT_MS_MAX = 300_000
_UNRUN = frozenset((Outcome.THROTTLED, Outcome.OVERLOADED, Outcome.CANCELED, Outcome.HOST_ERROR))
"""Ends that are not the function's doing: the event waits, and no attempt is counted."""

_log = structlog.get_logger(__name__)


class Invoker(Protocol):
    """What runs an event."""

    async def invoke(self, event: Event) -> Result:
        """Run one event to its result."""


Post = Callable[[Event, str, bytes], Awaitable[None]]
"""Sends a record to an HTTP address the event's function was granted; raises EdgeError."""


class Runner:
    """Runs the async events that this worker claims. Lives as long as the process."""

    def __init__(
        self, events: AsyncEvents, invoker: Invoker, post: Post, settings: HostSettings
    ) -> None:
        self._events = events
        self._invoker = invoker
        self._post = post
        self._settings = settings
        self._owner = uuid4().hex
        self._more = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look for events now."""
        self._more.set()

    async def run(self) -> None:
        """Run events until this is cancelled; then running guests end and claims are given back."""
        renewing = asyncio.create_task(self._renew())
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._more.wait()
                self._more.clear()
                try:
                    await self._claim()
                except StorageFailure as error:
                    _log.error("async_claim_failed", cause=error.message)
        finally:
            tasks = [renewing, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(StorageFailure):
                await self._events.give_back(self._owner, now_ms())

    async def _claim(self) -> None:
        free = self._settings.async_running_max - len(self._running)
        now = now_ms()
        if free <= 0 or not self._events.is_due(now):
            return
        until = now + self._lease_ms
        for kept in await self._events.claim(self._owner, now, until, free):
            if kept.request_id not in self._running:
                task = asyncio.create_task(self._handle(kept))
                self._running[kept.request_id] = task
                task.add_done_callback(partial(self._done, kept.request_id))

    def _done(self, request_id: str, _task: asyncio.Task[None]) -> None:
        del self._running[request_id]
        self._more.set()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._settings.async_lease_s / 3)
            try:
                await self._events.renew(self._owner, now_ms() + self._lease_ms)
            except StorageFailure as error:
                _log.error("async_renewal_failed", cause=error.message)

    @property
    def _lease_ms(self) -> int:
        return self._settings.async_lease_s * 1_000

    async def _handle(self, kept: AsyncEvent) -> None:
        """One claimed event; whatever goes wrong here leaves it in the store."""
        try:
            await self._step(kept)
        except EdgeError as error:
            _log.error("async_event_waits", request_id=kept.request_id, cause=error.message)
            with suppress(StorageFailure):
                await self._put_off(kept)
        except Exception:  # the outermost frame: the claim's lease brings the event back
            _log.exception("async_event_failed", request_id=kept.request_id)
            with suppress(StorageFailure):
                await self._put_off(kept)

    async def _step(self, kept: AsyncEvent) -> None:
        config = self._events.config(kept.function, kept.qualifier)
        config = config or EventConfig(kept.function, kept.qualifier)
        expires_ms = kept.accepted_ms + config.age_s_max * 1_000
        try:
            event = restore(kept)
        except (CborError, ValueError) as error:
            event = Event(kept.function, None, kept.request_id, qualifier=kept.qualifier)
            end = End(Condition.RETRIES_EXHAUSTED, 0, None, f"the kept event is damaged: {error}")
            await self._end(kept, event, config, end)
            return
        if now_ms() >= expires_ms:
            end = End(Condition.AGE_EXCEEDED, kept.attempts, None, "it waited longer than it may")
            await self._end(kept, event, config, end)
            return
        try:
            result = await self._invoker.invoke(event)
        except (NotFound, InvalidRequest) as error:  # trying again cannot help
            end = End(Condition.RETRIES_EXHAUSTED, kept.attempts, None, error.message)
            await self._end(kept, event, config, end)
            return
        if result.outcome in _UNRUN:
            await self._put_off(kept, expires_ms)
            return
        attempts = kept.attempts + 1
        if result.failure is None:
            end = End(Condition.SUCCESS, attempts, result, "")
        elif attempts <= config.retries_max:
            due_ms = now_ms() + self._settings.async_retry_ms * attempts
            failed = replace(kept, attempts=attempts)
            await self._events.put_off(self._owner, failed, min(due_ms, expires_ms))
            return
        else:
            reason = f"{result.failure.type}: {result.failure.message}"
            end = End(Condition.RETRIES_EXHAUSTED, attempts, result, reason)
        await self._end(kept, event, config, end)

    async def _put_off(self, kept: AsyncEvent, expires_ms: int | None = None) -> None:
        """Let it wait, longer each time, and count no attempt."""
        wait_ms = min(self._settings.async_wait_ms * 2 ** min(kept.waits, 20), WAIT_MS_MAX)
        due_ms = now_ms() + wait_ms
        later = replace(kept, waits=kept.waits + 1)
        await self._events.put_off(self._owner, later, min(due_ms, expires_ms or due_ms))

    async def _end(self, kept: AsyncEvent, event: Event, config: EventConfig, end: End) -> None:
        """Tell the destination, or keep a dead letter, and let go of the event."""
        time_ms = now_ms()
        succeeded = end.condition is Condition.SUCCESS
        destination = config.on_success if succeeded else config.on_failure
        follows: AsyncEvent | DeadLetter | None = None
        if destination is not None or not succeeded:
            document = record(event, end, time_ms)
            encoded = encode_record(document)
            letter = DeadLetter(kept, end.condition, end.reason, encoded, time_ms)
            follows = letter
            if destination is not None:
                try:
                    follows = await self._deliver(kept, event, destination, encoded)
                except EdgeError as error:
                    reason = f"{destination} did not take the record: {error.message}"
                    follows = replace(letter, reason=reason)
        held = await self._events.settle(self._owner, kept.request_id, follows)
        if held and isinstance(follows, AsyncEvent):
            self._more.set()

    async def _deliver(
        self, kept: AsyncEvent, event: Event, destination: str, encoded: bytes
    ) -> AsyncEvent | None:
        """The event for a function that is the destination; None after a post. Raises EdgeError."""
        if destination.startswith(HTTP_PREFIXES):
            await self._post(event, destination, encoded)
            return None
        if kept.hops >= HOPS_MAX:
            raise InvalidRequest(f"it came through {HOPS_MAX} destinations already")
        return keep(forwarded(destination, encoded), now_ms(), kept.hops + 1)
