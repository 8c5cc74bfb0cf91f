"""An ASGI application behind the door: bodies and answers stream, each side waits for the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge.front.asgi import Receive, Scope, Send
from edge.front.door.asgi import PIECES_BYTES_MAX
from tests.front.door.in_process import App, answering, open_door
from tests.front.door.messages.message import CHUNKED, HOST, get, post

MIB = 1 << 20


@asynccontextmanager
async def served(app: App) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to `app` behind a door."""
    async with open_door(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16 * MIB)
        try:
            yield reader, writer
        finally:
            writer.close()


LENGTH = [(b"content-length", b"4")]
LAST = get(b"/", HOST + b"Connection: close\r\n")


@pytest.mark.parametrize(
    ("app", "asked", "ending"),
    [
        (answering(b"whole"), LAST, b"content-length: 5\r\n{}\r\nwhole"),
        (answering(b"ab", b"", b"cd"), LAST, b"\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"),
        (answering(b"ab", b"cd", fields=LENGTH), LAST, b"\r\n\r\nabcd"),
        (answering(b"whole"), LAST.replace(b"GET", b"HEAD"), b"content-length: 5\r\n{}\r\n"),
        (answering(b"ab", b"cd"), LAST.replace(b"GET", b"HEAD"), b"\r\n\r\n"),
        (answering(b"", status=204), LAST, b"HTTP/1.1 204 No Content\r\n{}\r\n"),
        (answering(b"ab", b"cd"), get(b"/", HOST, b"1.0"), b"\r\n\r\nabcd"),
    ],
    ids=["whole", "in chunks", "of a length", "HEAD", "HEAD of chunks", "no body", "HTTP/1.0"],
)
async def test_answers_are_framed(app: App, asked: bytes, ending: bytes) -> None:
    """By length, by chunks, or by the end, as the peer can read it."""
    async with served(app) as (reader, writer):
        writer.write(asked)
        answer = await reader.read()
        head, _, rest = ending.partition(b"{}")
        assert head in answer
        assert answer.endswith(rest or ending)


@pytest.mark.parametrize(
    ("app", "arrives"),
    [
        (answering(b"abc", fields=LENGTH), b" 500 "),
        (answering(b"ab", b"c", fields=LENGTH), b"\r\n\r\nabc"),
        (answering(b"ab", b"cde", fields=LENGTH), b"\r\n\r\nab"),
        (answering(b"x", fields=[(b"a", b"b\r\nc: d")]), b" 500 "),
    ],
    ids=["too short", "too short, in parts", "too long", "a line too many"],
)
async def test_answers_that_lie_are_no_answers(app: App, arrives: bytes) -> None:
    """500 where nothing was written yet, else the end before it could look whole."""
    async with served(app) as (reader, writer):
        writer.write(get() + get())
        data = b""
        try:
            while piece := await asyncio.wait_for(reader.read(65_536), 10):
                data += piece
                if b" 500 " in data:
                    break
        except ConnectionResetError:
            pass
        assert arrives in data
        assert data.count(b"HTTP/1.1") == 1 or b" 500 " in data


async def test_a_failure_is_500_and_the_next_is_served() -> None:
    """Its cause stays here."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/bad":
            raise RuntimeError("a secret")
        await answering(b"fine")(scope, _receive, send)

    async with served(app) as (reader, writer):
        writer.write(get(b"/bad") + LAST)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"secret" not in answer
        assert answer.endswith(b"\r\n\r\nfine")


@pytest.mark.parametrize("framing", [b"Content-Length: 8388608\r\n", CHUNKED])
async def test_a_body_waits_for_the_application(framing: bytes) -> None:
    """Of megabytes that nobody reads, no more is taken in than a buffer; then all of it comes."""
    reads = asyncio.Event()
    sizes: list[int] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await reads.wait()
        size, more = 0, True
        while more:
            message = await receive()
            sizes.append(len(message["body"]))
            size += sizes[-1]
            more = message["more_body"]
        await answering(b"%d" % size)(_scope, receive, send)

    body = bytes(8 * MIB)
    if framing is CHUNKED:
        body = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    async with served(app) as (reader, writer):
        writer.write(post(framing + b"Connection: close\r\n"))
        writer.write(body)
        await asyncio.sleep(0.3)
        assert writer.transport.get_write_buffer_size() > 0
        reads.set()
        answer = await reader.read()
        assert 7 * MIB < int(answer.rpartition(b"\r\n\r\n")[2]) <= 8 * MIB
        assert max(sizes) <= PIECES_BYTES_MAX + 256 * 1024


async def test_an_answer_waits_for_the_peer() -> None:
    """An application that writes without end is held up by a peer that does not read."""
    written = 0

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal written
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(512):
            await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})
            written += 1
        await send({"type": "http.response.body", "body": b""})

    async with served(app) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a selector's transport
        writer.write(LAST)
        await asyncio.sleep(0.3)
        assert 0 < written < 256
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        answer = await reader.read()
        assert answer.endswith(b"0\r\n\r\n")
        assert written == 512


async def test_a_body_that_nobody_reads_ends_the_connection() -> None:
    """The answer says so, and what follows is no request."""
    async with served(answering(b"no")) as (reader, writer):
        writer.write(post(b"Content-Length: 50\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        answer = await reader.read()
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"connection: close\r\n" in answer


async def test_the_peer_s_leaving_is_told() -> None:
    """Once, however often it is asked, and what is sent then goes nowhere."""
    told: list[str] = []
    over = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        told.append((await receive())["type"])
        told.append((await receive())["type"])
        await answering(b"to nobody")(_scope, receive, send)
        over.set()

    async with served(app) as (_reader, writer):
        writer.write(get())
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.wait_for(over.wait(), 10)
        assert told == ["http.disconnect"] * 2
