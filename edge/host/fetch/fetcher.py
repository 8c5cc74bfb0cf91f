"""Outbound HTTP: each request on a connection of its own, each hop checked against the grants.

httpcore is used below httpx's client on purpose. There is then no cookie jar, no proxy from the
environment, no redirect that we did not follow ourselves, and no decompression: a body reaches
the guest as it was sent, so a compression bomb stays as small as it came. And no connection is
kept alive: one that another function used could carry its state (an authenticated session, half a
response), and a handshake is a fair price for ruling that out.

Neighbours: `calls.py` asks; `network.py` opens the connections.
Invariant: whatever the server does, a fetch ends in time, within its bounds, its socket closed.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import cast

import h11
import httpcore
import httpx

from edge import __version__
from edge.host.answers import CallError, Code
from edge.host.fetch.exchange import (
    CHUNKS_PER_TURN,
    HOP_BY_HOP,
    WITH_BODY,
    Exchange,
    Patience,
    StreamedAnswer,
    StreamedRequest,
)
from edge.host.fetch.network import GrantedNetwork, Resolver, SystemResolver
from edge.host.fetch.redirects import REDIRECTS_MAX, redirected
from edge.host.fetch.request import FetchRequest, Headers, Target
from edge.host.grants import GrantSet
from edge.model.limits import MIB

_FAILURES = (
    TimeoutError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    h11.ProtocolError,
    ssl.SSLError,
)
_DEFAULTS = (
    ("accept", "*/*"),
    ("accept-encoding", "identity"),
    ("user-agent", f"edge/{__version__}"),
)


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How many fetches may run at once in this process and for one function; how large a body."""

    fetches_max: int = 128
    function_fetches_max: int = 32
    response_bytes_max: int = 6 * MIB


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer. `url` is where redirects ended."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


