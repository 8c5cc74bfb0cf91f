"""HTTP/2 as it should go: streams, windows, bodies, trailers, and how connections end."""

import signal
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge.meter.journal import read_records
from edge.model.outcome import Outcome
from tests.front.door.http2.case import (
    END_HEADERS,
    END_STREAM,
    Type,
    data,
    frame,
    get,
    headers,
    post,
    rst,
    setting,
    window,
)
from tests.front.door.http2.peer import Peer
from tests.running import Server
from tests.supervise.hosts import await_running, replace_workers
from tests.toolchain import build_guest
from tests.wat import HELLO, large, sleeper

REQUESTS = 30
LARGE = 3 << 20


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host whose connections take a few requests each, and whose bodies have little room."""
    settings = {"requests_per_connection_max": REQUESTS, "bodies_bytes_max": 5 << 20}
    with Server(tmp_path_factory.mktemp("streams") / "data", settings=settings) as server:
        server.deploy("hello", HELLO)
        server.deploy("echo", build_guest("echo").read_bytes())
        server.deploy("large", large(LARGE))
        server.deploy("slow", sleeper(0.5))
        server.deploy("sleeper", sleeper(60), timeoutMs=60_000)
        yield server
        assert server.process.poll() is None
        told = server.stderr_path.read_text()
        assert "Traceback" not in told, told
        assert "_failed" not in told, told


def test_many_streams_at_once(host: Server) -> None:
    """As many as are allowed, their bodies in pieces among each other, each with its own answer."""
    streams = range(1, 2 * REQUESTS - 1, 2)
    with Peer(host.http_url) as peer:
        peer.start()
        peer.send(b"".join(post(number, f"/echo/{number}") for number in streams))
        for piece in (b"a", b"b", b"c"):
            for number in streams:
                peer.send(data(number, piece * number))
        peer.send(b"".join(data(number, ends=True) for number in streams))
        peer.await_streams(*streams)
        for number in streams:
            event = httpx.Response(200, content=bytes(peer.bodies[number])).json()
            assert event["rawPath"] == f"/{number}"
            assert b64decode(event["body"]) == b"a" * number + b"b" * number + b"c" * number


def test_megabytes_go_both_ways(host: Server) -> None:
    """Under windows of 64 KiB, which are opened as things are taken."""
    body = bytes(range(256)) * (LARGE // 256)
    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=60) as client:
        answer = client.post(f"{host.http_url}/echo", content=body)
        assert b64decode(answer.json()["body"]) == body
        assert client.get(f"{host.http_url}/large").content == bytes(LARGE)


def test_windows_hold(host: Server) -> None:
    """Not a byte more than the stream's window, nor than the connection's, whatever is due."""
    with Peer(host.http_url) as peer:
        peer.gives_window = False
        peer.start(setting(4, 1_000))
        peer.send(get(1, "/large"))
        peer.await_quiet()
        while len(peer.bodies.get(1, b"")) < 1_000:
            peer.read()
        peer.await_quiet()
        assert len(peer.bodies[1]) == 1_000
        peer.send(window(1, 2**30))
        while len(peer.bodies[1]) < 65_535:
            peer.read()
        peer.await_quiet()
        assert len(peer.bodies[1]) == 65_535
        peer.send(window(0, LARGE))
        peer.await_streams(1)
        assert bytes(peer.bodies[1]) == bytes(LARGE)


def test_a_stream_that_waits_holds_up_no_other(host: Server) -> None:
    """An answer without a window, a body that does not come: others are answered."""
    with Peer(host.http_url) as peer:
        peer.gives_window = False
        peer.start(setting(4, 10))
        peer.send(get(1, "/large") + post(3, "/echo"))
        peer.send(setting(4, 5_000) + get(5))
        peer.await_streams(5)
        assert peer.statuses[5] == "200"


def test_trailers_of_a_request_are_read_over(host: Server) -> None:
    """Nobody here knows any; a field that came late must not pass for one that came first."""
    with Peer(host.http_url) as peer:
        peer.start()
        peer.send(post(1, "/echo") + data(1, b"x"))
        peer.send(headers(1, ("x-late", "1"), flags=END_STREAM | END_HEADERS))
        peer.await_streams(1)
        assert peer.statuses == {1: "200"}
        assert b"x-late" not in peer.bodies[1]


def test_a_body_is_asked_for_if_it_is_read(host: Server) -> None:
    """`Expect: 100-continue` is answered for a function that is there, and only then."""
    with Peer(host.http_url) as peer:
        peer.start()
        peer.send(post(1, "/echo", ("expect", "100-continue")))
        while not peer.continues:
            peer.read()
        peer.send(data(1, b"x", ends=True))
        peer.send(post(3, "/nobody", ("expect", "100-continue"), ("content-length", "9000000")))
        peer.await_streams(1, 3)
        assert peer.statuses == {1: "200", 3: "404"}
        assert peer.continues == [1]


def test_what_is_refused_is_not_read(host: Server) -> None:
    """The answer comes before the body, the rest of which is told to stay away; others go on."""
    with Peer(host.http_url) as peer:
        peer.start()
        for number in (1, 7):
            peer.send(post(number, "/nobody") + data(number, b"x" * 16_000))
            peer.send(post(number + 2, "/echo", ("content-length", "7000000")))
            peer.await_streams(number, number + 2)
            peer.send(data(number, b"x" * 16_000, ends=True) + get(number + 4))
            peer.await_streams(number + 4)
        assert Counter(peer.statuses.values()) == {"404": 2, "413": 2, "200": 2}
        assert peer.goaway is None


def test_what_nobody_reads_may_come_for_a_while(host: Server) -> None:
    """So that clients read the answer; who goes on, or dawdles, is told to stop: no error."""
    with Peer(host.http_url) as peer:
        peer.start()
        peer.send(post(1, "/nobody"))
        left = peer.send_body(1, 20 << 20, on=True)
        assert 11 << 20 <= left <= 12 << 20
        assert peer.statuses == {1: "404"}
        peer.send(post(3, "/nobody") + data(3, b"x"))
        while 3 not in peer.stopped:
            peer.read()
        peer.send(get(5))
        peer.await_streams(5)
        assert peer.statuses == {1: "404", 3: "404", 5: "200"}
        assert peer.resets == {}


def test_bodies_share_their_room(host: Server) -> None:
    """Beyond it: 503 with Retry-After; what was held is given back."""
    with Peer(host.http_url) as peer:
        peer.start()
        for number in (1, 3, 5):
            peer.send(post(number, "/echo"))
            peer.send_body(number, 2 << 20)
        peer.await_streams(5)
        assert peer.statuses == {5: "503"}
        assert peer.fields[5]["retry-after"] == "1"
        assert b'"code":"overloaded"' in peer.bodies[5]
        peer.send(data(1, ends=True) + data(3, ends=True) + post(7, "/echo"))
        peer.await_streams(1, 3)
        peer.send_body(7, 4 << 20)
        peer.send(data(7, ends=True))
        peer.await_streams(7)
        assert peer.statuses == {1: "200", 3: "200", 5: "503", 7: "200"}


def test_who_is_turned_away_sends_no_body(tmp_path: Path) -> None:
    """At a limit the answer comes before the body, with Retry-After, and is metered."""
    with Server(tmp_path / "data") as server:
        server.deploy("busy", sleeper(60), timeoutMs=60_000, concurrency=1)
        with Peer(server.http_url) as peer:
            peer.start()
            peer.send(get(1, "/busy"))
            await_running(server, 1, 1)
            peer.send(post(3, "/busy", ("expect", "100-continue")))
            peer.await_streams(3)
            assert (peer.statuses[3], peer.fields[3]["retry-after"]) == ("429", "1")
            assert not peer.continues
        totals = server.control.get("/v1/usage").json()["totals"]
        assert [total["rejected"] for total in totals] == [1]


def canceled(host: Server) -> int:
    """How many invocations the journal has as canceled."""
    records = read_records(host.data / "journal")
    return sum(record.outcome is Outcome.CANCELED for record in records)


@pytest.mark.parametrize("how", ["RST_STREAM", "the end", "GOAWAY"])
def test_who_leaves_ends_its_guest(host: Server, how: str) -> None:
    """A reset ends the guest of its stream, the connection's end those of all; it is recorded."""
    before = canceled(host)
    with Peer(host.http_url) as peer:
        peer.start()
        peer.send(get(1, "/sleeper") + get(3, "/sleeper"))
        await_running(host, 1, 2)
        if how == "RST_STREAM":
            peer.send(rst(1))
            await_running(host, 1, 1)
            peer.send(get(5))
            peer.await_streams(5)
            assert peer.statuses[5] == "200"
            peer.send(rst(3))
        elif how == "GOAWAY":
            peer.send(frame(Type.GOAWAY, payload=bytes(8)))
        else:
            peer.sock.close()
        await_running(host, 1, 0)
    assert canceled(host) == before + 2


