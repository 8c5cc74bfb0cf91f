"""How a connection comes to speak HTTP/2, or offers a WebSocket: every way, and what is none."""

import base64
import json
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from hyperframe.frame import SettingsFrame

from tests.certificates import Certificate, make_certificate
from tests.front.door.http2.case import (
    END_HEADERS,
    PREFACE,
    SETTINGS,
    data,
    fields,
    get,
    headers,
    post,
    window,
)
from tests.front.door.http2.peer import Peer
from tests.front.door.test_conformance import receive
from tests.front.wire import connect
from tests.running import Server
from tests.toolchain import build_guest
from tests.wat import HELLO, large

REQUESTS = 30
LARGE = 3 << 20


@pytest.fixture(scope="module")
def host(shared_server: Server) -> Iterator[Server]:
    """A host with functions that say what they saw."""
    shared_server.deploy("hello", HELLO)
    shared_server.deploy("echo", build_guest("echo").read_bytes())
    shared_server.deploy("large", large(LARGE))
    yield shared_server
    told = shared_server.stderr_path.read_text()
    assert "Traceback" not in told, told
    assert "_failed" not in told, told


def test_a_client_may_begin_with_the_preface(host: Server) -> None:
    """Prior knowledge, with its bytes split anywhere."""
    with Peer(host.http_url) as peer:
        for byte in PREFACE + SETTINGS + get():
            peer.send(bytes((byte,)))
        peer.await_streams(1)
        assert (peer.statuses, peer.bodies[1]) == ({1: "200"}, b"hello")
        assert peer.settings[SettingsFrame.MAX_CONCURRENT_STREAMS] == 100


def test_a_client_may_agree_by_alpn(tmp_path: Path) -> None:
    """Over TLS the handshake says so."""
    made = make_certificate(tmp_path)
    with Server(tmp_path / "data", settings=made.settings, trusted=made.trusting()) as server:
        server.deploy("echo", build_guest("echo").read_bytes())
        sock = made.trusting("h2").wrap_socket(
            connect(server.http_url), server_hostname="localhost"
        )
        with Peer(server.http_url, sock) as peer:
            peer.start()
            peer.send(post(1, "/echo") + data(1, b"body", ends=True))
            peer.await_streams(1)
            assert peer.statuses == {1: "200"}
        sock = made.trusting("h2").wrap_socket(
            connect(server.http_url), server_hostname="localhost"
        )
        with Peer(server.http_url, sock) as peer:
            peer.start()
            peer.send(get(2))
            peer.await_close()
            assert peer.goaway == ("PROTOCOL_ERROR", 0)


def _agreed(server: Server, made: Certificate) -> Peer:
    """A peer that agreed on HTTP/2 by ALPN."""
    plain = connect(server.http_url)
    sock = made.trusting("h2").wrap_socket(plain, server_hostname="localhost")
    return Peer(server.http_url, sock)


def upgrade(settings: bytes, path: bytes = b"/echo/up?a=b", more: bytes = b"") -> bytes:
    """A request that offers to go on as HTTP/2."""
    return (
        b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: " + settings + b"\r\n" + more + b"\r\n"
    )


def test_a_client_may_upgrade(host: Server) -> None:
    """Its request becomes stream 1, under the settings in it; then come preface and streams."""
    offered = SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 7}).serialize_body()
    with Peer(host.http_url) as peer:
        peer.gives_window = False
        peer.send(upgrade(base64.urlsafe_b64encode(offered).rstrip(b"="), more=b"X-Test: 1\r\n"))
        peer.skip_head(b"HTTP/1.1 101 Switching Protocols\r\n")
        peer.start()
        peer.await_quiet()
        assert len(peer.bodies[1]) == 7
        peer.send(window(1, 100_000) + get(3))
        peer.await_streams(1, 3)
        assert peer.statuses == {1: "200", 3: "200"}
        event = httpx.Response(200, content=bytes(peer.bodies[1])).json()
        assert (event["rawPath"], event["rawQueryString"]) == ("/up", "a=b")
        assert event["headers"]["x-test"] == "1"
        assert not {"connection", "upgrade", "http2-settings"} & set(event["headers"])
        assert event["requestContext"]["http"]["protocol"] == "HTTP/2"


