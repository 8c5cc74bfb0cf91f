"""Servers for fetches to reach: on loopback, raw enough to misbehave, with their own names."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# How a server learns that its client has gone; uvloop says it with a RuntimeError.
_GONE = (OSError, RuntimeError, asyncio.IncompleteReadError, asyncio.CancelledError)

TLS = Path(__file__).parent / "tls"


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Origin:
    """A running server: where it is, what it was asked, and how many of its connections ended."""

    port: int
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """By its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def grant(self) -> str:
        """What a function needs to reach it."""
        return f"fetch:127.0.0.1:{self.port}"


def answer(data: bytes) -> Respond:
    """Always the same bytes."""

    async def respond(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return respond


def message(
    status: str = "200 OK", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """A well-formed response."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found") -> Respond:
    """Always to the same place."""
    return answer(message(status, {"location": location}))


@asynccontextmanager
async def serve(
    respond: Respond, *, host: str = "127.0.0.1", tls: bool = False
) -> AsyncIterator[Origin]:
    """A server for as long as the block lasts; each connection serves one request."""
    origin = Origin(0)

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        origin.connections += 1
        with suppress(*_GONE):
            received = await _read_request(reader)
            origin.received.append(received)
            await respond(received, writer)
            await writer.drain()
            writer.write_eof() if writer.can_write_eof() else writer.close()
            await reader.read()
        writer.close()
        origin.closed.set()

    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "secure.test.pem", TLS / "secure.test.key")
    server = await asyncio.start_server(serve_one, host, 0, ssl=context)
    origin.port = server.sockets[0].getsockname()[1]
    async with server:
        yield origin


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) if ": " in line else (line, "") for line in lines)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body)


class TableResolver:
    """Names and their addresses, as a test has them; of a list of lists, each answers once."""

    def __init__(self, **names: Sequence[str] | Sequence[Sequence[str]]) -> None:
        self._names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """See Resolver."""
        self.asked.append(host)
        answers = self._names.get(host)
        if answers is None:
            raise OSError("no such name")
        if isinstance(answers[0], str):
            return [str(each) for each in answers]
        return answers.pop(0) if len(answers) > 1 else answers[0]
