"""Bodies of `wasi:http` as a guest meets them: live streams, trailers, requests under way."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import iscoroutine
from typing import Any

import pytest

from edge.host.flow import Flow, StreamLimits
from edge.host.wasi2 import http_bodies as bodies
from edge.host.wasi2 import http_client as client
from edge.host.wasi2 import http_request, io, streams
from edge.host.wasi2.context import Context, Misuse
from edge.host.wasi2.exchange import BODIES_BYTES_MAX
from edge.host.wasi2.http_bodies import BodyOutput, IncomingBody, PipeInput
from edge.host.wasi2.http_fields import Fields
from edge.host.wasi2.results import Err
from edge.model.limits import KIB, MIB
from edge.model.pipe import Pipe
from tests.host.origin import Origin, Received, serve
from tests.host.test_wasi2_http import context

READ = streams.STREAMS["[method]input-stream.read"]
BLOCKING_READ = streams.STREAMS["[method]input-stream.blocking-read"]
WRITE = streams.STREAMS["[method]output-stream.write"]
BLOCKING_WRITE = streams.STREAMS["[method]output-stream.blocking-write-and-flush"]
SPLICE = streams.STREAMS["[method]output-stream.blocking-splice"]
TIMEOUT_S = 10


async def settle(value: Any) -> Any:
    """What a call comes to, now or later."""
    return await value if iscoroutine(value) else value


def flow(bytes_max: int = 8) -> Flow:
    """A body with little room."""
    return Flow(StreamLimits(bytes_max, 20))


# Streams


async def test_a_live_stream_is_read_as_it_comes() -> None:
    """Nothing yet is no end; the end is `closed`, a body that was cut off an error."""
    here, pipe = context(), Pipe(100)
    stream = PipeInput(IncomingBody(pipe))
    assert READ(here, stream, 10) == b""
    waiting = asyncio.ensure_future(settle(BLOCKING_READ(here, stream, 3)))
    pollable = streams.subscribe(here, stream)
    assert not pollable.ready()
    pipe.write(b"abcdef")
    assert await waiting == b"abc"
    assert pollable.ready()
    assert READ(here, stream, 10) == b"def"
    pipe.close()
    assert await settle(BLOCKING_READ(here, stream, 10)) == io.CLOSED
    cut = Pipe(100)
    cut.close(is_cut=True)
    failed = READ(here, PipeInput(IncomingBody(cut)), 10)
    assert isinstance(failed, Err)
    kind, error = failed.value  # type: ignore[misc]
    assert kind == "last-operation-failed"
    assert client.http_error_code(here, error) == ("HTTP-protocol-error", None)


async def test_a_live_stream_is_written_as_there_is_room() -> None:
    """`check-write` says how much; a blocking write waits; more than was allowed ends the guest."""
    here, body = context(), flow()
    stream = BodyOutput(body)
    assert streams.check_write(here, stream) == 8
    assert WRITE(here, stream, b"12345678") is None
    assert streams.check_write(here, stream) == 0
    assert not streams.subscribe(here, stream).ready()
    with pytest.raises(Misuse, match="check-write"):
        WRITE(here, stream, b"x")
    waiting = asyncio.ensure_future(settle(BLOCKING_WRITE(here, stream, b"abcdefghij")))
    await asyncio.sleep(0)
    assert body.pipe.read() == b"12345678"
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert body.pipe.read() == b"abcdefgh"
    assert await waiting is None
    over = await settle(BLOCKING_WRITE(here, stream, b"beyond"))
    assert over.value[0] == "last-operation-failed"
    body.pipe.close()
    assert streams.check_write(here, stream) == io.CLOSED
    assert streams.flush(here, stream) == io.CLOSED


async def test_bytes_are_spliced_from_one_body_to_another() -> None:
    """As many as have come and have room."""
    here, pipe, body = context(), Pipe(100), flow()
    source, stream = PipeInput(IncomingBody(pipe)), BodyOutput(body)
    waiting = asyncio.ensure_future(settle(SPLICE(here, stream, source, 100)))
    await asyncio.sleep(0)
    pipe.write(b"0123456789")
    assert await waiting == 8
    assert body.pipe.read() == b"01234567"
    assert await settle(SPLICE(here, stream, source, 100)) == 2
    pipe.close()
    assert await settle(SPLICE(here, stream, source, 100)) == io.CLOSED


async def test_a_guest_off_the_loop_touches_bodies_on_it() -> None:
    """Then every call is a coroutine, for the loop to run."""
    here, pipe, body = context(), Pipe(100), flow()
    here.off_loop = True
    here.loop = asyncio.get_running_loop()
    pipe.write(b"abc")
    reading = READ(here, PipeInput(IncomingBody(pipe)), 10)
    writing = WRITE(here, BodyOutput(body), b"abc")
    assert iscoroutine(reading)
    assert iscoroutine(writing)
    assert (await reading, await writing, body.pipe.read()) == (b"abc", None, b"abc")
    output = bodies.OutgoingBody(body)
    await asyncio.to_thread(output.dropped, here)
    await asyncio.sleep(0)
    assert body.pipe.is_cut


async def test_trailers_wait_for_the_end() -> None:
    """What was not read by then is thrown away; they are taken once."""
    here, pipe = context(), Pipe(4)
    trailers = bodies.finish_incoming(here, IncomingBody(pipe))
    assert bodies.get_trailers(here, trailers) is None
    writing = asyncio.ensure_future(pipe.write_all(b"more than it holds"))
    await asyncio.wait_for(writing, TIMEOUT_S)
    waiting = io.block(here, bodies.subscribe_trailers(here, trailers))
    pipe.close((("x-sum", "1"),))
    await settle(waiting)
    got: Any = bodies.get_trailers(here, trailers)
    assert got.value.value.entries == [("x-sum", b"1")]
    assert bodies.get_trailers(here, trailers) == Err()


# Requests


Respond = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Asked:
    """A request of a guest's that is under way."""

    def __init__(self, here: Context, origin: Origin, **options: int | None) -> None:
        made = http_request.new_request(here, Fields([("x-a", b"1")]))
        http_request.set_method(here, made, ("post", None))
        http_request.set_scheme(here, made, ("HTTP", None))
        http_request.set_authority(here, made, f"127.0.0.1:{origin.port}")
        self.here = here
        self.body: Any = http_request.get_body(here, made)
        self.output: Any = bodies.write_body(here, self.body)
        given = http_request.new_options(here)
        for name, value in options.items():
            http_request.FUNCTIONS[f"[method]request-options.set-{name}"](here, given, value)
        sent: Any = client.handle(here, made, given)
        self.future = sent.value

    async def response(self) -> Any:
        """The response, or its error."""
        await settle(io.block(self.here, client.subscribe(self.here, self.future)))
        got: Any = client.get_response(self.here, self.future)
        return got.value

    async def read_all(self, body: Any) -> Any:
        """A response's body, or how it failed."""
        stream: Any = bodies.stream_body(self.here, body)
        data = b""
        while isinstance(piece := await settle(BLOCKING_READ(self.here, stream, 9_999)), bytes):
            data += piece
        return data if piece == io.CLOSED else piece.value[1].http


