"""`wasi:http` bodies and their trailers: a pipe between the guest and whoever is on the other side.

Neighbours: `http_server.py` and `http_client.py` make these; `io.py` has what a stream is.
Invariant: the guest reads a body as it arrives and writes one as it leaves; neither side is more
than a pipe's bound ahead of the other.
"""

from edge.host.flow import Flow
from edge.host.wasi2.context import Context, Functions, Resource, on_loop
from edge.host.wasi2.http_fields import Fields
from edge.host.wasi2.io import CLOSED, InputStream, IoError, OutputStream, Pollable
from edge.host.wasi2.results import Err, Ok
from edge.model.pipe import Pipe

ErrorCode = tuple[str, object]
CUT_OFF: ErrorCode = ("HTTP-protocol-error", None)


class PipeInput(InputStream):
    """A body being read."""

    __slots__ = ("_body",)
    IS_LIVE = True

    def __init__(self, body: "IncomingBody") -> None:
        self._body = body

    def ready(self) -> bool:
        """Whether something has come, or nothing more will."""
        pipe = self._body.pipe
        return pipe.waiting_bytes > 0 or pipe.is_closed

    async def wait(self) -> None:
        """Until something comes, or the end."""
        await self._body.pipe.await_data()

    def read(self, length: int) -> bytes:
        """What has come, at most `length`."""
        return self._body.pipe.read(length)

    def end(self) -> Err | None:
        """Whether that was all, or the rest is lost."""
        pipe = self._body.pipe
        if not pipe.is_ended:
            return None
        if pipe.is_cut:
            return Err(("last-operation-failed", IoError("", self._body.error)))
        return CLOSED


class BodyOutput(OutputStream):
    """A body being written."""

    __slots__ = ("_flow",)
    IS_LIVE = True

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def ready(self) -> bool:
        """Whether there is room, or no use for it."""
        return self._flow.pipe.room_bytes > 0 or self._flow.pipe.is_closed

    async def wait(self) -> None:
        """Until there is."""
        await self._flow.pipe.await_room()

    def room_bytes(self) -> int:
        """How much may be written now."""
        return self._flow.pipe.room_bytes

    def end(self) -> Err | None:
        """Whether the body is finished, or nobody takes it."""
        return CLOSED if self._flow.pipe.is_closed else None

    def write(self, data: bytes) -> str | None:
        """Take more of the body."""
        if not self._flow.admit(len(data)):
            return "insufficient-space"
        self._flow.pipe.write(data)
        return None


class IncomingBody(Resource):
    """A body that comes."""

    __slots__ = ("is_streamed", "pipe")
    KIND = "incoming-body"

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.is_streamed = False

    @property
    def error(self) -> ErrorCode:
        """Why it was cut off, if it is."""
        return CUT_OFF


class FutureTrailers(Pollable):
    """What comes behind a body; it can be taken once."""

    __slots__ = ("_body", "is_taken")
    KIND = "future-trailers"

    def __init__(self, body: IncomingBody) -> None:
        self._body = body
        self.is_taken = False

    def ready(self) -> bool:
        """Whether the body has ended."""
        return self._body.pipe.is_closed

    async def wait(self) -> None:
        """Until it has."""
        await self._body.pipe.await_close()

    def take(self) -> Ok | Err:
        """The trailers, if there are any."""
        pipe = self._body.pipe
        if pipe.is_cut:
            return Err(self._body.error)
        if not pipe.trailers:
            return Ok(None)
        return Ok(Fields.of_texts(pipe.trailers))


class TrailersPollable(Pollable):
    """What a guest polls to wait for trailers."""

    __slots__ = ("_trailers",)

    def __init__(self, trailers: FutureTrailers) -> None:
        self._trailers = trailers

    def ready(self) -> bool:
        """Whether they are there."""
        return self._trailers.ready()

    async def wait(self) -> None:
        """Until they are."""
        await self._trailers.wait()


class OutgoingBody(Resource):
    """A body the guest writes."""

    __slots__ = ("flow", "is_written")
    KIND = "outgoing-body"

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.is_written = False

    def dropped(self, context: Context) -> None:
        """It was not finished, so it is no whole body."""
        context.call_soon(_cut, self.flow.pipe)


def _cut(pipe: Pipe) -> None:
    pipe.close(is_cut=True)


def stream_body(context: Context, body: IncomingBody) -> PipeInput | Err:
    """Read it, once."""
    if body.is_streamed:
        return Err()
    body.is_streamed = True
    return PipeInput(body)


def finish_incoming(context: Context, body: IncomingBody) -> FutureTrailers:
    """Done with reading: what still comes is thrown away, up to the trailers."""
    context.call_soon(body.pipe.discard)
    return FutureTrailers(body)


def subscribe_trailers(context: Context, trailers: FutureTrailers) -> Pollable:
    """Wait for them."""
    return TrailersPollable(trailers)


def get_trailers(context: Context, trailers: FutureTrailers) -> Ok | Err | None:
    """Them, once; none while the body has not ended."""
    if trailers.is_taken:
        return Err()
    if not trailers.ready():
        return None
    trailers.is_taken = True
    return Ok(trailers.take())


def write_body(context: Context, body: OutgoingBody) -> BodyOutput | Err:
    """Write it, once."""
    if body.is_written:
        return Err()
    body.is_written = True
    return BodyOutput(body.flow)


def finish_outgoing(context: Context, body: OutgoingBody, trailers: Fields | None) -> object:
    """It is whole. Who sends trailers waits for nothing, but an answer with some is streamed: it
    ends no guest in its first slice."""
    if trailers is None and not context.off_loop:
        body.flow.pipe.close()
        return None
    return on_loop(body.flow.pipe.close, () if trailers is None else trailers.texts)


FUNCTIONS: Functions = {
    "[method]incoming-body.stream": stream_body,
    "[static]incoming-body.finish": finish_incoming,
    "[method]future-trailers.subscribe": subscribe_trailers,
    "[method]future-trailers.get": get_trailers,
    "[method]outgoing-body.write": write_body,
    "[static]outgoing-body.finish": finish_outgoing,
}
