"""Fetch as a guest uses it: what is sent, what comes back, and how long and large it may be."""

import asyncio
import gzip
import socket
import ssl
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.host.calls import HostCalls
from edge.host.fetch.calls import FetchCalls
from edge.host.fetch.fetcher import Fetcher, FetchLimits
from edge.host.fetch.network import Resolver, SystemResolver
from edge.model import cbor
from tests.host.guest import call, code_of, make_session
from tests.host.origin import TLS, Received, TableResolver, answer, message, serve

ONE_BYTE_CHUNKS = 20_000


def fetching(limits: FetchLimits | None = None, *, resolver: Resolver | None = None) -> HostCalls:
    """Host calls that can fetch, and trust the tests' own certificate."""
    tls = ssl.create_default_context(cafile=TLS / "secure.test.pem")
    fetcher = Fetcher(limits, resolver=resolver, tls=tls)
    return HostCalls(FetchCalls(fetcher).operations)


@pytest.fixture
def calls() -> HostCalls:
    """With the machine's resolver and the default limits."""
    return fetching()


# What is sent and what comes back


async def test_a_get_brings_status_headers_and_body(calls: HostCalls) -> None:
    """Repeated headers are joined, cookies by lines since they hold commas."""
    head = b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
    async with serve(answer(head + b"connection: close\r\n\r\n\x00binary\xff")) as origin:
        got = await call(
            calls, make_session(origin.grant), op="fetch", url=f"{origin.url}/p?q=%20#f"
        )
    assert got["ok"] == {
        "status": 404,
        "headers": {"x-a": "1, 2", "set-cookie": "a=1\nb=2"},
        "body": b"\x00binary\xff",
        "url": f"{origin.url}/p?q=%20",
    }
    received = origin.received[0]
    assert (received.method, received.path, received.body) == ("GET", "/p?q=%20", b"")
    assert received.headers["host"] == f"127.0.0.1:{origin.port}"
    assert received.headers["connection"] == "close"
    assert received.headers["accept-encoding"] == "identity"
    assert "content-length" not in received.headers


@pytest.mark.parametrize("body", [b"\x00bytes\xff", "text é", b"", None])
async def test_a_post_sends_its_body_and_headers(calls: HostCalls, body: Any) -> None:
    """The length is the host's to say."""
    async with serve(answer(message())) as origin:
        got = await call(
            calls,
            make_session(origin.grant),
            op="fetch",
            url=origin.url,
            method="post",
            headers={"Content-Type": "text/x", "User-Agent": "mine", "X-V": " a\tb "},
            body=body,
        )
    assert got["ok"]["status"] == 200
    received = origin.received[0]
    sent = body.encode() if isinstance(body, str) else body or b""
    assert (received.method, received.path, received.body) == ("POST", "/", sent)
    assert received.headers["content-length"] == str(len(sent))
    assert received.headers["content-type"] == "text/x"
    assert received.headers["user-agent"] == "mine"
    assert received.headers["x-v"] == "a\tb"