@pytest.mark.parametrize(
    "request_",
    [
        upgrade(b"!"),
        upgrade(b"AAMAAABk\r\nHTTP2-Settings: AAMAAABk"),
        upgrade(b"AAMA"),
        upgrade(b"AAMAAABk").replace(b"HTTP2-Settings: AAMAAABk\r\n", b""),
        upgrade(b"AAMAAABk").replace(b"h2c", b"h2c, h2"),
    ],
    ids=["no base64", "twice", "not whole", "none", "two protocols"],
)
def test_an_offer_that_is_none_is_passed_over(host: Server, request_: bytes) -> None:
    """The request is answered as any other, in HTTP/1.1."""
    with closing(connect(host.http_url)) as connection:
        connection.sendall(request_.replace(b"Upgrade, HTTP2-Settings", b"Upgrade, close"))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_settings_that_cannot_be_end_the_upgraded_connection(host: Server) -> None:
    """As they would later."""
    wrong = base64.urlsafe_b64encode(b"\0\x04\xff\xff\xff\xff")
    with Peer(host.http_url) as peer:
        peer.send(upgrade(wrong))
        peer.skip_head(b"HTTP/1.1 101 Switching Protocols\r\n")
        peer.await_close()
        assert peer.goaway == ("FLOW_CONTROL_ERROR", 0)


@pytest.mark.parametrize("version", ["--http2", "--http2-prior-knowledge"])
def test_curl_s_http2_is_served(host: Server, tmp_path: Path, version: str) -> None:
    """A client of another make: by upgrade and without one, bodies both ways, an early refusal."""
    curl = shutil.which("curl")
    if curl is None or "nghttp2" not in subprocess.check_output([curl, "-V"], text=True):
        pytest.skip("no curl with HTTP/2 here")
    body = tmp_path / "body"
    body.write_bytes(bytes(range(256)) * 8_192)
    told = "%{http_version} %{response_code} %{size_download}"

    def ask(*arguments: str) -> str:
        command = [curl, "-sS", version, "-o", str(tmp_path / "answer"), "-w", told, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert ask(f"{host.http_url}/hello") == "2 200 5"
    if version != "--http2":  # behind an upgrade curl 7.88 has room for 64 KiB only
        assert ask(f"{host.http_url}/large") == f"2 200 {LARGE}"
    upload = ("--data-binary", f"@{body}")
    assert ask(f"{host.http_url}/echo", *upload).split()[1] == "200"
    assert b64decode(json.loads((tmp_path / "answer").read_bytes())["body"]) == body.read_bytes()
    assert ask(f"{host.http_url}/nobody", *upload).split()[1] == "404"


@pytest.mark.parametrize("plane", ["http_url", "control_url"])
def test_a_websocket_is_handed_over_and_declined(host: Server, plane: str) -> None:
    """403, or 400 for what is none; nothing that follows is read as HTTP/1.1 by someone else."""
    offer = (
        b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    follows = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for sent, status in (
        (offer, b"403"),
        (offer + follows, b"400"),
        (offer.replace(b"Sec-WebSocket-Key", b"X") + follows, b"400"),
        (offer.replace(b"Upgrade\r\n", b"Upgrade\r\nConnection: x\r\n", 1) + follows, b"400"),
    ):
        with closing(connect(getattr(host, plane))) as connection:
            connection.sendall(sent)
            answer = receive(connection)
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert answer.count(b"HTTP/1.1") == 1
    with closing(connect(host.http_url)) as connection:
        connection.sendall(offer.replace(b"GET", b"POST"))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


def test_a_websocket_over_http2_is_declined(host: Server) -> None:
    """Extended CONNECT (RFC 8441) is a request that nobody here takes."""
    start = fields("CONNECT", "/hello")
    with Peer(host.http_url) as peer:
        peer.start()
        peer.send(headers(1, (":protocol", "websocket"), *start, flags=END_HEADERS) + get(3))
        peer.await_streams(1, 3)
        assert peer.resets == {1: "PROTOCOL_ERROR"}
        assert peer.statuses == {3: "200"}
