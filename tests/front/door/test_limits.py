"""How much of its bytes, connections and time a peer may take, over HTTP/1.1; others are served."""

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from edge.meter.journal import read_records
from edge.model.outcome import Outcome
from tests.front.door.http2.peer import Peer
from tests.front.door.messages.message import HOST, get, post
from tests.front.door.messages.reader import Read, read_answers
from tests.front.door.test_conformance import receive
from tests.front.wire import connect, is_closed
from tests.running import Server
from tests.supervise.hosts import await_running
from tests.toolchain import build_guest
from tests.wat import HELLO, large, sleeper

IN_ALL, OF_ADDRESS, REQUESTS = 24, 10, 5
STALL_S = 2


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host of narrow limits and little patience."""
    settings = {
        "connections_max": IN_ALL,
        "connections_per_address_max": OF_ADDRESS,
        "requests_per_connection_max": REQUESTS,
        "bodies_bytes_max": 2 << 20,
        "head_timeout_s": STALL_S,
        "body_stall_s": STALL_S,
        "idle_timeout_s": STALL_S,
        "write_stall_s": STALL_S,
    }
    with Server(tmp_path_factory.mktemp("limits") / "data", settings=settings) as server:
        server.deploy("hello", HELLO)
        server.deploy("echo", build_guest("echo").read_bytes())
        server.deploy("large", large(5 << 20))
        server.deploy("sleeper", sleeper(60), timeoutMs=60_000, concurrency=1)
        server.http.close()
        yield server
        assert server.process.poll() is None
        assert "Traceback" not in server.stderr_path.read_text()


def connect_from(host: Server, address: str) -> socket.socket:
    """A connection from one of this machine's loopback addresses."""
    parts = urlsplit(host.http_url)
    assert parts.hostname is not None
    assert parts.port is not None
    return socket.create_connection((parts.hostname, parts.port), 20, (address, 0))


def only(data: bytes) -> Read:
    """The one answer that there is."""
    (answer,) = read_answers(data, ())
    return answer


def hello(host: Server) -> int:
    """The status of a request on a connection of its own, from an address of its own."""
    with closing(connect_from(host, "127.0.0.99")) as connection:
        connection.sendall(get(b"/hello", HOST + b"Connection: close\r\n"))
        return only(receive(connection)).status


def test_connections_of_an_address(host: Server) -> None:
    """One too many is told so, HTTP/2 ones counted; another address may come, and who has room."""
    with ExitStack() as stack:
        first = [
            stack.enter_context(closing(connect_from(host, "127.0.0.2")))
            for _ in range(OF_ADDRESS - 1)
        ]
        peer = stack.enter_context(Peer(host.http_url, connect_from(host, "127.0.0.2")))
        peer.start()
        peer.await_quiet()
        with closing(connect_from(host, "127.0.0.2")) as connection:
            answer = only(receive(connection))
            assert (answer.told, answer.fields[b"retry-after"]) == ("503 overloaded", b"1")
        assert hello(host) == 200
        peer.sock.close()
        first[0].close()
        time.sleep(0.2)
        with closing(connect_from(host, "127.0.0.2")) as connection:
            connection.sendall(get(b"/hello", HOST + b"Connection: close\r\n"))
            assert only(receive(connection)).status == 200


def test_connections_in_all(host: Server) -> None:
    """One too many is told so; the control plane and its health have their own."""
    with ExitStack() as stack:
        for number in range(IN_ALL):
            address = f"127.0.1.{number // 8 + 1}"
            stack.enter_context(closing(connect_from(host, address)))
        time.sleep(0.2)
        assert hello(host) == 503
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"{host.control_url}/healthz").status_code == 200
            assert client.get(f"{host.control_url}/v1/functions").status_code == 200
    time.sleep(0.2)
    assert hello(host) == 200


def test_requests_of_a_connection(host: Server) -> None:
    """The last that it may send is answered with the news that it was."""
    with closing(connect(host.http_url)) as connection:
        connection.sendall(get() * (REQUESTS + 2))
        answers = list(read_answers(receive(connection), ()))
        assert [answer.status for answer in answers] == [200] * REQUESTS
        assert [answer.fields.get(b"connection") for answer in answers[-2:]] == [None, b"close"]