async def test_a_head_and_an_empty_answer_have_no_body(calls: HostCalls) -> None:
    """Whatever length a header claims."""
    async with serve(answer(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n")) as origin:
        session = make_session(origin.grant)
        got = await call(calls, session, op="fetch", url=origin.url, method="HEAD")
    assert (got["ok"]["status"], got["ok"]["body"]) == (200, b"")
    async with serve(answer(b"HTTP/1.1 204 No Content\r\n\r\n")) as origin:
        got = await call(calls, make_session(origin.grant), op="fetch", url=origin.url)
    assert (got["ok"]["status"], got["ok"]["body"]) == (204, b"")


async def test_nothing_is_kept_between_fetches(calls: HostCalls) -> None:
    """No cookie comes back to the server, and each fetch has a connection of its own."""
    async with serve(answer(message(headers={"set-cookie": "id=1; Path=/"}))) as origin:
        for _ in range(2):
            await call(calls, make_session(origin.grant), op="fetch", url=origin.url)
    assert origin.connections == 2
    assert "cookie" not in origin.received[1].headers


async def test_a_compressed_body_stays_compressed(calls: HostCalls) -> None:
    """So a bomb is never larger than what was sent."""
    bomb = gzip.compress(bytes(50 << 20))
    async with serve(answer(message(headers={"content-encoding": "gzip"}, body=bomb))) as origin:
        got = await call(calls, make_session(origin.grant), op="fetch", url=origin.url)
    assert got["ok"]["body"] == bomb
    assert got["ok"]["headers"]["content-encoding"] == "gzip"


# What may not be asked


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("invalid_request", {}),
        ("invalid_request", {"url": ""}),
        ("invalid_request", {"url": "/path"}),
        ("invalid_request", {"url": "//h/path"}),
        ("invalid_request", {"url": "ftp://h/"}),
        ("invalid_request", {"url": "file:///etc/passwd"}),
        ("invalid_request", {"url": "unix:///socket"}),
        ("invalid_request", {"url": "http://"}),
        ("invalid_request", {"url": "http:///path"}),
        ("invalid_request", {"url": "http://h:0/"}),
        ("invalid_request", {"url": "http://h:65536/"}),
        ("invalid_request", {"url": "http://h:80:80/"}),
        ("invalid_request", {"url": "http://user:password@h/"}),
        ("invalid_request", {"url": "http://h\\@other/"}),
        ("invalid_request", {"url": "http://h/\r\nX: y"}),
        ("invalid_request", {"url": "http://h ost/"}),
        ("invalid_request", {"url": "http://h%2eost/"}),
        ("invalid_request", {"url": "http://127.1/"}),
        ("invalid_request", {"url": "http://2130706433/"}),
        ("invalid_request", {"url": "http://0x7f.0.0.1/"}),
        ("invalid_request", {"url": "http://[fe80::1%25lo]/"}),
        ("invalid_request", {"url": "http://①②⑦.0.0.1/"}),
        ("too_large", {"url": "http://h/" + "x" * 9_000}),
        ("invalid_request", {"url": "http://h/", "method": "CONNECT"}),
        ("invalid_request", {"url": "http://h/", "method": "GET / HTTP/1.1\r\nX:"}),
        ("invalid_request", {"url": "http://h/", "method": ""}),
        ("invalid_request", {"url": "http://h/", "headers": {"host": "other"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"Content-Length": "5"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"transfer-encoding": "chunked"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"Connection": "upgrade"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"proxy-authorization": "x"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"x": "a\r\nhost: other"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"x": "a\nb"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"x": "a\0b"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"x": "☃"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"x y": "a"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"": "a"}}),
        ("invalid_request", {"url": "http://h/", "headers": {"x": 1}}),
        ("invalid_request", {"url": "http://h/", "headers": ["x"]}),
        ("too_large", {"url": "http://h/", "headers": {f"x{n}": "a" for n in range(65)}}),
        ("too_large", {"url": "http://h/", "headers": {"x": "a" * 20_000}}),
        ("invalid_request", {"url": "http://h/", "body": 1}),
        ("too_large", {"url": "http://h/", "body": bytes((6 << 20) + 1)}),
        ("invalid_request", {"url": "http://h/", "timeoutMs": 0}),
        ("invalid_request", {"url": "http://h/", "redirect": "manual"}),
    ],
)
async def test_a_request_that_lies_is_refused(
    calls: HostCalls, code: str, request_: dict[str, Any]
) -> None:
    """Before anything is resolved or opened."""
    assert await code_of(calls, make_session("fetch:*", "fetch:h"), op="fetch", **request_) == code


@given(st.text(max_size=30), st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3))
@settings(deadline=None)
def test_any_url_and_headers_are_sent_safely_or_refused(url: str, headers: dict[str, str]) -> None:
    """Nothing a guest writes into them raises, or reaches the network unchecked."""
    calls = fetching(resolver=TableResolver())
    for text in (url, f"http://{url}", f"http://h/{url}"):
        code = asyncio.run(
            code_of(calls, make_session("fetch:*"), op="fetch", url=text, headers=headers)
        )
        assert code in ("invalid_request", "unreachable", "denied")


# What a server may do


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000 + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    ],
)
async def test_a_malformed_answer_is_unreachable(calls: HostCalls, response: bytes) -> None:
    """The guest learns that it got none; the host is not troubled."""
    async with serve(answer(response)) as origin:
        code = await code_of(calls, make_session(origin.grant), op="fetch", url=origin.url)
    assert code == "unreachable"


