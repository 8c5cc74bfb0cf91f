"""Answers to requests whose body nobody read, under the real Hypercorn."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import hypercorn.asyncio
import hypercorn.config
import pytest

from edge.front.answers import Answer
from edge.front.asgi import App, Message, Receive, Scope, Send, decline, read_body, send_answer
from edge.front.refusal import Discarding, refuse

ANSWER = Answer(413, [(b"content-length", b"3")], b"no!")
UPLOAD_BYTES = 8 * 1024 * 1024
WAIT_S = 10


@asynccontextmanager
async def served(app: App) -> AsyncIterator[int]:
    """`app` on a free port under Hypercorn."""
    stop = asyncio.Event()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port: int = listener.getsockname()[1]
        config = hypercorn.config.Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.loglevel = "ERROR"
        serving = asyncio.create_task(
            hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait, mode="asgi")
        )
        yield port
        stop.set()
        await asyncio.wait_for(serving, WAIT_S)


def slow(answer: App) -> tuple[App, asyncio.Event]:
    """An app that lets much of the body arrive and then answers; the event tells that it ended."""
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await decline(scope, receive, send)
            return
        await asyncio.sleep(0.3)
        await answer(scope, receive, send)
        ended.set()

    return app, ended


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that refuses."""
    await refuse(scope, receive, send, ANSWER)


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that knows nothing of refusing."""
    await send_answer(send, ANSWER, head=False)


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that reads the body first."""
    await read_body(receive, None, UPLOAD_BYTES)
    await send_answer(send, ANSWER, head=False)


@pytest.mark.parametrize("kind", ["refuse", "middleware"])
async def test_an_answer_ends_although_the_body_was_not_read(kind: str) -> None:
    """The client is answered, the connection closes, and no task waits for ever."""
    app, ended = slow(refusing if kind == "refuse" else answering)
    if kind == "middleware":
        app = Discarding(app)
    async with served(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {UPLOAD_BYTES}\r\n\r\n"
        writer.write(head.encode())
        writer.write(bytes(UPLOAD_BYTES))
        answer = await asyncio.wait_for(reader.readuntil(b"no!"), WAIT_S)
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"connection: close" in answer
        await asyncio.wait_for(ended.wait(), WAIT_S)
        writer.close()
        with suppress(ConnectionError):  # the server closed first
            await writer.wait_closed()


@pytest.mark.parametrize(
    ("app", "version", "length", "closes"),
    [
        (refusing, "1.1", b"3", True),
        (refusing, "1.1", b"0", False),
        (refusing, "1.1", None, False),
        (refusing, "2", b"3", False),
        (Discarding(answering), "1.1", b"3", True),
        (Discarding(answering), "1.1", None, False),
        (Discarding(answering), "2", b"3", False),
        (Discarding(reading), "1.1", b"3", False),
    ],
)
async def test_a_client_is_told_when_its_connection_closes(
    app: App, version: str, length: bytes | None, closes: bool
) -> None:
    """Told only then: it may send its next request on a connection that stays."""
    sent: list[Message] = []

    async def receive() -> Message:
        ended = len(sent) > 1
        return {"type": "http.disconnect" if ended else "http.request", "body": b"abc"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if length is None else [(b"content-length", length)]
    scope = {"type": "http", "method": "POST", "http_version": version, "headers": headers}
    await app(scope, receive, send)
    assert ((b"connection", b"close") in sent[0]["headers"]) is closes
    assert sent[1]["body"] == b"no!"