@pytest.mark.parametrize("body", [b"Content-Length: 100\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_that_stalls_is_408(host: Server, body: bytes) -> None:
    """Silence in the middle."""
    with closing(connect(host.http_url)) as connection:
        connection.sendall(post(body, b"5\r\nhello\r\n", b"/echo"))
        assert only(receive(connection)).told == "408 request_timeout"


def test_a_body_that_drips_is_408(host: Server) -> None:
    """Bytes buy time at the lowest rate only, however often they come."""
    with closing(connect(host.http_url)) as connection:
        connection.sendall(post(b"Content-Length: 10000\r\n", b"", b"/echo"))
        began = time.monotonic()
        connection.settimeout(0.1)
        answer = b""
        while not answer:
            assert time.monotonic() - began < 20 * STALL_S
            connection.sendall(b"x")
            try:
                answer = connection.recv(65_536)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_each_message_has_its_own_time(host: Server) -> None:
    """Several slow ones, each in time: together they may take longer than one."""
    with closing(connect(host.http_url)) as connection:
        for _ in range(3):
            message = post(b"Content-Length: 4\r\n", b"body", b"/echo")
            connection.sendall(message[:10])
            time.sleep(0.6)
            connection.sendall(message[10:-2])
            time.sleep(0.6)
            connection.sendall(message[-2:])
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_who_asks_for_nothing_is_closed(host: Server) -> None:
    """Before a first request and between two, without a word."""
    with closing(connect(host.http_url)) as fresh, closing(connect(host.http_url)) as used:
        used.sendall(get())
        assert used.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert is_closed(fresh)
        assert is_closed(used)


def test_who_does_not_read_is_cut_off(host: Server) -> None:
    """An answer of megabytes is not kept for a peer that takes none of it."""
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", urlsplit(host.http_url).port))
        connection.sendall(get(b"/large") * REQUESTS)
        ended = select.poll()
        ended.register(connection, 0)  # tells errors only
        until = time.monotonic() + 20 * STALL_S
        while not ended.poll(100):
            assert time.monotonic() < until
            assert hello(host) == 200


def test_who_reads_slowly_has_all_of_it(host: Server) -> None:
    """More than the lowest rate is enough, however long it takes."""
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", urlsplit(host.http_url).port))
        connection.sendall(get(b"/large", HOST + b"Connection: close\r\n"))
        data = bytearray()
        until = time.monotonic() + 3 * STALL_S
        while time.monotonic() < until:
            data += connection.recv(4_096)
            time.sleep(0.05)
        data += receive(connection)
        assert len(data.partition(b"\r\n\r\n")[2]) == 5 << 20


def test_bodies_share_their_room(host: Server) -> None:
    """Beyond it: 503 with Retry-After; what was held is given back."""
    large_body = post(b"Content-Length: 1500000\r\n", bytes(1_000_000), b"/echo")
    with closing(connect(host.http_url)) as first, closing(connect(host.http_url)) as second:
        first.sendall(large_body)
        time.sleep(0.2)
        second.sendall(large_body)
        answer = only(receive(second))
        assert (answer.told, answer.fields[b"retry-after"]) == ("503 overloaded", b"1")
        first.sendall(bytes(500_000))
        assert first.recv(65_536).startswith(b"HTTP/1.1 200 ")
        with closing(connect(host.http_url)) as third:
            third.sendall(large_body + bytes(500_000))
            assert third.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_who_is_turned_away_is_not_asked_for_a_body(host: Server) -> None:
    """At a function's limit: 429 with Retry-After, no 100-continue, and the end. The guest whose
    peer leaves is recorded as canceled."""
    with closing(connect(host.http_url)) as busy:
        busy.sendall(get(b"/sleeper"))
        await_running(host, 1, 1)
        with closing(connect(host.http_url)) as connection:
            asks = b"Content-Length: 5000000\r\nExpect: 100-continue\r\n"
            connection.sendall(post(asks, b"", b"/sleeper"))
            data = receive(connection)
            assert b"100 Continue" not in data
            answer = only(data)
            assert (answer.told, answer.fields[b"retry-after"]) == ("429 throttled", b"1")
    await_running(host, 1, 0)
    (record,) = (
        record
        for record in read_records(host.data / "journal")
        if record.function == "sleeper" and record.outcome is not Outcome.THROTTLED
    )
    assert record.outcome is Outcome.CANCELED


def test_a_host_at_its_limit_reads_no_body(tmp_path: Path) -> None:
    """503 with Retry-After before a large body, over HTTP/1.1; the control plane answers."""
    with Server(tmp_path / "data", settings={"concurrency_max": 1}) as server:
        server.deploy("sleeper", sleeper(60), timeoutMs=60_000)
        server.deploy("hello", HELLO)
        with closing(connect(server.http_url)) as busy, closing(connect(server.http_url)) as other:
            busy.sendall(get(b"/sleeper"))
            await_running(server, 1, 1)
            asks = b"Content-Length: 5000000\r\nExpect: 100-continue\r\n"
            other.sendall(post(asks, b"", b"/hello"))
            answer = only(receive(other))
            assert (answer.told, answer.fields[b"retry-after"]) == ("503 overloaded", b"1")
            assert server.control.get("/healthz").status_code == 200
            assert server.control.get("/v1/functions").status_code == 200


def test_a_crowd_leaves_descriptors_for_the_control_plane(tmp_path: Path) -> None:
    """As many connections as there come: the rest is told so or cut off, and the control plane
    answers, deploys and is healthy; so does who was there before."""
    with ExitStack() as stack:
        server = stack.enter_context(Server(tmp_path / "data", descriptors_max=700))
        server.deploy("hello", HELLO)
        assert server.http.get("/hello").status_code == 200
        port = urlsplit(server.http_url).port
        for number in range(650):
            crowd = stack.enter_context(closing(socket.socket()))
            crowd.bind((f"127.0.2.{number % 250 + 1}", 0))
            crowd.connect(("127.0.0.1", port))
        time.sleep(0.5)
        with httpx.Client(trust_env=False, timeout=20) as fresh:
            assert fresh.get(f"{server.control_url}/healthz").status_code == 200
            assert fresh.get(f"{server.control_url}/v1/functions").status_code == 200
        server.deploy("other", HELLO, memoryMb=64)
        answer = json.loads(server.control.get("/v1/functions/other").content)
        assert answer["memoryMb"] == 64
        assert server.http.get("/hello").status_code == 200