@given(st.binary(max_size=100), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 "]))
@settings(max_examples=40, deadline=None)
def test_any_answer_ends_the_fetch(data: bytes, head: bytes) -> None:
    """With an answer or an error code."""

    async def run() -> Any:
        async with serve(answer(head + data)) as origin:
            session = make_session(origin.grant)
            return await call(fetching(), session, op="fetch", url=origin.url, timeoutMs=2_000)

    got = asyncio.run(run())
    assert "ok" in got or got["error"]["code"] in ("unreachable", "denied", "timeout")


async def stall(_received: Received, _writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.sleep(60)


async def drip(_received: Received, writer: asyncio.StreamWriter) -> None:
    """Answers a byte at a time, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.005)


async def flood(_received: Received, writer: asyncio.StreamWriter) -> None:
    """Answers without end, as fast as it can."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(bytes(100_000))
        await writer.drain()


@pytest.mark.parametrize("respond", [stall, drip])
@pytest.mark.parametrize("limited_by", ["request", "deadline"])
async def test_a_slow_server_meets_the_time_limit(
    calls: HostCalls, respond: Any, limited_by: str
) -> None:
    """The request's own or the invocation's, whichever is sooner; the connection is closed."""
    async with serve(respond) as origin:
        session = make_session(origin.grant, timeout_ms=50 if limited_by == "deadline" else 10_000)
        timeout = {"timeoutMs": 50} if limited_by == "request" else {}
        assert await code_of(calls, session, op="fetch", url=origin.url, **timeout) == "timeout"
        if respond is drip:
            async with asyncio.timeout(10):
                await origin.closed.wait()


async def test_a_resolver_that_hangs_meets_the_time_limit() -> None:
    """Names are resolved within the same limit."""

    class Hanging:
        async def resolve(self, host: str, port: int) -> list[str]:
            await asyncio.sleep(60)
            return []

    session = make_session("fetch:*")
    request = {"op": "fetch", "url": "http://slow.test", "timeoutMs": 30}
    assert await code_of(fetching(resolver=Hanging()), session, **request) == "timeout"


async def test_an_answer_without_end_is_cut_off(calls: HostCalls) -> None:
    """At the limit, and its connection closed."""
    async with serve(flood) as origin:
        code = await code_of(calls, make_session(origin.grant), op="fetch", url=origin.url)
        assert code == "too_large"
        async with asyncio.timeout(10):
            await origin.closed.wait()


async def test_the_largest_answer_passes() -> None:
    """The limit is inclusive."""
    calls = fetching(FetchLimits(response_bytes_max=1_000))
    for size, passes in ((1_000, True), (1_001, False)):
        async with serve(answer(message(body=bytes(size)))) as origin:
            got = await call(calls, make_session(origin.grant), op="fetch", url=origin.url)
        assert ("ok" in got) is passes


async def test_tiny_chunks_do_not_hold_up_the_loop(calls: HostCalls) -> None:
    """A server that sends a byte a chunk, thousands in a packet, leaves others their turns."""
    chunks = b"1\r\nx\r\n" * ONE_BYTE_CHUNKS + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with serve(answer(head + chunks)) as origin:
        counting = asyncio.create_task(count_turns())
        got = await call(calls, make_session(origin.grant), op="fetch", url=origin.url)
        counting.cancel()
    assert got["ok"]["body"] == b"x" * ONE_BYTE_CHUNKS
    assert turns > ONE_BYTE_CHUNKS / 100


# Bounds of the process


async def test_fetches_at_once_are_bounded() -> None:
    """For a function and for the process; a fetch that ended makes room."""
    calls = fetching(FetchLimits(fetches_max=2, function_fetches_max=1))
    async with serve(stall) as slow, serve(answer(message())) as quick:
        grants = (slow.grant, quick.grant)
        waiting = []
        for name in ("first", "second"):
            session = make_session(*grants)
            session.function = name
            waiting.append(asyncio.create_task(call(calls, session, op="fetch", url=slow.url)))
            await asyncio.sleep(0.01)
            assert await code_of(calls, session, op="fetch", url=quick.url) == "unavailable"
        third = make_session(*grants)
        assert await code_of(calls, third, op="fetch", url=quick.url) == "unavailable"
        waiting[0].cancel()
        await asyncio.gather(*waiting[:1], return_exceptions=True)
        assert "ok" in await call(calls, third, op="fetch", url=quick.url)
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_cancelled_fetch_closes_its_connection() -> None:
    """The client went away, or the deadline came: nothing is left open or counted."""
    calls = fetching(FetchLimits(fetches_max=1))
    async with serve(drip) as origin:
        session = make_session(origin.grant)
        for _ in range(3):
            origin.closed.clear()
            request = cbor.encode({"op": "fetch", "url": origin.url})
            task = asyncio.ensure_future(calls.begin(session, request))  # type: ignore[arg-type]
            async with asyncio.timeout(10):
                before = len(origin.received)
                while len(origin.received) == before:
                    await asyncio.sleep(0.001)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert task.cancelled()
                await origin.closed.wait()


async def test_the_machines_resolver_finds_addresses() -> None:
    """Literal ones, all it knows."""
    addresses = await SystemResolver().resolve("localhost", 80)
    assert set(addresses) <= {"127.0.0.1", "::1"}
    assert addresses
    with pytest.raises(socket.gaierror):
        await SystemResolver().resolve("no-such-name.invalid", 80)
