"""An answer that leaves as its function writes it: its head, and what is told behind it.

Neighbours: `data.py` and `door/streams.py` send; `results.py` has the answers that come whole.
Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html.
What a call cost is not known before its answer ended, so those fields are trailers here.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from edge.front.answers import Answer, Headers, metering_headers
from edge.front.response import BYTES, MalformedResponse, field
from edge.model.function import Version
from edge.model.pipe import Pipe, Trailers
from edge.model.result import Result
from edge.model.stream import ResponseHead
from edge.model.url import InvokeMode

_TOLD_IN_HEAD = frozenset((b"x-edge-request-id", b"x-edge-version"))
HEAD_HOLD_S = 0.02
"""How long a head waits for its first piece: a failure right behind it can still be told."""

_ANNOUNCED = (b"trailer", b"x-edge-fuel, x-edge-billed-ms, server-timing")


class ResponseStream(Protocol):
    """An answer on its way out of its guest."""

    @property
    def head(self) -> ResponseHead | None:
        """How it begins; None where the guest wrote bytes and said nothing of them."""

    @property
    def pipe(self) -> Pipe:
        """The body, as far as it was written."""

    @property
    def is_over(self) -> bool:
        """Whether its guest ended before it was taken: then the result is the answer."""

    def take(self) -> Pipe:
        """The body as it comes; who asks sends it on, and the guest waits for who is slow."""


Taker = Callable[[ResponseStream], None]
"""Is told of an answer when its head is there; on the event loop, and it does not wait."""


async def await_first_piece(response: ResponseStream) -> None:
    """Return when the answer's head should leave: with its body, or alone when that takes long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(HEAD_HOLD_S):
            await response.pipe.await_data()


def is_streamed(version: Version, qualifier: str) -> bool:
    """Whether answers leave as they are written: not where the URL's `InvokeMode` is BUFFERED."""
    if not version.shared.urls:
        return True
    url = version.shared.url(qualifier)
    return url is None or url.invoke_mode is InvokeMode.RESPONSE_STREAM


def stream_answer(head: ResponseHead | None, version: Version, request_id: str) -> Answer:
    """The answer's head; its body comes later."""
    given = head or ResponseHead(200, ())
    cookies = (("set-cookie", cookie) for cookie in given.cookies)
    headers = _fields((*given.headers, *cookies))
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", BYTES))
    headers.append((b"x-edge-request-id", request_id.encode()))
    headers.append((b"x-edge-version", version.version.encode()))
    return Answer(given.status, headers)


def announced(answer: Answer) -> Answer:
    """`answer` with the names of the trailers that will be behind it."""
    answer.headers.append(_ANNOUNCED)
    return answer


def trailers_of(pipe: Pipe, result: Result) -> Headers:
    """The guest's own trailers, and what its call cost."""
    metering = [pair for pair in metering_headers(result.usage) if pair[0] not in _TOLD_IN_HEAD]
    return _fields(pipe.trailers) + metering


def read_trailers(lines: bytes) -> Trailers:
    """What a client sent behind its body: whole lines, of checked fields."""
    pairs = (line.partition(b":") for line in lines.split(b"\r\n") if line)
    return tuple(
        (name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1"))
        for name, _, value in pairs
    )


def _fields(given: tuple[tuple[str, str], ...]) -> Headers:
    """Those that are the function's to set; what is no HTTP did not get through the host."""
    fields: Headers = []
    for name, value in given:
        try:
            found = field(name, value)
        except MalformedResponse:
            continue
        if found is not None:
            fields.append(found)
    return fields
