"""Events accepted now, to run later: the answer 202 stands on what this keeps.

Neighbours: the doors call it; `storage/events.py` keeps; `runner.py` takes what was kept.
Invariant: `accept` ends only after the event is on disk.
"""

from collections.abc import Callable
from time import time_ns

from edge.model import cbor
from edge.model.async_event import ASYNC_BYTES_MAX, AsyncEvent
from edge.model.cbor import CborError
from edge.model.errors import InvalidContent, PayloadTooLarge
from edge.model.event import Event, Source
from edge.storage.events import AsyncEvents

NS_PER_MS = 1_000_000


class Intake:
    """Takes async events of one worker; `wake` is called when there is one more."""

    def __init__(self, events: AsyncEvents, wake: Callable[[], object]) -> None:
        self._events = events
        self._wake = wake

    async def accept(self, event: Event) -> None:
        """Keep an event for later.

        Raises PayloadTooLarge, InvalidContent, TooManyEvents and StorageFailure.
        """
        if event.bytes_in > ASYNC_BYTES_MAX:
            raise PayloadTooLarge(
                f"the event has {event.bytes_in} bytes; an async one may have {ASYNC_BYTES_MAX}"
            )
        await self._events.add(keep(event, now_ms()))
        self._wake()


def now_ms() -> int:
    """Unix time."""
    return time_ns() // NS_PER_MS


def keep(event: Event, accepted_ms: int, hops: int = 0) -> AsyncEvent:
    """An event as it is kept. Raises InvalidContent."""
    content = {
        "payload": event.payload,
        "source": event.source.value,
        "bytesIn": event.bytes_in,
        "clientContext": event.client_context,
        "traceparent": event.traceparent,
        "pin": event.pin,
    }
    try:
        encoded = cbor.encode(content)
    except CborError as error:
        raise InvalidContent(f"the event cannot be kept: {error}") from None
    return AsyncEvent(
        event.request_id, event.function, encoded, accepted_ms, event.qualifier, hops=hops
    )


def restore(kept: AsyncEvent) -> Event:
    """The event that was kept. Raises CborError for damaged content."""
    content = cbor.decode(kept.content)
    if not isinstance(content, dict):
        raise CborError("the kept event is no map")
    return Event(
        function=kept.function,
        given=content.get("payload"),
        request_id=kept.request_id,
        source=Source(content.get("source", Source.INVOKE)),
        qualifier=kept.qualifier,
        bytes_in=content.get("bytesIn", 0),
        client_context=content.get("clientContext"),
        traceparent=content.get("traceparent"),
        pin=content.get("pin", ""),
    )
