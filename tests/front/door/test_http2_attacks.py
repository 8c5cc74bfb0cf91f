"""Peers that want to cost more than they pay, over HTTP/2: told so, closed, and nobody's loss."""

import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.front.door.http2.attacks import ATTACKS
from tests.front.door.http2.case import (
    PREFACE,
    SETTINGS,
    Type,
    data,
    fields,
    frame,
    get,
    headers,
    post,
    setting,
    window,
)
from tests.front.door.http2.peer import Peer
from tests.running import Server
from tests.supervise.hosts import worker_pids
from tests.toolchain import build_guest
from tests.wat import HELLO, large

GROWTH_BYTES_MAX = 64 << 20
STREAMING = "/2021-11-15/functions/streamer/response-streaming-invocations"
BIG_STREAM = b'{"rawPath": "/big", "queryStringParameters": {"n": "3200"}}'


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, streamer: bytes) -> Iterator[Server]:
    """A host with little patience."""
    settings = {"body_stall_s": 2, "write_stall_s": 2, "idle_timeout_s": 2, "head_timeout_s": 2}
    with Server(tmp_path_factory.mktemp("attacks") / "data", settings=settings) as server:
        server.deploy("hello", HELLO)
        server.deploy("echo", build_guest("echo").read_bytes())
        server.deploy("large", large(2 << 20))
        server.deploy("streamer", streamer, timeoutMs=60_000)
        yield server
        assert server.process.poll() is None
        told = server.stderr_path.read_text()
        assert "Traceback" not in told
        assert "_failed" not in told


def resident_bytes(server: Server) -> int:
    """Memory of the one worker."""
    (pid,) = worker_pids(server)
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(host: Server, name: str) -> None:
    """The connection ends with its error, and others are served."""
    sent, code = ATTACKS[name]
    with Peer(host.http_url) as peer:
        peer.start()
        peer.send(sent)
        peer.await_close()
        assert peer.goaway is None or peer.goaway[0] == code
        assert peer.goaway is not None or name not in TOLD_SURELY
    assert host.http.get("/hello").text == "hello"


TOLD_SURELY = ("rapid reset", "a bomb of fields", "CONTINUATION without an end")
"""All of these was read when the end was told; of others the rest may reset the connection."""


def test_frames_that_are_announced_and_not_sent_take_no_memory(host: Server) -> None:
    """Fifty peers announce 16 MB each; none of it is waited for."""
    host.http.get("/hello")
    before = resident_bytes(host)
    for _ in range(50):
        with Peer(host.http_url) as peer:
            peer.start()
            peer.send(b"\xff\xff\xff\0\0\0\0\0\x01" + bytes(100_000))
            peer.await_close()
    assert resident_bytes(host) - before < GROWTH_BYTES_MAX


def test_a_table_that_a_peer_offers_to_remember_stays_small(host: Server) -> None:
    """4 GB of table offered, and answers whose fields all differ: nothing is kept of them."""
    host.http.get("/hello")
    before = resident_bytes(host)
    with Peer(host.http_url) as peer:
        peer.start(setting(1, 2**32 - 1))
        for number in range(1, 4_001, 2):
            peer.send(get(number))
            if number % 80 == 1:
                peer.await_streams(number)
        peer.await_streams(3_999)
        assert set(peer.statuses.values()) == {"200"}
    assert resident_bytes(host) - before < GROWTH_BYTES_MAX


def test_streams_that_were_reset_leave_nothing(host: Server) -> None:
    """As many resets as answers, for long: what they held is given back."""
    host.http.get("/hello")
    with Peer(host.http_url) as peer:
        peer.start()
        for first in range(1, 8_001, 800):
            for number in range(first, first + 800, 4):
                peer.send(post(number, "/echo") + frame(Type.RST_STREAM, 0, number, bytes(4)))
                peer.send(get(number + 2))
            peer.await_streams(first + 798)
            if first == 1:
                before = resident_bytes(host)
        assert peer.goaway is None
    assert resident_bytes(host) - before < GROWTH_BYTES_MAX // 4


def test_who_says_nothing_is_closed(host: Server) -> None:
    """After the preface, after half of it, inside a block, with PINGs only."""
    begun = (
        PREFACE[:20],
        PREFACE + SETTINGS,
        PREFACE + SETTINGS + headers(1, *fields(), flags=0),
        PREFACE + SETTINGS + b"\0\0",
    )
    peers = [Peer(host.http_url) for _ in begun]
    for peer, sent in zip(peers, begun, strict=True):
        peer.send(sent)
    with Peer(host.http_url) as pinging:
        pinging.start()
        until = time.monotonic() + 20
        while not pinging.is_closed:
            assert time.monotonic() < until
            pinging.send(frame(Type.PING, payload=b"12345678"))
            pinging.read()
            time.sleep(0.02)
        assert pinging.goaway == ("NO_ERROR", 0)
    for peer in peers:
        with peer:
            peer.await_close()


def test_a_body_that_stalls_is_408(host: Server) -> None:
    """Silence, and bytes that come too slowly; the connection and its other streams go on."""
    with Peer(host.http_url) as peer:
        peer.start()
        peer.send(post(1, "/echo") + data(1, b"begun") + post(3, "/echo"))
        other = 5
        while not {1, 3} <= peer.ended:
            assert other < 1_000
            peer.send(data(3, b"x") + get(other))
            peer.await_streams(other)
            other += 2
            time.sleep(0.05)
        assert (peer.statuses[1], peer.statuses[3]) == ("408", "408")
        assert peer.goaway is None


def test_an_answer_that_is_not_taken_is_cut_off(host: Server) -> None:
    """No window: its stream is reset in time, others are answered meanwhile."""
    with Peer(host.http_url) as peer:
        peer.gives_window = False
        peer.start(setting(4, 10))
        peer.send(get(1, "/echo"))
        peer.await_streams(1)
        assert peer.resets == {1: "INTERNAL_ERROR"}
        assert len(peer.bodies[1]) == 10
        peer.send(setting(4, 65_535) + get(3))
        peer.await_streams(3)
        assert peer.statuses[3] == "200"


@pytest.mark.parametrize("plane", ["data", "control"])
def test_a_stream_that_is_not_taken_waits_nowhere_and_is_cut_off(host: Server, plane: str) -> None:
    """Its guest writes 200 MB for a window of 10 bytes: it is stopped soon, whoever asked."""
    request = {
        "data": get(1, "/streamer/big?n=3200"),
        "control": post(1, STREAMING) + data(1, BIG_STREAM, ends=True),
    }[plane]
    before = resident_bytes(host)
    with Peer(host.http_url if plane == "data" else host.control_url) as peer:
        peer.gives_window = False
        peer.start(setting(4, 10))
        peer.send(request)
        peer.await_streams(1)
        assert peer.resets == {1: "INTERNAL_ERROR"}
        assert len(peer.bodies[1]) == 10
    assert resident_bytes(host) - before < GROWTH_BYTES_MAX


def test_a_peer_that_does_not_read_is_cut_off(host: Server) -> None:
    """Windows wide open, and the socket never read: the connection ends with its answers."""
    with Peer(host.http_url) as peer:
        peer.start(setting(4, 2**31 - 1) + window(0, 2**30))
        peer.send(b"".join(get(number, "/large") for number in range(1, 41, 2)))
        ended = select.poll()
        ended.register(peer.sock, 0)  # tells errors only
        until = time.monotonic() + 60
        while not ended.poll(100):
            assert time.monotonic() < until
            assert host.http.get("/hello").text == "hello"
