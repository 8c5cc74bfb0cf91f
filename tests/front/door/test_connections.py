"""Connections at the door: large bodies, pipelines, peers that leave or dawdle, HTTP/2."""

import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.front.door.messages.message import get
from tests.front.door.messages.reader import read_answers
from tests.front.door.test_conformance import LAST, receive
from tests.front.wire import connect
from tests.running import Server
from tests.toolchain import build_guest
from tests.wat import HELLO, sleeper


@pytest.fixture(scope="module")
def host(shared_server: Server) -> Iterator[Server]:
    """A host with a good function and one that takes its time."""
    shared_server.deploy("hello", HELLO)
    shared_server.deploy("echo", build_guest("echo").read_bytes())
    shared_server.deploy("sleeper", sleeper(60), timeoutMs=60_000, concurrency=1)
    yield shared_server
    assert shared_server.process.poll() is None


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
        connection.sendall(get(b"/short") + get(b"/nobody") + LAST)
        answers = read_answers(receive(connection), ())
        assert [answer.status for answer in answers] == [200, 404, 200]


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


def test_a_proxy_is_believed_over_http2_too(tmp_path: Path, echo: bytes) -> None:
    """A policy's condition on the address is about the client, whatever the proxy speaks."""
    with Server(tmp_path / "data", settings={"trusted_proxies": "127.0.0.1"}) as server:
        server.deploy("echo", echo)
        for version in ("http1", "http2"):
            versions = {"http1": False, "http2": False, version: True}
            with httpx.Client(base_url=server.http_url, trust_env=False, **versions) as client:
                event = client.get("/echo", headers={"X-Forwarded-For": "192.0.2.7"}).json()
            assert event["requestContext"]["http"]["sourceIp"] == "192.0.2.7", version


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