class Fetcher:
    """Makes requests for guests. Lives as long as the process; holds no connection between them."""

    def __init__(
        self,
        limits: FetchLimits | None = None,
        *,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or FetchLimits()
        self._resolver = resolver or SystemResolver()
        self._tls = tls or httpx.create_ssl_context(trust_env=False)
        self._running: Counter[str] = Counter()

    async def fetch(
        self, function: str, grants: GrantSet, request: FetchRequest, timeout_s: float
    ) -> Fetched:
        """The answer to a request, redirects followed.

        Raises CallError: denied, too_large, timeout, unreachable, or unavailable when too many
        run already.
        """
        with self._counted(function):
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._follow(grants, request)
            except _FAILURES as error:
                raise _told(error, request.target) from None

    async def stream(
        self,
        function: str,
        grants: GrantSet,
        request: StreamedRequest,
        answer: StreamedAnswer,
        patience: Patience,
    ) -> None:
        """One exchange whose bodies are passed on as they come; no redirect is followed.

        Whatever goes wrong is told by the answer, for the reasons of `fetch`.
        """
        try:
            with self._counted(function):
                check_grant(grants, request.target)
                async with asyncio.timeout(patience.total_s):
                    await self._stream(grants, request, answer, patience)
        except CallError as error:
            answer.fail(error)
        except _FAILURES as error:
            answer.fail(_told(error, request.target))
        except BaseException:
            answer.fail(CallError(Code.UNAVAILABLE, "the fetch was given up"))
            raise

    async def _stream(
        self,
        grants: GrantSet,
        request: StreamedRequest,
        answer: StreamedAnswer,
        patience: Patience,
    ) -> None:
        target = request.target
        network = GrantedNetwork(grants, self._resolver)
        try:
            async with asyncio.timeout(patience.connect_s):
                wire = await network.connect_tcp(target.host, target.port)
                if target.scheme == "https":
                    wire = await wire.start_tls(self._tls, target.host)
            exchange = Exchange(wire, request, answer, patience)
            await exchange.run(_head_to_send(target, request.headers))
        finally:
            await network.aclose()

    @contextmanager
    def _counted(self, function: str) -> Iterator[None]:
        running, limits = self._running, self._limits
        if (
            running.total() >= limits.fetches_max
            or running[function] >= limits.function_fetches_max
        ):
            raise CallError(Code.UNAVAILABLE, "too many fetches run at once; try again later")
        running[function] += 1
        try:
            yield
        finally:
            running[function] -= 1
            if not running[function]:
                del running[function]

    async def _follow(self, grants: GrantSet, request: FetchRequest) -> Fetched:
        for _ in range(REDIRECTS_MAX + 1):
            check_grant(grants, request.target)
            fetched = await self._exchange(grants, request)
            following = redirected(request, fetched.status, fetched.headers.get("location"))
            if following is None:
                return fetched
            request = following
        raise CallError(Code.UNREACHABLE, f"more than {REDIRECTS_MAX} redirects")

    async def _exchange(self, grants: GrantSet, request: FetchRequest) -> Fetched:
        """One request and its response, on a connection that is closed afterwards."""
        target = request.target
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path,
        )
        network = GrantedNetwork(grants, self._resolver)
        connection = httpcore.AsyncHTTPConnection(
            httpcore.Origin(url.scheme, url.host, target.port),
            ssl_context=self._tls,
            network_backend=network,
        )
        message = httpcore.Request(
            request.method, url, headers=_headers_to_send(request), content=request.body
        )
        try:
            response = await connection.handle_async_request(message)
            async with aclosing(_chunks(response)) as chunks:
                body = await self._read_body(chunks)
            return Fetched(response.status, _headers_received(response.headers), body, str(target))
        finally:
            await network.aclose()

    async def _read_body(self, chunks: AsyncIterator[bytes]) -> bytes:
        body, count = bytearray(), 0
        async for chunk in chunks:
            body += chunk
            count += 1
            if not count % CHUNKS_PER_TURN:
                await asyncio.sleep(0)  # a server may send thousands of tiny ones in one packet
            if len(body) > self._limits.response_bytes_max:
                raise CallError(
                    Code.TOO_LARGE,
                    f"the response is over {self._limits.response_bytes_max} bytes",
                )
        return bytes(body)


def _chunks(response: httpcore.Response) -> AsyncGenerator[bytes, None]:
    """The body as it arrives; a generator, to be closed when the rest is not wanted."""
    return cast(AsyncGenerator[bytes, None], aiter(cast(AsyncIterable[bytes], response.stream)))


def check_grant(grants: GrantSet, target: Target) -> None:
    """Raises CallError(denied), which names the grant that is missing."""
    if not grants.allows_fetch(target.host, target.port):
        host = f"[{target.host}]" if ":" in target.host else target.host
        raise CallError(Code.DENIED, f"the function was not granted fetch:{host}:{target.port}")


def _told(error: Exception, target: Target) -> CallError:
    """What a guest is told of a failure on the way."""
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return CallError(Code.TIMEOUT, "the fetch took longer than it may")
    return CallError(Code.UNREACHABLE, f"{target.authority}: {error or type(error).__name__}")


def _head_to_send(target: Target, headers: Headers) -> Headers:
    """The fields of a request, but for those of its body."""
    given = {name for name, _ in headers}
    return (
        ("host", target.authority),
        *headers,
        *(pair for pair in _DEFAULTS if pair[0] not in given),
        ("connection", "close"),
    )


def _headers_to_send(request: FetchRequest) -> list[tuple[bytes, bytes]]:
    headers = _head_to_send(request.target, request.headers)
    if request.body or request.method in WITH_BODY:
        headers = (*headers, ("content-length", str(len(request.body))))
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]


def _headers_received(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """By name in lower case; repeated ones joined by commas, set-cookie by newlines."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
        if name in HOP_BY_HOP:
            continue
        if name in joined:
            value = joined[name] + ("\n" if name == "set-cookie" else ", ") + value
        joined[name] = value
    return joined
