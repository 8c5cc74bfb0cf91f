"""HTTP/2 frame by frame: what the door tells of each case in the table, and that it serves on."""

from collections.abc import Iterator

import pytest

from tests.front.door.http2 import TABLE
from tests.front.door.http2.peer import Peer
from tests.running import Server
from tests.toolchain import build_guest
from tests.wat import HELLO, sleeper


@pytest.fixture(scope="module")
def host(shared_server: Server) -> Iterator[Server]:
    """A host with a good function, and one that takes its time."""
    shared_server.deploy("hello", HELLO)
    shared_server.deploy("echo", build_guest("echo").read_bytes())
    shared_server.deploy("slow", sleeper(0.3))
    yield shared_server
    assert shared_server.process.poll() is None


@pytest.mark.parametrize("name", TABLE)
def test_case(host: Server, name: str) -> None:
    """The exact answers and errors, whatever RFC 9113 leaves open; then others are served."""
    case = TABLE[name]
    with Peer(host.http_url) as peer:
        if case.starts:
            peer.start()
        peer.send(case.data)
        if case.closes:
            peer.await_close()
        else:
            peer.await_streams(*case.awaited)
            peer.await_quiet()
        assert peer.told == case.told
    assert host.http.get("/hello").text == "hello"
