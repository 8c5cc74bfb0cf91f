"""Both planes over TLS: HTTP/1.1 and HTTP/2 behind either door; peers that never shake hands."""

import socket
import ssl
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.certificates import Certificate, make_certificate
from tests.front.door.messages.message import HOST, get, post
from tests.front.door.messages.reader import read_answers
from tests.front.door.test_conformance import LAST, receive
from tests.front.lambda_calls import create, lambda_client
from tests.front.wire import connect, is_closed
from tests.running import Server
from tests.toolchain import build_guest
from tests.wat import HELLO, sleeper

HANDSHAKE_S = 2
PER_ADDRESS = 40


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """What the hosts of this module serve with."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Server]:
    """A host with TLS on both planes, and little patience."""
    settings: dict[str, object] = {
        **certificate.settings,
        "head_timeout_s": HANDSHAKE_S,
        "connections_per_address_max": PER_ADDRESS,
    }
    data = tmp_path_factory.mktemp("tls") / "data"
    with Server(data, settings=settings, trusted=certificate.trusting()) as server:
        server.deploy("hello", HELLO)
        server.deploy("echo", build_guest("echo").read_bytes())
        server.deploy("slow", sleeper(0.3))
        yield server
        assert server.process.poll() is None
        assert "Traceback" not in server.stderr_path.read_text()


def connect_tls(url: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection whose handshake is done."""
    return context.wrap_socket(connect(url), server_hostname=urlsplit(url).hostname)


@pytest.mark.parametrize("door", ["edge", "hypercorn"])
@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_both_planes_answer_over_tls(
    host: Server, tmp_path: Path, certificate: Certificate, door: str, http2: bool
) -> None:
    """Whatever version ALPN agrees on, functions and the control plane are there, URLs https."""
    if door == "edge":
        _check_planes(host, certificate, http2=http2)
        return
    settings = {**certificate.settings, "door": door}
    with Server(tmp_path / "data", settings=settings, trusted=certificate.trusting()) as server:
        server.deploy("echo", build_guest("echo").read_bytes())
        _check_planes(server, certificate, http2=http2)


def _check_planes(server: Server, certificate: Certificate, *, http2: bool) -> None:
    assert server.http_url.startswith("https://127.0.0.1:")
    assert server.control_url.startswith("https://127.0.0.1:")
    body = bytes(range(256)) * 4096
    with httpx.Client(verify=certificate.trusting(), http2=http2, trust_env=False) as client:
        version = "HTTP/2" if http2 else "HTTP/1.1"
        for _ in range(2):
            answer = client.post(f"{server.http_url}/echo/path?a=b", content=body)
            assert (answer.status_code, answer.http_version) == (200, version)
            event = answer.json()
            assert b64decode(event["body"]) == body
            assert event["requestContext"]["http"]["protocol"] == version
        answer = client.get(f"{server.control_url}/healthz")
        assert (answer.json()["status"], answer.http_version) == ("ok", version)


def test_function_urls_are_https(host: Server, certificate: Certificate, echo: bytes) -> None:
    """boto3 over TLS makes a URL, and it is one that answers."""
    with lambda_client(host.control_url, verify=str(certificate.cert)) as client:
        create(client, "linked", echo)
        made: dict[str, Any] = client.create_function_url_config(
            FunctionName="linked", AuthType="NONE"
        )
    assert made["FunctionUrl"] == f"{host.http_url}/linked/"
    assert host.http.get(made["FunctionUrl"]).status_code == 200


def test_messages_over_tls_are_read_as_without(host: Server, certificate: Certificate) -> None:
    """Pipelined ones in order, refused ones answered before the end."""
    context = certificate.trusting()
    with closing(connect_tls(host.http_url, context)) as connection:
        connection.sendall(get(b"/slow") + get(b"/nobody") + LAST)
        answers = read_answers(receive(connection), ())
        assert [answer.status for answer in answers] == [200, 404, 200]
    large = post(b"Content-Length: 100000000\r\n", b"x" * 500_000)
    with closing(connect_tls(host.http_url, context)) as connection:
        connection.sendall(large)
        (answer,) = read_answers(receive(connection), ())
        assert answer.told == "413 payload_too_large"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("h2", "http/1.1"), "h2"),
        (("http/1.1",), "http/1.1"),
        (("http/1.0", "http/1.1", "h2"), "h2"),
        (("acme/1",), None),
        ((), None),
    ],
)
def test_alpn_chooses(
    host: Server, certificate: Certificate, offered: tuple[str, ...], chosen: str | None
) -> None:
    """HTTP/2 where it is offered, else HTTP/1.1; a client that offers nothing speaks HTTP/1.1."""
    context = certificate.trusting(*offered)
    with closing(connect_tls(host.http_url, context)) as connection:
        assert connection.selected_alpn_protocol() == chosen
        assert connection.version() == "TLSv1.3"
        if chosen != "h2":
            connection.sendall(LAST)
            assert receive(connection).startswith(b"HTTP/1.1 200 ")


