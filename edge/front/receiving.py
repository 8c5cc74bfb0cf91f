"""A request's body that comes through ASGI and is passed on as it does: HTTP/2 above all.

What the guest has not read waits here, up to the limit of bodies, which the door counts like any
other's. It is taken at once on purpose: the client's leaving comes behind it.

Neighbours: `data.py` makes one for a guest that reads its body as it comes; `presence.py` listens
through it for the client's leaving. `door/streams.py` is the same for HTTP/1.1.
Source: https://asgi.readthedocs.io/en/latest/specs/www.html.
"""

from edge.front.asgi import Message, Receive, too_large
from edge.front.authorizer import Entry
from edge.front.event import HttpRequest
from edge.model.errors import PayloadTooLarge
from edge.model.function import GuestKind, Version
from edge.model.pipe import Pipe


def is_passed_on(version: Version, request: HttpRequest, entry: Entry | None) -> bool:
    """Whether the guest reads a body as it comes: it can, and nobody needs the body whole, to keep
    the event or to judge its caller."""
    if version.artifact.kind is not GuestKind.WASI_HTTP or request.is_later:
        return False
    return entry is None or not entry.wants_body


class ReceivedStream:
    """A body on its way in; `error` is why it was not taken to its end."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self.pipe = Pipe(bytes_max)
        self.error: PayloadTooLarge | None = None
        self._receive = receive

    async def receive(self) -> Message:
        """What ASGI has next, its part of the body passed on. Too much of it counts as leaving."""
        message = await self._receive()
        if message["type"] != "http.request":
            self.pipe.close(is_cut=True)
            return message
        data: bytes = message.get("body", b"")
        if self.pipe.written_bytes + len(data) > self.pipe.bytes_max:
            self.error = too_large(self.pipe.bytes_max)
            self.pipe.close(is_cut=True)
            return {"type": "http.disconnect"}
        self.pipe.write(data)
        if not message.get("more_body", False):
            self.pipe.close()
        return message
