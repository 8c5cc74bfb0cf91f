"""CORS by a URL's settings: what is told to whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.front.answers import Answer
from edge.front.cors import cors_fields, preflight, with_fields
from edge.model.url import Cors

OURS, THEIRS = "https://app.example", "https://evil.example"
origins = st.sampled_from((OURS, THEIRS, "null", "*"))
cors = st.builds(
    Cors,
    st.booleans(),
    st.sampled_from(((), ("*",), ("x-a", "x-b"))),
    st.sampled_from(((), ("*",), ("GET", "PUT"))),
    st.sampled_from(((), ("*",), (OURS,))),
    st.sampled_from(((), ("x-c",))),
    st.integers(0, 86_400),
)


def asking(origin: str) -> list[tuple[bytes, bytes]]:
    """The fields of a preflight."""
    return [
        (b"origin", origin.encode()),
        (b"access-control-request-method", b"PUT"),
        (b"access-control-request-headers", b"x-q"),
    ]


@given(cors, origins)
def test_only_allowed_origins_are_told_anything(settings: Cors, origin: str) -> None:
    """A page of another origin is never let in, and with credentials never by `*`."""
    fields = dict(cors_fields(settings, asking(origin)))
    allowed = "*" in settings.allow_origins or origin in settings.allow_origins
    assert (b"access-control-allow-origin" in fields) == allowed
    if b"access-control-allow-credentials" in fields:
        assert settings.allow_credentials
        assert fields[b"access-control-allow-origin"] == origin.encode()
    if fields.get(b"access-control-allow-origin") != b"*":
        assert fields[b"vary"] == b"origin"
    answer = preflight(settings, "OPTIONS", asking(origin))
    assert answer is not None
    assert (b"access-control-max-age" in dict(answer.headers)) == allowed


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            Cors(allow_origins=(OURS,), allow_methods=("GET", "PUT"), allow_headers=("x-a", "x-b")),
            {b"allow-methods": b"GET, PUT", b"allow-headers": b"x-a, x-b", b"max-age": b"0"},
        ),
        (
            Cors(allow_origins=("*",), allow_methods=("*",), allow_headers=("*",), max_age_s=60),
            {b"allow-methods": b"PUT", b"allow-headers": b"x-q", b"max-age": b"60"},
        ),
        (Cors(allow_origins=(OURS,)), {b"max-age": b"0"}),
        (Cors(allow_origins=(THEIRS,), allow_methods=("*",)), {}),
    ],
)
def test_a_preflight(settings: Cors, expected: dict[bytes, bytes]) -> None:
    """Methods and headers as set; `*` is what was asked for."""
    answer = preflight(settings, "OPTIONS", asking(OURS))
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"")
    prefix = b"access-control-"
    said = {name.removeprefix(prefix): v for name, v in answer.headers if name.startswith(prefix)}
    assert said == expected


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", asking(OURS)), ("OPTIONS", asking(OURS)[:1]), ("OPTIONS", asking(OURS)[1:])],
)
def test_what_is_no_preflight(method: str, headers: list[tuple[bytes, bytes]]) -> None:
    """It goes to the function."""
    assert preflight(Cors(allow_origins=("*",)), method, headers) is None


def test_the_functions_own_cors_gives_way() -> None:
    """What the URL says is said once; everything else stays."""
    own = [(b"access-control-allow-origin", b"*"), (b"x-a", b"1"), (b"vary", b"accept")]
    fields = cors_fields(Cors(allow_origins=(OURS,)), asking(OURS))
    answer = with_fields(Answer(200, own, b"body"), fields)
    assert sorted(answer.headers) == [
        (b"access-control-allow-origin", OURS.encode()),
        (b"vary", b"accept"),
        (b"vary", b"origin"),
        (b"x-a", b"1"),
    ]