def respond(data: bytes) -> Any:
    """An origin that answers so without having read a body."""

    async def send(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return send


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def test_both_bodies_are_under_way_at_once() -> None:
    """An answer is read while its request is written; a redirect is an answer like any other."""
    here = context()
    head = b"HTTP/1.1 302 Found\r\nlocation: /else\r\ntransfer-encoding: chunked\r\n\r\n"
    async with serve(respond(head + b"3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")) as origin:
        here = context(origin.grant)
        asked = Asked(here, origin)
        response = (await asked.response()).value
        assert client.get_status(here, response) == 302
        body = client.consume(here, response)
        assert await asked.read_all(body) == b"abc"
        trailers: Any = bodies.get_trailers(here, bodies.finish_incoming(here, body))
        assert trailers.value.value.entries == [("x-sum", b"7")]
    [received] = origin.received
    assert received.headers["transfer-encoding"] == "chunked"
    assert here.session.calls == {"fetch": 1}


CUT_SHORT = {
    "no answer": (b"", ("destination-unavailable", None), None),
    "no HTTP": (b"nonsense\r\n\r\n", ("destination-unavailable", None), None),
    "half a body": (CHUNKED + b"5\r\nab", None, ("HTTP-protocol-error", None)),
    "too long": (
        CHUNKED + b"%x\r\n" % (21 * MIB) + bytes(21 * MIB),
        None,
        ("HTTP-response-body-size", None),
    ),
}


@pytest.mark.parametrize("name", CUT_SHORT)
async def test_an_answer_cut_short(name: str) -> None:
    """Is an error: of the response while there is none, then of its body."""
    data, no_response, cut = CUT_SHORT[name]
    async with serve(respond(data)) as origin:
        asked = Asked(context(origin.grant), origin)
        bodies.finish_outgoing(asked.here, asked.body, None)
        got = await asked.response()
        if no_response is not None:
            assert got == Err(no_response)
            return
        assert await asked.read_all(client.consume(asked.here, got.value)) == cut


@pytest.mark.parametrize(
    ("options", "head_comes", "error"),
    [
        ({"first-byte-timeout": 50_000_000}, False, ("connection-timeout", None)),
        ({"between-bytes-timeout": 50_000_000}, True, ("HTTP-response-timeout", None)),
    ],
)
async def test_a_server_that_takes_too_long(
    options: dict[str, int], head_comes: bool, error: object
) -> None:
    """By what the guest said, for the head and between two reads."""

    async def stall(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED if head_comes else b"")
        await writer.drain()
        await asyncio.sleep(0.3)

    async with serve(stall) as origin:
        asked = Asked(context(origin.grant), origin, **options)
        bodies.finish_outgoing(asked.here, asked.body, None)
        got = await asked.response()
        if not head_comes:
            assert got == Err(error)
        else:
            assert await asked.read_all(client.consume(asked.here, got.value)) == error
        await asyncio.wait_for(origin.closed.wait(), TIMEOUT_S)


@pytest.mark.parametrize("held", ["body", "future"])
async def test_letting_go_ends_the_exchange(held: str) -> None:
    """Of the request's body, or of the response to come: the server's connection ends."""

    async def stall(_received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)

    async with serve(stall) as origin:
        asked = Asked(context(origin.grant), origin)
        await settle(BLOCKING_WRITE(asked.here, asked.output, b"abc"))
        while not origin.received:
            await asyncio.sleep(0.01)
        getattr(asked, held).dropped(asked.here)
        await asyncio.wait_for(origin.closed.wait(), TIMEOUT_S)
        assert not asked.here.tasks


async def test_letting_go_of_a_response_ends_the_exchange() -> None:
    """Before its body was consumed, and after."""
    for consumes in (False, True):

        async def endless(_received: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(CHUNKED)
            while True:
                writer.write(b"400\r\n" + bytes(0x400) + b"\r\n")
                await writer.drain()

        async with serve(endless) as origin:
            asked = Asked(context(origin.grant), origin)
            bodies.finish_outgoing(asked.here, asked.body, None)
            response = (await asked.response()).value
            held = client.consume(asked.here, response) if consumes else response
            held.dropped(asked.here)
            await asyncio.wait_for(origin.closed.wait(), TIMEOUT_S)


async def test_a_guest_that_does_not_read_makes_the_server_wait() -> None:
    """A pipe's bound of an answer is in memory, and what the sockets hold."""
    sent = 0

    async def endless(_received: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(CHUNKED)
        for _ in range(19):
            writer.write(b"%x\r\n" % MIB + bytes(MIB) + b"\r\n")
            await writer.drain()
            sent += MIB
        writer.write(b"0\r\n\r\n")

    async with serve(endless) as origin:
        asked = Asked(context(origin.grant), origin)
        bodies.finish_outgoing(asked.here, asked.body, None)
        response = (await asked.response()).value
        body = client.consume(asked.here, response)
        while not body.pipe.waiting_bytes:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert body.pipe.waiting_bytes <= 64 * KIB
        assert len(await asked.read_all(body)) == 19 * MIB


async def test_what_is_not_let_go_of_is_bounded() -> None:
    """Too many bodies at once are refused, by the error that each place has."""
    here = context()
    for _ in range(1_000):  # each is gone with its request
        made = http_request.new_request(here, Fields())
        assert http_request.get_body(here, made) != Err()
    kept = [http_request.new_request(here, Fields()) for _ in range(1_000)]
    given = [http_request.get_body(here, request) for request in kept]
    assert given.count(Err()) == 1_001 - BODIES_BYTES_MAX // (64 * KIB)
    sent = http_request.new_request(here, Fields())
    http_request.set_authority(here, sent, "h")
    refused = ("internal-error", "the guest has too many bodies at once")
    assert client.handle(here, sent, None) == Err(refused)


async def test_a_request_that_cannot_be_sent() -> None:
    """Is refused at once."""
    here = context()
    made = http_request.new_request(here, Fields())
    http_request.set_authority(here, made, "no host")
    assert client.handle(here, made, None) == Err(("HTTP-request-URI-invalid", None))
