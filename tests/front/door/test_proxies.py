"""Where a request comes from: whom of a chain of proxies is believed, and the PROXY protocol."""

from contextlib import closing
from pathlib import Path

import pytest

from edge.config import load
from edge.front.door.proxies import Proxies, read_proxy_header
from edge.front.door.refusals import Refusal
from edge.model.errors import InvalidConfiguration
from tests.front.door.messages.message import HOST, get
from tests.front.door.test_conformance import receive
from tests.front.wire import connect
from tests.running import Server

PROXIES = Proxies("10.0.0.0/8, 192.0.2.1, 2001:db8::/32")
PEER = "10.0.0.9"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ([], PEER),
        ([("x-forwarded-for", "203.0.113.7")], "203.0.113.7"),
        ([("x-forwarded-for", "203.0.113.7, 10.1.1.1")], "203.0.113.7"),
        ([("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.1.1.1")], "203.0.113.7"),
        ([("x-forwarded-for", "203.0.113.7"), ("x-forwarded-for", "10.1.1.1")], "203.0.113.7"),
        ([("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7"),
        ([("x-forwarded-for", "[2001:db9::7]:4711")], "2001:db9::7"),
        ([("x-forwarded-for", "2001:db9::7")], "2001:db9::7"),
        ([("x-forwarded-for", "10.2.2.2, 10.1.1.1")], "10.2.2.2"),
        ([("x-forwarded-for", "unknown, 10.1.1.1")], "10.1.1.1"),
        ([("x-forwarded-for", "nonsense")], PEER),
        ([("x-forwarded-for", "")], PEER),
        ([("forwarded", "for=203.0.113.7")], "203.0.113.7"),
        ([("forwarded", "For=203.0.113.7;proto=https;by=10.0.0.9")], "203.0.113.7"),
        ([("forwarded", 'for="[2001:db9::7]:4711"')], "2001:db9::7"),
        ([("forwarded", 'for=1.1.1.1, for=203.0.113.7, for="192.0.2.1:80"')], "203.0.113.7"),
        ([("forwarded", "for=unknown"), ("forwarded", "for=10.1.1.1")], "10.1.1.1"),
        ([("forwarded", "for=_hidden")], PEER),
        ([("forwarded", "by=1.1.1.1")], PEER),
        ([("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "1.1.1.1")], "203.0.113.7"),
    ],
)
def test_the_chain_is_walked_from_its_end(fields: list[tuple[str, str]], source: str) -> None:
    """As far as proxies are trusted; what stands before the first stranger is its invention."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in fields]
    assert PROXIES.source(PEER, raw) == source


@pytest.mark.parametrize("address", ["10.255.1.1", "192.0.2.1", "2001:db8:1::1"])
def test_trusted_ones(address: str) -> None:
    """Addresses and networks, of either version."""
    assert PROXIES.trusts(address)


@pytest.mark.parametrize("address", ["11.0.0.1", "192.0.2.2", "2001:db9::1", "", "unix"])
def test_strangers(address: str) -> None:
    """Nobody else, and nothing that is no address."""
    assert not PROXIES.trusts(address)


def test_what_is_no_network_is_refused() -> None:
    """At the start, not at the first request."""
    with pytest.raises(InvalidConfiguration, match=r"not '10\.0\.0\.300'"):
        load({"trusted_proxies": "10.0.0.1,10.0.0.300"})


def v2(command: int, family: int, payload: bytes) -> bytes:
    """A header of version 2."""
    return SIGNATURE + bytes((command, family)) + len(payload).to_bytes(2, "big") + payload


V4 = b"\xcb\x00\x71\x07\x0a\0\0\x01\x12\x34\x01\xbb"
V6 = b"\x20\x01\x0d\xb9" + bytes(11) + b"\x07" + bytes(16) + b"\x12\x34\x01\xbb"


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n", "203.0.113.7"),
        (b"PROXY TCP6 2001:db9::7 2001:db8::1 4711 443\r\n", "2001:db9::7"),
        (b"PROXY UNKNOWN\r\n", ""),
        (b"PROXY UNKNOWN ff::1 ff::2 1 2\r\n", ""),
        (v2(0x21, 0x11, V4), "203.0.113.7"),
        (v2(0x21, 0x21, V6), "2001:db9::7"),
        (v2(0x21, 0x11, V4 + b"\x03\0\x04abcd"), "203.0.113.7"),
        (v2(0x20, 0x00, b""), ""),
        (v2(0x20, 0x11, V4), ""),
        (v2(0x21, 0x31, bytes(216)), ""),
    ],
)
def test_a_header_however_it_is_split(header: bytes, source: str) -> None:
    """Nothing is said before it is whole, and nothing behind it is taken."""
    for at in range(1, len(header)):
        assert read_proxy_header(header[:at]) is None
    assert read_proxy_header(header) == (len(header), source)
    assert read_proxy_header(header + b"GET / HTTP/1.1\r\n") == (len(header), source)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 203.0.113.7\r\n",
        b"PROXY TCP4 203.0.113.700 10.0.0.1 4711 443\r\n",
        b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\n",
        b"PROXY TCP5 203.0.113.7 10.0.0.1 4711 443\r\n",
        b"PROXY " + b"x" * 120,
        b"\r\n\r\n\0\r\nQUIX\n",
        v2(0x22, 0x11, V4),
        v2(0x31, 0x11, V4),
        v2(0x21, 0x11, V4[:8]),
        v2(0x21, 0x11, bytes(3_000)),
        b"\x16\x03\x01",
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """Also what is longer than a header can be."""
    with pytest.raises(Refusal):
        read_proxy_header(data)


def test_a_function_sees_the_source(tmp_path: Path, echo: bytes) -> None:
    """Each request of a connection has its own; a stranger's word is not taken."""
    with Server(tmp_path / "data", settings={"trusted_proxies": "127.0.0.1"}) as server:
        server.deploy("echo", echo)
        for told, source in (("203.0.113.7", "203.0.113.7"), ("203.0.113.8, 1.1.1.1", "1.1.1.1")):
            event = server.http.get("/echo", headers={"x-forwarded-for": told}).json()
            assert event["requestContext"]["http"]["sourceIp"] == source
    with Server(tmp_path / "other") as server:
        server.deploy("echo", echo)
        event = server.http.get("/echo", headers={"forwarded": "for=203.0.113.7"}).json()
        assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_the_proxy_protocol_speaks_for_a_connection(tmp_path: Path, echo: bytes) -> None:
    """A trusted proxy must begin with it, on both planes, and then tells the truth once: what
    fields say later is not believed."""
    with Server(tmp_path / "data") as server:
        server.deploy("echo", echo)
    settings = {"trusted_proxies": "127.0.0.1", "proxy_protocol": 1}
    header = b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n"
    with Server(tmp_path / "data", settings=settings) as server:
        with closing(connect(server.http_url)) as connection:
            for byte in header:
                connection.sendall(bytes((byte,)))
            connection.sendall(get(b"/echo", HOST + b"X-Forwarded-For: 1.1.1.1\r\n"))
            assert b'"sourceIp":"203.0.113.7"' in connection.recv(65_536)
        for url in (server.http_url, server.control_url):
            with closing(connect(url)) as connection:
                connection.sendall(get())
                assert receive(connection).startswith(b"HTTP/1.1 400 ")
