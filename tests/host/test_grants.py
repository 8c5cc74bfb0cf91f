"""Grants: what each allows, what none allows, and what their grammar refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.host.grants import GRANTS_MAX, GrantSet, parse_grants
from edge.host.hostname import normalize_host
from edge.model.errors import InvalidConfiguration


def test_nothing_is_allowed_without_a_grant() -> None:
    """The empty set denies all."""
    grants = parse_grants(())
    assert grants == GrantSet()
    assert not grants.allows_namespace(None)
    assert not grants.allows_namespace("shared")
    assert not grants.allows_fetch("example.com", 443)
    assert not grants.allows_address("127.0.0.1", 80)


def test_namespaces_are_granted_one_by_one() -> None:
    """`kv` is the function's own, `kv:NAME` that one, and neither is the other."""
    assert parse_grants(["kv"]).allows_namespace(None)
    assert not parse_grants(["kv"]).allows_namespace("shared")
    assert parse_grants(["kv:shared"]).allows_namespace("shared")
    assert not parse_grants(["kv:shared"]).allows_namespace("Shared")
    assert not parse_grants(["kv:shared"]).allows_namespace(None)


@pytest.mark.parametrize(
    ("grant", "host", "port", "allowed"),
    [
        ("fetch:api.example.com", "api.example.com", 443, True),
        ("fetch:api.example.com", "api.example.com", 80, True),
        ("fetch:api.example.com", "api.example.com", 8443, False),
        ("fetch:api.example.com", "example.com", 443, False),
        ("fetch:api.example.com", "x.api.example.com", 443, False),
        ("fetch:api.example.com", "api.example.com.evil.org", 443, False),
        ("fetch:API.Example.COM.", "api.example.com", 443, True),
        ("fetch:api.example.com:8443", "api.example.com", 8443, True),
        ("fetch:api.example.com:8443", "api.example.com", 443, False),
        ("fetch:*.example.com", "a.b.example.com", 443, True),
        ("fetch:*.example.com", "example.com", 443, False),
        ("fetch:*.example.com", "badexample.com", 443, False),
        ("fetch:*.example.com:81", "a.example.com", 81, True),
        ("fetch:*", "anything.org", 443, True),
        ("fetch:*", "anything.org", 22, False),
        ("fetch:*:22", "anything.org", 22, True),
        ("fetch:127.0.0.1:9000", "127.0.0.1", 9000, True),
        ("fetch:127.0.0.1:9000", "127.0.0.1", 80, False),
        ("fetch:[::1]:9000", "::1", 9000, True),
        ("fetch:[0:0::1]", "::1", 80, True),
        ("fetch:::1", "::1", 443, True),
    ],
)
def test_a_fetch_grant_allows_what_it_names(
    grant: str, host: str, port: int, allowed: bool
) -> None:
    """Host and port both, and nothing that merely looks like them."""
    assert parse_grants([grant]).allows_fetch(host, port) is allowed


def test_only_a_literal_address_lifts_the_ban_on_private_ones() -> None:
    """A name may lead anywhere its owner likes; an address is what the deployer wrote."""
    assert parse_grants(["fetch:10.0.0.5:8000"]).allows_address("10.0.0.5", 8000)
    assert not parse_grants(["fetch:10.0.0.5:8000"]).allows_address("10.0.0.5", 80)
    assert not parse_grants(["fetch:*", "fetch:localhost"]).allows_address("127.0.0.1", 80)


@pytest.mark.parametrize(
    "grant",
    [
        "",
        "kv:",
        "kv:a/b",
        "kv:" + "n" * 65,
        "kv ",
        "KV",
        "queue",
        "secrets:x",
        "fetch",
        "fetch:",
        "fetch:*.",
        "fetch:*.*.com",
        "fetch:a*.com",
        "fetch:http://example.com",
        "fetch:example.com/path",
        "fetch:user@example.com",
        "fetch:example.com:",
        "fetch:example.com:0",
        "fetch:example.com:65536",
        "fetch:example.com:http",
        "fetch:exa mple.com",
        "fetch:127.1",
        "fetch:0x7f000001",
        "fetch:2130706433",
        "fetch:[::1",
        "fetch:[example.com]",
        "fetch:*.127.0.0.1",
        "fetch:fe80::1%eth0",
        "fetch:bücher.example",
        "fetch:" + "a." * 200 + "com",
    ],
)
def test_a_bad_grant_is_refused_by_name(grant: str) -> None:
    """The deployer learns which grant it was."""
    with pytest.raises(InvalidConfiguration) as refusal:
        parse_grants(["kv", grant])
    assert repr(grant[:80]) in refusal.value.message


def test_the_number_of_grants_is_bounded() -> None:
    """They are asked one after another."""
    with pytest.raises(InvalidConfiguration, match="limit"):
        parse_grants(["kv"] * (GRANTS_MAX + 1))


@given(
    st.text(max_size=40) | st.from_regex(r"(kv|fetch):[a-z0-9*.:\[\]%@/-]{0,30}", fullmatch=True)
)
def test_any_text_is_a_grant_or_refused(text: str) -> None:
    """Nothing else comes out of the parser, and what it takes it can be asked."""
    try:
        grants = parse_grants([text])
    except InvalidConfiguration:
        return
    grants.allows_fetch("example.com", 443)


@given(st.from_regex(r"[A-Za-z0-9_.:\[\]-]{1,40}", fullmatch=True))
def test_normalizing_a_host_twice_changes_nothing(text: str) -> None:
    """One spelling for one host."""
    try:
        once = normalize_host(text)
    except ValueError:
        return
    assert normalize_host(once) == once
