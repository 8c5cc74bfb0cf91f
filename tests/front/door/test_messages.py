"""Raw messages at the door, and the exact answer and fate of the connection of each."""

import re
import socket
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.front.wire import connect
from tests.running import Server
from tests.toolchain import build_guest
from tests.wat import HELLO, sleeper

OPEN, CLOSED = "open", "closed"
HOST = b"Host: a\r\n"
BODY_MAX = 6 * 1024 * 1024


def get(path: bytes = b"/hello", fields: bytes = HOST, version: bytes = b"1.1") -> bytes:
    """A GET."""
    return b"GET " + path + b" HTTP/" + version + b"\r\n" + fields + b"\r\n"


def post(fields: bytes, body: bytes = b"", path: bytes = b"/hello") -> bytes:
    """A POST with a Host."""
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"

# name: (bytes, statuses, fate)
TABLE: dict[str, tuple[bytes, list[int], str]] = {
    "plain": (get(), [200], OPEN),
    "lower-case field names": (get(fields=b"host: a\r\n"), [200], OPEN),
    "empty line before": (b"\r\n" + get(), [200], OPEN),
    "head request": (b"HEAD /hello HTTP/1.1\r\n" + HOST + b"\r\n", [200], OPEN),
    "connection: close": (get(fields=HOST + b"Connection: close\r\n"), [200], CLOSED),
    "version 1.0": (get(version=b"1.0"), [200], CLOSED),
    "version 1.0 without host": (get(fields=b"", version=b"1.0"), [200], CLOSED),
    "version 1.0, keep-alive": (
        get(fields=HOST + b"Connection: keep-alive\r\n", version=b"1.0"),
        [200],
        OPEN,
    ),
    "pipelined": (get() * 3, [200, 200, 200], OPEN),
    "pipelined, the last closes": (
        get() + get(fields=HOST + b"Connection: close\r\n") + get(),
        [200, 200],
        CLOSED,
    ),
    "absolute target": (get(b"http://a/hello"), [200], OPEN),
    "length": (post(b"Content-Length: 3\r\n", b"abc"), [200], OPEN),
    "length 0": (post(b"Content-Length: 0\r\n"), [200], OPEN),
    "chunks": (post(CHUNKED, b"3\r\nabc\r\n0\r\n\r\n"), [200], OPEN),
    "chunks with trailer": (post(CHUNKED, b"1\r\na\r\n0\r\nX: y\r\n\r\n"), [200], OPEN),
    "coding in capitals": (
        post(b"Transfer-Encoding: Chunked\r\n", b"0\r\n\r\n"),
        [200],
        OPEN,
    ),
    "expects 100": (
        post(b"Content-Length: 1\r\nExpect: 100-continue\r\n", b"a"),
        [200],
        OPEN,
    ),
    "unknown upgrade": (
        get(fields=HOST + b"Connection: Upgrade\r\nUpgrade: tea\r\n"),
        [200],
        OPEN,
    ),
    "unknown function": (get(b"/nobody"), [404], OPEN),
    "no function": (get(b"/"), [404], OPEN),
    "body for an unknown function": (
        post(b"Content-Length: 9\r\n", b"", b"/nobody"),
        [404],
        CLOSED,
    ),
    "no host": (get(fields=b""), [400], CLOSED),
    "two hosts": (get(fields=HOST * 2), [400], CLOSED),
    "two lengths": (post(b"Content-Length: 1\r\nContent-Length: 1\r\n", b"a"), [400], CLOSED),
    "lengths in a list": (post(b"Content-Length: 1, 1\r\n", b"a"), [400], CLOSED),
    "negative length": (post(b"Content-Length: -1\r\n", b"a"), [400], CLOSED),
    "signed length": (post(b"Content-Length: +1\r\n", b"a"), [400], CLOSED),
    "hexadecimal length": (post(b"Content-Length: 0x1\r\n", b"a"), [400], CLOSED),
    "empty length": (post(b"Content-Length:\r\n", b""), [400], CLOSED),
    "huge length": (post(b"Content-Length: 99999999999999999999999\r\n"), [400], CLOSED),
    "length over the limit": (
        post(b"Content-Length: %d\r\n" % (BODY_MAX + 1)),
        [413],
        CLOSED,
    ),
    "length and chunks": (
        post(b"Content-Length: 1\r\n" + CHUNKED, b"0\r\n\r\n"),
        [400],
        CLOSED,
    ),
    "chunks and length": (
        post(CHUNKED + b"Content-Length: 1\r\n", b"0\r\n\r\n"),
        [400],
        CLOSED,
    ),
    "coding twice": (post(CHUNKED * 2, b"0\r\n\r\n"), [400], CLOSED),
    "unknown coding": (post(b"Transfer-Encoding: zebra\r\n", b""), [501], CLOSED),
    "gzip, chunked": (
        post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
        [501],
        CLOSED,
    ),
    "identity coding": (post(b"Transfer-Encoding: identity\r\n"), [501], CLOSED),
    "chunks in 1.0": (
        b"POST /hello HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
        [400],
        CLOSED,
    ),
    "bad chunk size": (post(CHUNKED, b"x\r\n"), [400], CLOSED),
    "negative chunk size": (post(CHUNKED, b"-1\r\n"), [400], CLOSED),
    "prefixed chunk size": (post(CHUNKED, b"0x1\r\na\r\n0\r\n\r\n"), [400], CLOSED),
    "chunk longer than told": (post(CHUNKED, b"1\r\nab\r\n0\r\n\r\n"), [400], CLOSED),
    "chunk size overflows": (post(CHUNKED, b"f" * 20 + b"\r\n"), [400], CLOSED),
    "bare line feeds": (b"GET /hello HTTP/1.1\nHost: a\n\n", [400], CLOSED),
    "folded field": (get(fields=HOST + b"X: a\r\n b\r\n"), [400], CLOSED),
    "space before colon": (get(fields=b"Host : a\r\n"), [400], CLOSED),
    "space in a name": (get(fields=HOST + b"X Y: a\r\n"), [400], CLOSED),
    "no name": (get(fields=HOST + b": a\r\n"), [400], CLOSED),
    "zero in a value": (get(fields=HOST + b"X: a\0b\r\n"), [400], CLOSED),
    "carriage return in a value": (get(fields=HOST + b"X: a\rb\r\n"), [400], CLOSED),
    "control in a value": (get(fields=HOST + b"X: a\x01b\r\n"), [400], CLOSED),
    "zero in the target": (get(b"/hel\0lo"), [400], CLOSED),
    "space in the target": (get(b"/hel lo"), [400], CLOSED),
    "unknown version": (get(version=b"1.2"), [505], CLOSED),
    "version 2 in text": (get(version=b"2.0"), [505], CLOSED),
    "unknown method": (b"BREW /hello HTTP/1.1\r\n" + HOST + b"\r\n", [501], CLOSED),
    "rubbish": (b"\x16\x03\x01\x02\x00\x01\x00\x01", [400], CLOSED),
    "unknown expectation": (post(b"Expect: tea\r\n"), [417], CLOSED),
    "long target": (get(b"/hello/" + b"a" * 9000), [414], CLOSED),
    "many fields": (get(fields=HOST + b"X: y\r\n" * 200), [431], CLOSED),
    "long field": (get(fields=HOST + b"X: " + b"y" * 40_000 + b"\r\n"), [431], CLOSED),
    "good, then bad": (get() + b"rubbish\r\n\r\n", [200, 400], CLOSED),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", [204], OPEN),
}


