"""Where a fetch may lead: names, addresses, redirects and certificates that try to get round it."""

import asyncio
import ssl
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.host.calls import HostCalls
from edge.host.fetch.addresses import is_public
from edge.host.fetch.calls import FetchCalls
from edge.host.fetch.fetcher import Fetcher
from edge.host.fetch.redirects import REDIRECTS_MAX
from edge.model import cbor
from tests.host.guest import call, code_of, make_session
from tests.host.origin import TLS, Origin, TableResolver, answer, message, redirect, serve

LOOPBACK = ["127.0.0.1"]


def fetching(resolver: TableResolver | None = None, *, trusting: bool = True) -> HostCalls:
    """Host calls that can fetch; `trusting` accepts the tests' own certificate."""
    tls = ssl.create_default_context(cafile=TLS / "secure.test.pem") if trusting else None
    return HostCalls(FetchCalls(Fetcher(resolver=resolver or TableResolver(), tls=tls)).operations)


# Addresses

NOT_PUBLIC = """
    0.0.0.0 10.1.2.3 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1
    203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808
    64:ff9b:1::1 100::1 2001::1 2001:0:1::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1
    4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.1.1 223.255.255.255
    2001:4860:4860::8888 2400:cb00::1 2606:4700::1111 2a00:1450::1
"""


@pytest.mark.parametrize("text", NOT_PUBLIC.split())
def test_an_address_that_is_not_anybodys_is_not_public(text: str) -> None:
    """Private, local, reserved, or one that hides an IPv4 address."""
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC.split())
def test_ordinary_addresses_are_public(text: str) -> None:
    """Also those next to a special range."""
    assert is_public(ip_address(text))


@given(st.ip_addresses())
def test_what_is_public_here_is_global_for_python_too(address: IPv4Address | IPv6Address) -> None:
    """A second list, by other people."""
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast


# Names


async def test_what_is_not_granted_is_denied_at_once() -> None:
    """Without a look-up, and the message has the grant that is missing."""
    resolver = TableResolver(api_test=LOOPBACK)
    calls = fetching(resolver)
    for grants in ((), ("kv",), ("fetch:other.test",), ("fetch:api.test:81",)):
        session = make_session(*grants)
        request = cbor.encode({"op": "fetch", "url": "http://api.test/"})
        data = calls.begin(session, request)
        assert isinstance(data, bytes)
        error = cbor.decode(data)["error"]  # type: ignore[index]
        assert error["code"] == "denied"
        assert "fetch:api.test:80" in error["message"]
    assert resolver.asked == []


@pytest.mark.parametrize(
    "grant", ["fetch:*:{port}", "fetch:api.test:{port}", "fetch:*.test:{port}"]
)
async def test_a_name_that_leads_inside_is_denied(grant: str) -> None:
    """Whoever owns the name; no connection is opened."""
    async with serve(answer(message())) as origin:
        session = make_session(grant.format(port=origin.port))
        for address in (
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "::ffff:127.0.0.1",
            "10.0.0.1",
            "fe80::1%lo",
        ):
            calls = fetching(TableResolver(api_test=[address]))
            url = f"http://api.test:{origin.port}"
            assert await code_of(calls, session, op="fetch", url=url) == "denied"
    assert origin.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"])
async def test_a_literal_address_inside_is_denied_unless_granted(host: str) -> None:
    """`fetch:*` means every public host."""
    assert await code_of(fetching(), make_session("fetch:*"), op="fetch", url=f"http://{host}") == (
        "denied"
    )


async def test_a_name_may_lead_to_an_address_that_was_granted() -> None:
    """The deployer named that very address and port; the name's others are passed over."""
    async with serve(answer(message())) as origin:
        resolver = TableResolver(api_test=["10.0.0.1", "127.0.0.2", "127.0.0.1"])
        session = make_session(f"fetch:api.test:{origin.port}", origin.grant)
        url = f"http://api.test:{origin.port}/"
        got = await call(fetching(resolver), session, op="fetch", url=url)
        assert got["ok"]["url"] == url
        assert origin.received[0].headers["host"] == f"api.test:{origin.port}"
        other = make_session(f"fetch:api.test:{origin.port}", "fetch:127.0.0.1:1")
        assert await code_of(fetching(resolver), other, op="fetch", url=url) == "denied"
    assert origin.connections == 1


async def test_an_ipv6_address_can_be_granted() -> None:
    """With its brackets in URL and Host."""
    try:
        async with serve(answer(message()), host="::1") as origin:
            session = make_session(f"fetch:[::1]:{origin.port}")
            got = await call(fetching(), session, op="fetch", url=f"http://[0::1]:{origin.port}/")
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert got["ok"]["status"] == 200
    assert origin.received[0].headers["host"] == f"[::1]:{origin.port}"


async def test_rebinding_gains_nothing() -> None:
    """The name is resolved once for a connection; the next connection is checked anew."""
    async with serve(answer(message())) as granted, serve(answer(message())) as inside:
        resolver = TableResolver(api_test=[["127.0.0.1"], ["127.0.0.2"]])
        session = make_session(f"fetch:api.test:{granted.port}", granted.grant)
        url = f"http://api.test:{granted.port}"
        assert "ok" in await call(fetching(resolver), session, op="fetch", url=url)
        assert resolver.asked == ["api.test"]
        assert await code_of(fetching(resolver), session, op="fetch", url=url) == "denied"
    assert (granted.connections, inside.connections) == (1, 0)