def test_after_so_many_requests_a_connection_ends(host: Server) -> None:
    """All that were taken are answered, the others told to try elsewhere."""
    last = 2 * REQUESTS - 1
    with Peer(host.http_url) as busy, Peer(host.http_url) as calm:
        for peer in (busy, calm):
            peer.start()
        busy.send(b"".join(get(n, "/slow") for n in range(1, last + 2, 2)) + get(last + 2))
        busy.await_close()
        assert busy.goaway == ("NO_ERROR", last + 1)
        assert Counter(busy.statuses.values()) == {"200": REQUESTS}
        assert busy.resets == {last + 2: "REFUSED_STREAM"}
        for number in range(1, last + 2, 2):
            calm.send(get(number))
            calm.await_streams(number)
        calm.await_close()
        assert calm.goaway == ("NO_ERROR", last)
        assert Counter(calm.statuses.values()) == {"200": REQUESTS}


def test_a_host_that_stops_says_farewell(tmp_path: Path) -> None:
    """What runs is answered, and what comes meanwhile; in the first moment without requests, which
    for an idle connection is now, comes GOAWAY."""
    with Server(tmp_path / "data") as server:
        server.deploy("hello", HELLO)
        server.deploy("slow", sleeper(2))
        with Peer(server.http_url) as busy, Peer(server.http_url) as idle:
            for peer in (busy, idle):
                peer.start()
                peer.send(get(1))
                peer.await_streams(1)
            busy.send(get(3, "/slow"))
            await_running(server, 1, 1)
            server.process.send_signal(signal.SIGTERM)
            idle.await_close()
            assert idle.goaway == ("NO_ERROR", 1)
            busy.send(get(5))
            busy.await_close()
            assert busy.statuses == {1: "200", 3: "200", 5: "200"}
            assert busy.goaway == ("NO_ERROR", 5)
        assert server.process.wait(15) == 0


def test_no_request_fails_while_workers_are_replaced(tmp_path: Path) -> None:
    """SIGHUP under a load of HTTP/2, over connections that are kept."""
    with Server(tmp_path / "data", workers=2) as server:
        server.deploy("hello", HELLO)
        stop = threading.Event()
        outcomes: Counter[object] = Counter()

        def ask() -> None:
            with httpx.Client(
                base_url=server.http_url, http1=False, http2=True, trust_env=False, timeout=30
            ) as client:
                while not stop.is_set():
                    try:
                        outcomes[client.get("/hello").status_code] += 1
                    except httpx.HTTPError as error:
                        outcomes[repr(error)] += 1

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.3)
            replace_workers(server, signal.SIGHUP, 2)
            time.sleep(0.3)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert set(outcomes) == {200}
