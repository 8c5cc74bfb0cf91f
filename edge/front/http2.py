"""What ASGI has no word for, asked of the HTTP/2 stream that Hypercorn has behind `send`.

Two things: a reset, for an answer that will not be whole, and the wait for a client that reads
slowly, since Hypercorn 0.18 takes what the client's window has no room for without a bound.

Neighbours: `sending.py` only.
Invariant: behind any other server, and for HTTP/1.1, nothing here does anything; there Hypercorn
waits by itself, and closes the connection when an application returns too early.
"""

from contextlib import suppress

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hypercorn.protocol.events import EndBody
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.http_stream import HTTPStream

from edge.front.asgi import Send


class Http2Stream:
    """The stream that a request came by, if it came by one."""

    def __init__(self, send: Send) -> None:
        self._number = 0
        self._protocol: H2Protocol | None = None
        stream = getattr(send, "__self__", None)
        if isinstance(stream, HTTPStream):
            protocol = getattr(stream.send, "__self__", None)
            if isinstance(protocol, H2Protocol):
                self._number, self._protocol = stream.stream_id, protocol

    async def drain(self) -> None:
        """Return when what was sent is on its way, or nobody is there to read it."""
        if self._protocol is not None:
            buffer = self._protocol.stream_buffers.get(self._number)
            if buffer is not None:
                await buffer.drain()

    async def reset(self) -> None:
        """Tell the client that the answer it has is no whole one."""
        protocol = self._protocol
        if protocol is not None:
            with suppress(ProtocolError):  # the client was quicker
                protocol.connection.reset_stream(self._number, ErrorCodes.INTERNAL_ERROR)
            await protocol._flush()
            buffer = protocol.stream_buffers.get(self._number)
            if buffer is not None:
                await buffer.close()  # else the end waits for a window, of a client that left, too
            await protocol.stream_send(EndBody(stream_id=self._number))