@pytest.fixture(scope="module")
def host(shared_server: Server) -> Iterator[Server]:
    """A host with a good function and one that takes its time."""
    shared_server.deploy("hello", HELLO)
    shared_server.deploy("echo", build_guest("echo").read_bytes())
    shared_server.deploy("sleeper", sleeper(60), timeoutMs=60_000, concurrency=1)
    yield shared_server
    assert shared_server.process.poll() is None


def answers(connection: socket.socket, expected: int) -> tuple[list[int], str]:
    """The statuses that came, and whether the connection was closed behind them."""
    data, fate = b"", OPEN
    connection.settimeout(0.25)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            if len(re.findall(rb"HTTP/1\.1 [2-5]", data)) >= expected:
                break
            continue
        if not piece:
            fate = CLOSED
            break
        data += piece
    # An interim answer depends on whether the body came with the head: a server may leave it out.
    heads = re.findall(rb"HTTP/1\.1 ([2-5]\d\d) ", data)
    return [int(status) for status in heads], fate


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("split", [0, 1, 7], ids=["whole", "bytewise", "in sevens"])
def test_message(host: Server, name: str, split: int) -> None:
    """However the bytes are split, the answer and the connection's fate are the same."""
    data, statuses, fate = TABLE[name]
    if split and len(data) > 2_000:
        split = 997
    with closing(connect(host.http_url)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for at in range(0, len(data), split or len(data)):
                connection.sendall(data[at : at + (split or len(data))])
        except (BrokenPipeError, ConnectionResetError):
            assert fate == CLOSED
        assert answers(connection, len(statuses)) == (statuses, fate)


def test_large_bodies_both_ways(host: Server) -> None:
    """Megabytes go in and come back, byte for byte."""
    body = bytes(range(256)) * (4 * 1024 * 1024 // 256)
    response = host.http.post("/echo", content=body)
    assert response.status_code == 200
    assert b64decode(response.json()["body"]) == body


def test_what_was_pipelined_waits_for_its_turn(host: Server) -> None:
    """Answers come in the order of the requests, also behind one that takes its time."""
    host.deploy("short", sleeper(0.3))
    with closing(connect(host.http_url)) as connection:
        connection.sendall(get(b"/short") + get(b"/nobody") + get())
        assert answers(connection, 3) == ([200, 404, 200], OPEN)


def test_a_peer_that_leaves_ends_its_guest(host: Server) -> None:
    """The function's only place is free again at once."""
    with closing(connect(host.http_url)) as connection:
        connection.sendall(get(b"/sleeper"))
        time.sleep(0.3)
        assert host.http.get("/sleeper").status_code == 429
    deadline = time.monotonic() + 5
    host.deploy("sleeper", sleeper(0.1), concurrency=1)
    while host.http.get("/sleeper").status_code == 429 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert host.http.get("/sleeper").status_code == 200


def test_slow_heads_are_closed_and_harm_nobody(host: Server) -> None:
    """A hundred peers that never finish their head are told so, and others are served."""
    slow = [connect(host.http_url) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(b"GET /hello HTTP/1.1\r\nX: ")
        assert host.http.get("/hello").text == "hello"
        for connection in slow:
            connection.settimeout(20)
            assert connection.recv(64).startswith(b"HTTP/1.1 408")
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize("door", ["edge", "hypercorn"])
def test_http2_is_handed_over(tmp_path_factory: pytest.TempPathFactory, door: str) -> None:
    """A client that begins with HTTP/2's preface is served by Hypercorn, behind either door."""
    import h2.config
    import h2.connection
    import h2.events

    data = tmp_path_factory.mktemp(door) / "data"
    with Server(data, settings={"door": door}) as server:
        server.deploy("hello", HELLO)
        with closing(connect(server.http_url)) as connection:
            config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
            client = h2.connection.H2Connection(config)
            client.initiate_connection()
            head = [(":method", "GET"), (":path", "/hello"), (":scheme", "http")]
            client.send_headers(1, [*head, (":authority", "a")], end_stream=True)
            connection.sendall(client.data_to_send())
            connection.settimeout(10)
            status, body, ended = "", b"", False
            while not ended:
                for event in client.receive_data(connection.recv(65536)):
                    if isinstance(event, h2.events.ResponseReceived):
                        status = dict(event.headers)[":status"]
                    elif isinstance(event, h2.events.DataReceived):
                        body += event.data
                    elif isinstance(event, h2.events.StreamEnded):
                        ended = True
                connection.sendall(client.data_to_send())
        assert (status, body) == ("200", b"hello")
