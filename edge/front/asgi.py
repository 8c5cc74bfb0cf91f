"""ASGI at its plainest: a bounded body in, an `Answer` out.

Neighbours: `data.py` and `control.py`; `refusal.py` answers when the body was not read.
Source: https://asgi.readthedocs.io/en/latest/specs/www.html.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from edge.access.digest import digest_of
from edge.front.answers import Answer, metering_headers
from edge.model.errors import PayloadTooLarge
from edge.model.limits import MIB

HASHED_INLINE_BYTES_MAX = 1 * MIB
"""Longer bodies are hashed on a thread."""

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Coroutine[Any, Any, None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class ClientGone(Exception):
    """The client closed before it was answered: there is nobody left to tell."""


async def read_body(receive: Receive, declared: str | bytes | None, bytes_max: int) -> bytes:
    """The whole request body, of at most `bytes_max`.

    `declared` is the content-length field, if there was one: a body that says it is too long
    is refused before any of it is read. Raises PayloadTooLarge and ClientGone.
    """
    check_length(declared, bytes_max)
    chunks: list[bytes] = []
    size = 0
    more_body = True
    while more_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > bytes_max:
            raise too_large(bytes_max)
        if chunk:
            chunks.append(chunk)
        more_body = message.get("more_body", False)
    return b"".join(chunks)


def check_length(declared: str | bytes | None, bytes_max: int) -> None:
    """Raises PayloadTooLarge for a content-length over the bound."""
    if declared is not None and declared.isdigit() and int(declared[:20]) > bytes_max:
        raise too_large(bytes_max)


async def body_digest(body: bytes) -> str:
    """The SHA-256 of a body in hex."""
    if len(body) <= HASHED_INLINE_BYTES_MAX:
        return digest_of(body)
    return await asyncio.to_thread(digest_of, body)


def source_of(scope: Scope) -> str:
    """The address that a request comes from; empty for a socket that has none."""
    client = scope.get("client")
    return str(client[0]) if client else ""


async def send_answer(send: Send, answer: Answer, *, head: bool) -> None:
    """Send a whole answer; to a HEAD request its length but no body."""
    headers = answer.headers
    if answer.usage is not None:
        headers = headers + metering_headers(answer.usage)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if head else answer.body
    await send({"type": "http.response.body", "body": body})


async def decline(scope: Scope, receive: Receive, send: Send) -> None:
    """What is not HTTP: take part in the lifespan, close a WebSocket."""
    if scope["type"] == "lifespan":
        while True:
            phase = (await receive())["type"]
            await send({"type": f"{phase}.complete"})
            if phase == "lifespan.shutdown":
                return
    await send({"type": "websocket.close"})


def too_large(bytes_max: int) -> PayloadTooLarge:
    """Why a request body is not read to its end."""
    return PayloadTooLarge(f"the request body is over {bytes_max} bytes, the most taken here")
