"""Requests of the data plane that run later: `x-edge-invocation-type: Event` is answered 202.

Neighbours: both doors of the data plane ask; `invoke/intake.py` keeps the event.
Invariant: 202 leaves only after the event is on disk.
"""

from collections.abc import Sequence

from edge.front.answers import Answer, error_answer, framed
from edge.front.failures import platform_error
from edge.front.services import Services
from edge.model.event import Event

_HEADER = b"x-edge-invocation-type"
_LATER = b"event"


def is_later(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the request asks not to wait for its result."""
    return any(name == _HEADER and value.lower() == _LATER for name, value in headers)


async def accept(services: Services, event: Event) -> Answer:
    """Keep the event: 202 with its request id, or why not."""
    try:
        await services.intake.accept(event)
    except Exception as error:  # the outermost frame: nothing may pass
        return error_answer(platform_error(error, event.request_id), event.request_id)
    return framed(202, [(b"x-edge-request-id", event.request_id.encode())], b"")
