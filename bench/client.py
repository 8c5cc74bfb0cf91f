"""An HTTP/1.1 client small enough not to be what is measured: one connection, kept alive.

Neighbours: `generator.py`, and the benchmarks that time single requests.
Invariant: it reads answers that say their length, which is what edge sends; others are an error.
"""

import asyncio
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

ANSWER_TIMEOUT_S = 30

Address = tuple[str, int]


class Answer(NamedTuple):
    """Status, header fields by name in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes


def request_head(url: str, method: str = "GET", **fields: object) -> tuple[Address, bytes]:
    """Where to connect, and the bytes that ask for `url`."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    named = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"{method} {parts.path or '/'} HTTP/1.1\r\nhost: {parts.netloc}\r\n{named}\r\n"
    return (parts.hostname, parts.port), head.encode()


class Connection:
    """One connection, open inside its `async with` block; one request at a time."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read its whole answer."""
        self._writer.write(request)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").rstrip().split("\r\n")
            headers = {}
            for line in lines:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(first.split(" ")[1]), headers, body)
