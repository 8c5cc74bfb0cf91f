"""Answering a request whose body was not read to its end.

Hypercorn queues what the app has not read, and waits for room in that queue before it lets a
response end: an app that answers and reads no more would wait for ever, and the connection with
it. So what still comes is read, and thrown away, for as long as the answer takes to leave. Then
Hypercorn closes the connection; an HTTP/1 client is told so, lest it send its next request there.

Of HTTP/2 Hypercorn ends the whole connection, with all its other requests, when a part of a body
comes for a stream that was answered, and where the door mends that, there are clients that take the
reset of what is left for the answer. So of HTTP/2 a short body is read first, and no more of a long
one than a short one has; nothing of one that the client sends when it is asked.

Neighbours: `data.py` refuses through `refuse`; `control.py` wraps its whole app in `Discarding`.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from edge.front.answers import Answer
from edge.front.asgi import App, Message, Receive, Scope, Send, send_answer
from edge.model.limits import KIB

SHORT_BYTES_MAX = 64 * KIB
SHORT_S = 1.0
_CLOSE = (b"connection", b"close")


async def refuse(
    scope: Scope, receive: Receive, send: Send, answer: Answer, *, unread: bool = True
) -> None:
    """Send a whole answer to a request of which nothing, or not all, was read.

    Where all of it was, which is not `unread`, the answer is like any other; so it is to a client
    of HTTP/2 that waits to be asked for its body.
    """
    if not unread or (_waits(scope) and not _closes(scope)):
        await send_answer(send, answer, head=scope["method"] == "HEAD")
        return
    if _has_body(scope):
        answer = answer._replace(headers=_closing(scope, answer.headers))
    if not _closes(scope):
        await _read_short(receive)
    await _discarding(receive, send_answer(send, answer, head=scope["method"] == "HEAD"))


class Discarding:
    """Lets the app inside answer whether it has read the request's body or not."""

    def __init__(self, app: App) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_body = _has_body(scope)
        is_read = False  # or the client has left

        async def noting_receive() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = not message.get("more_body", False)
            return message

        async def ending_send(message: Message) -> None:
            if message["type"] == "http.response.start" and has_body and not is_read:
                message = {**message, "headers": _closing(scope, message["headers"])}
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            if ends and not is_read:
                await _discarding(receive, send(message))
            else:
                await send(message)

        await self._app(scope, noting_receive, ending_send)


def _has_body(scope: Scope) -> bool:
    """Whether the head announces a body; HTTP/2 need not, and closes no connection for it."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


def _closes(scope: Scope) -> bool:
    """Whether the connection ends with a request that was not read to its end."""
    return bool(scope["http_version"].startswith("1"))


def _waits(scope: Scope) -> bool:
    """Whether the client sends its body only when it is asked for it."""
    return any(name == b"expect" for name, _ in scope["headers"])


def _closing(scope: Scope, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """`headers` with the news that the connection closes, where HTTP has a word for it."""
    return [*headers, _CLOSE] if _closes(scope) else headers


async def _read_short(receive: Receive) -> None:
    """Read and throw away a short body, up to SHORT_BYTES_MAX and SHORT_S of it."""
    left = SHORT_BYTES_MAX
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SHORT_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


async def _discarding(receive: Receive, sending: Coroutine[Any, Any, None]) -> None:
    discarding = asyncio.create_task(_discard(receive))
    try:
        await sending
    finally:
        discarding.cancel()


async def _discard(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
