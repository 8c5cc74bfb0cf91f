"""Web pages cannot reach the control plane through their reader's browser."""

import pytest

from edge.front.guard import foreign, is_loopback

HOST = (b"host", b"127.0.0.1:8081")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8081", "127.0.0.1", "127.9.8.7:1", "[::1]", "[::1]:8081"],
)
def test_this_machine_may_be_named(host: str) -> None:
    """Every usual way to write loopback is understood."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8081",
        "example.com",
        "127.0.0.1.example.com",
        "localhost.example.com:8081",
        "192.0.2.1:8081",
        "0.0.0.0",
        "[::]:8081",
        "[2001:db8::1]",
        "[",
        "2130706433",
        "127.1",
    ],
)
def test_no_other_name_passes(host: str) -> None:
    """A name that an attacker can point here is refused, whatever it looks like."""
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "headers",
    [
        [HOST],
        [HOST, (b"origin", b"http://127.0.0.1:8081")],
        [HOST, (b"sec-fetch-site", b"same-origin")],
        [HOST, (b"sec-fetch-site", b"none")],
    ],
)
def test_clients_and_own_pages_pass(headers: list[tuple[bytes, bytes]]) -> None:
    """Programs send neither Origin nor Sec-Fetch-Site; the plane's own pages name it."""
    assert foreign(headers, "http", is_local=True) == ""
    assert foreign(headers, "http", is_local=False) == ""


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [HOST, HOST],
        [(b"host", b"rebound.example:8081")],
        [HOST, (b"origin", b"https://evil.example")],
        [HOST, (b"origin", b"null")],
        [HOST, (b"origin", b"https://127.0.0.1:8081")],
        [HOST, (b"origin", b"http://127.0.0.1:8080")],
        [HOST, (b"origin", b"http://localhost:8081")],
        [HOST, (b"sec-fetch-site", b"cross-site")],
        [HOST, (b"sec-fetch-site", b"same-site")],
        [HOST, (b"sec-fetch-site", b"none"), (b"sec-fetch-site", b"cross-site")],
    ],
)
def test_foreign_requests_are_refused(headers: list[tuple[bytes, bytes]]) -> None:
    """Other sites, rebound names, and the data plane's own port, where functions serve pages."""
    assert foreign(headers, "http", is_local=True)


def test_a_plane_that_others_reach_has_any_name() -> None:
    """It asks for keys, which no page has; but Host is still one, and pages still its own."""
    named = (b"host", b"edge.example:8081")
    assert foreign([named], "https", is_local=False) == ""
    assert (
        foreign([named, (b"origin", b"https://edge.example:8081")], "https", is_local=False) == ""
    )
    for more in (named, (b"origin", b"https://evil.example"), (b"sec-fetch-site", b"cross-site")):
        assert foreign([named, more], "https", is_local=False)