def test_no_tls_older_than_1_2(host: Server, certificate: Certificate) -> None:
    """1.2 shakes hands, with forward secrecy; 1.1 does not."""
    context = certificate.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with closing(connect_tls(host.http_url, context)) as connection:
        cipher = connection.cipher()
        assert cipher is not None
        assert cipher[0].startswith("ECDHE-")
    # Written by hand: a ClientHello of TLS 1.1, which this machine's OpenSSL may refuse to write.
    hello = b"\x03\x02" + bytes(32) + b"\0" + b"\0\x04\xc0\x09\xc0\x13" + b"\x01\0"
    record = b"\x16\x03\x01" + (len(hello) + 4).to_bytes(2, "big")
    with closing(connect(host.http_url)) as connection:
        connection.sendall(record + b"\x01" + len(hello).to_bytes(3, "big") + hello)
        assert receive(connection)[:1] in (b"", b"\x15")  # nothing, or an alert


def test_http_without_tls_is_no_answer(host: Server) -> None:
    """A client that forgot the s hears an alert, and nothing of its request is run."""
    with closing(connect(host.http_url)) as connection:
        connection.sendall(get())
        assert not receive(connection).startswith(b"HTTP")
    assert host.http.get("/hello").text == "hello"


def test_who_never_shakes_hands_is_closed_and_harms_nobody(host: Server) -> None:
    """As many as an address may have are let in, the next is closed at once, all are in time."""
    silent: list[socket.socket] = []
    try:
        host.http.close()
        host.control.close()
        silent += [connect(host.http_url) for _ in range(PER_ADDRESS)]
        silent[0].sendall(b"\x16\x03\x01\x02\0\x01")
        time.sleep(0.2)
        with closing(connect(host.http_url)) as one_too_many:
            assert is_closed(one_too_many)
        began = time.monotonic()
        for connection in silent:
            assert is_closed(connection)
        assert time.monotonic() - began < 5 * HANDSHAKE_S
    finally:
        for connection in silent:
            connection.close()
        host.http = host.client(host.http_url)
        host.control = host.client(host.control_url)
    assert host.http.get("/hello").text == "hello"


def test_the_proxy_header_comes_before_tls(tmp_path: Path, certificate: Certificate) -> None:
    """A proxy that passes TLS on says first whom it speaks for; without its word it is closed."""
    settings = {**certificate.settings, "trusted_proxies": "127.0.0.1", "proxy_protocol": 1}
    settings["control_tls"] = 0
    context = certificate.trusting()
    with Server(tmp_path / "data", settings=settings) as server:
        said = b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n"
        with closing(connect(server.control_url)) as connection:
            request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.sendall(said + request)
            assert receive(connection).startswith(b"HTTP/1.1 200 ")
        for header in (
            said,
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\1\1\1\1\1",
        ):
            raw = connect(server.http_url)
            raw.sendall(header)
            with closing(context.wrap_socket(raw, server_hostname="127.0.0.1")) as connection:
                connection.sendall(get(b"/nobody", HOST + b"Connection: close\r\n"))
                assert receive(connection).startswith(b"HTTP/1.1 404 ")
        with closing(connect(server.http_url)) as connection:
            connection.sendall(b"\x16\x03\x01")
            assert is_closed(connection)


def test_the_control_plane_has_its_own_certificate(tmp_path: Path) -> None:
    """A client that trusts one plane does not thereby trust the other."""
    public, private = make_certificate(tmp_path), make_certificate(tmp_path, "control")
    settings = {
        **public.settings,
        "control_tls_cert": private.cert,
        "control_tls_key": private.key,
    }
    with Server(tmp_path / "data", settings=settings, trusted=public.trusting()) as server:
        assert server.http.get("/nobody").status_code == 404
        with pytest.raises(httpx.ConnectError):
            server.control.get("/healthz")
        answer = httpx.get(
            f"{server.control_url}/healthz", verify=private.trusting(), trust_env=False
        )
        assert answer.status_code == 200