async def test_names_that_lead_nowhere_are_unreachable() -> None:
    """No such name, or nobody at the door."""
    assert await code_of(
        fetching(), make_session("fetch:*"), op="fetch", url="http://nowhere.test"
    ) == ("unreachable")
    async with serve(answer(message())) as origin:
        gone = origin
    code = await code_of(fetching(), make_session(gone.grant), op="fetch", url=gone.url)
    assert code == "unreachable"


# Redirects


async def test_redirects_are_followed_within_the_grants() -> None:
    """Relative ones, and to another granted origin; the answer says where they ended."""
    async with (
        serve(answer(message(body=b"end"))) as end,
        serve(redirect(f"{end.url}/final#x")) as begin,
    ):
        session = make_session(begin.grant, end.grant)
        got = await call(fetching(), session, op="fetch", url=begin.url)
        assert got["ok"]["url"] == f"{end.url}/final"
        assert got["ok"]["body"] == b"end"
        alone = make_session(begin.grant)
        assert await code_of(fetching(), alone, op="fetch", url=begin.url) == "denied"
    assert end.connections == 1


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "denied"),
        ("http://localhost/", "denied"),
        ("http://inside.test/", "denied"),
        ("https://[::1]/", "denied"),
        ("file:///etc/passwd", "unreachable"),
        ("http://user:password@example.com/", "unreachable"),
        ("http://h:99999/", "unreachable"),
        ("gopher://h/", "unreachable"),
    ],
)
async def test_a_redirect_cannot_lead_where_a_url_may_not(location: str, code: str) -> None:
    """Even for a function that may fetch from every public host."""
    resolver = TableResolver(inside_test=LOOPBACK, localhost=LOOPBACK)
    async with serve(redirect(location)) as origin:
        session = make_session("fetch:*", origin.grant)
        assert await code_of(fetching(resolver), session, op="fetch", url=origin.url) == code


async def test_redirects_are_bounded() -> None:
    """A server that sends the guest in circles is left after a few."""
    async with serve(redirect("/again")) as origin:
        code = await code_of(fetching(), make_session(origin.grant), op="fetch", url=origin.url)
    assert code == "unreachable"
    assert origin.connections == REDIRECTS_MAX + 1


CREDENTIALS = {"Authorization": "secret", "Cookie": "id=1"}


async def _redirected(status: str, method: str, *, elsewhere: bool) -> tuple[Origin, Origin]:
    """Follow one redirect with a body and credentials; (where it began, where it ended)."""
    async with serve(answer(message())) as end:

        async def respond(received, writer) -> None:  # type: ignore[no-untyped-def]
            target = end.url if elsewhere else ""
            first = len(begin.received) == 1
            writer.write(message(status, {"location": f"{target}/next"}) if first else message())

        async with serve(respond) as begin:
            got = await call(
                fetching(),
                make_session(begin.grant, end.grant),
                op="fetch",
                url=begin.url,
                method=method,
                headers={
                    "Authorization": "secret",
                    "Cookie": "id=1",
                    "Content-Type": "x",
                    "X": "y",
                },
                body="body",
            )
            assert "ok" in got
    return begin, end


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        ("301 Moved", "POST", "GET"),
        ("302 Found", "POST", "GET"),
        ("303 See Other", "POST", "GET"),
        ("303 See Other", "PUT", "GET"),
        ("302 Found", "PUT", "PUT"),
        ("307 Temporary", "POST", "POST"),
        ("308 Permanent", "PATCH", "PATCH"),
    ],
)
async def test_a_redirect_changes_the_method_as_the_standard_says(
    status: str, method: str, then: str
) -> None:
    """And the body goes only with a method that keeps it."""
    begin, _ = await _redirected(status, method, elsewhere=False)
    first, second = begin.received
    assert (first.method, first.body) == (method, b"body")
    assert (second.method, second.body) == (then, b"" if then == "GET" else b"body")
    assert ("content-type" in second.headers) is (then != "GET")
    assert second.headers["authorization"] == "secret"


async def test_credentials_stay_with_their_origin() -> None:
    """A redirect to another port, host or scheme does not carry them along."""
    _, end = await _redirected("307 Temporary", "POST", elsewhere=True)
    headers = end.received[0].headers
    assert "authorization" not in headers
    assert "cookie" not in headers
    assert headers["x"] == "y"
    assert end.received[0].body == b"body"


# Certificates


async def test_tls_is_checked_against_the_name_not_the_address() -> None:
    """The connection goes to a checked address, the certificate must be the name's."""
    resolver = TableResolver(secure_test=LOOPBACK, other_test=LOOPBACK)
    async with serve(answer(message(body=b"sealed")), tls=True) as origin:
        port = origin.port
        session = make_session(
            f"fetch:secure.test:{port}", f"fetch:other.test:{port}", origin.grant
        )
        got = await call(
            fetching(resolver), session, op="fetch", url=f"https://secure.test:{port}/"
        )
        assert got["ok"]["body"] == b"sealed"
        for host in ("other.test", "127.0.0.1"):
            url = f"https://{host}:{port}/"
            assert await code_of(fetching(resolver), session, op="fetch", url=url) == "unreachable"
        distrusting = fetching(resolver, trusting=False)
        url = f"https://secure.test:{port}/"
        assert await code_of(distrusting, session, op="fetch", url=url) == "unreachable"
    assert len(origin.received) == 1


async def test_plain_text_on_a_tls_port_is_unreachable() -> None:
    """Either way round."""
    async with serve(answer(message())) as origin:
        url = f"https://127.0.0.1:{origin.port}/"
        session = make_session(origin.grant)
        async with asyncio.timeout(10):
            code = await code_of(fetching(), session, op="fetch", url=url, timeoutMs=200)
    assert code in ("unreachable", "timeout")
