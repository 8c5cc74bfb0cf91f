"""The C SDK's calls: each request on the wire, each answer in C, responses, logs and text."""

import base64
import time
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sdk.bare_host import Answer, BareHost, Load
from tests.toolchain import FREESTANDING_FLAGS, GUESTS, ROOT, build_source

law = settings(max_examples=100, deadline=None)

NO_ERROR = {"code": 0, "name": "", "message": ""}
CODES = [
    "denied",
    "invalid_request",
    "conflict",
    "too_large",
    "timeout",
    "unreachable",
    "quota",
    "unavailable",
]


def host(answer: Answer) -> BareHost:
    """The guest that makes the call its event names, on a host with this answer."""
    return BareHost(build_source(ROOT / "tests" / "sdk" / "calls.c"), answer)


@pytest.mark.parametrize(
    ("event", "request_sent", "answer", "result"),
    [
        pytest.param(
            {"op": "get", "key": "k"},
            {"op": "kv.get", "key": "k"},
            {"value": b"v", "version": 2**63, "expiresMs": 5},
            {"found": True, "value": b"v", "version": 2**63, "expiresMs": 5},
            id="get",
        ),
        pytest.param(
            {"op": "get", "key": "", "namespace": "shared"},
            {"op": "kv.get", "key": "", "namespace": "shared"},
            None,
            {"found": False, "value": None, "version": 0, "expiresMs": 0},
            id="get what is absent",
        ),
        pytest.param(
            {"op": "put", "key": "k", "value": {"any": [1, b"2"]}},
            {"op": "kv.put", "key": "k", "value": {"any": [1, b"2"]}},
            {"version": 1},
            {"version": 1, "value": 0},
            id="put",
        ),
        pytest.param(
            {"op": "swap", "key": "k", "value": b"v", "ttlMs": 9, "version": 0},
            {"op": "kv.put", "key": "k", "value": b"v", "ttlMs": 9, "ifVersion": 0},
            {"version": 1},
            {"version": 1, "value": 0},
            id="swap, when absent, with a time to live",
        ),
        pytest.param(
            {"op": "increment", "key": "k", "value": -3},
            {"op": "kv.increment", "key": "k", "by": -3},
            {"value": -3, "version": 4},
            {"value": -3, "version": 4},
            id="increment",
        ),
        pytest.param(
            {"op": "delete", "key": "k"},
            {"op": "kv.delete", "key": "k"},
            {"deleted": True},
            {"deleted": True},
            id="delete",
        ),
        pytest.param(
            {"op": "delete_if", "key": "k", "version": 7},
            {"op": "kv.delete", "key": "k", "ifVersion": 7},
            {"deleted": False},
            {"deleted": False},
            id="delete a version",
        ),
        pytest.param(
            {"op": "list", "prefix": "a", "after": "ab", "limit": 2},
            {"op": "kv.list", "prefix": "a", "after": "ab", "limit": 2},
            {"entries": [{"key": "ac", "version": 1}], "next": "ac"},
            {"entries": [{"key": "ac", "version": 1}], "more": True, "next": "ac"},
            id="list",
        ),
        pytest.param(
            {"op": "list"},
            {"op": "kv.list"},
            {"entries": [], "next": None},
            {"entries": [], "more": False, "next": ""},
            id="list everything",
        ),
        pytest.param(
            {"op": "fetch", "url": "https://a.test/"},
            {"op": "fetch", "url": "https://a.test/"},
            {"status": 200, "headers": {"x": "1, 2"}, "body": b"\xff", "url": "https://b.test/"},
            {"status": 200, "headers": {"x": "1, 2"}, "body": b"\xff", "url": "https://b.test/"},
            id="fetch",
        ),
        pytest.param(
            {"op": "fetch", "url": "u", "body": b"\0x", "timeoutMs": 70},
            {
                "op": "fetch",
                "url": "u",
                "method": "POST",
                "headers": {"x-one": "1", "x-two": "2"},
                "body": b"\0x",
                "timeoutMs": 70,
            },
            {"status": 404, "headers": {}, "body": b"", "url": "u"},
            {"status": 404, "headers": {}, "body": b"", "url": "u"},
            id="fetch with everything",
        ),
    ],
)
def test_calls_on_the_wire(
    event: dict[str, Any], request_sent: dict[str, Any], answer: object, result: dict[str, Any]
) -> None:
    """Each typed call sends the documented request, leaves out what is unset, reads the answer."""
    calls = host(lambda _: {"ok": answer})
    assert calls.ok(event) == NO_ERROR | result
    assert calls.requests == [request_sent]


@pytest.mark.parametrize("name", [*CODES, "from_the_future"])
@pytest.mark.parametrize("op", ["get", "put", "increment", "delete", "list", "fetch"])
def test_errors_have_codes(op: str, name: str) -> None:
    """Every documented code has its constant; a code of a later version is unknown, not lost."""
    calls = host(lambda _: {"error": {"code": name, "message": "because"}})
    result = calls.ok({"op": op, "key": "k", "url": "u"})
    assert (result["name"], result["message"]) == (name, "because")
    assert result["code"] == [*CODES, "from_the_future"].index(name) + 1


@pytest.mark.parametrize("answer", [b"", b"\xff", b"\xa0", b"\xa1\x62ok\x5a\xff\xff\xff\xff"])
def test_malformed_answers_are_an_error(answer: bytes) -> None:
    """A host that answers nonsense is unavailable; the guest goes on."""
    assert host(lambda _: answer).ok({"op": "get", "key": "k"})["name"] == "unavailable"


def test_log_lines_have_levels() -> None:
    """The five levels are 0 to 4, and a line is formatted before it leaves."""
    calls = host(lambda _: None)
    calls.ok({"op": "log"})
    assert calls.lines == [(level, f"level {level} of five") for level in range(5)]


def test_responses_have_lambdas_shape(guest: Load) -> None:
    """Status, headers, cookies and a binary body stand where the data plane looks for them."""
    assert guest("calls").ok({"op": "respond"}) == {
        "statusCode": 201,
        "headers": {"content-type": "text/html", "x-a": "b", "x-c": "d"},
        "cookies": ["a=1; HttpOnly", "b=2"],
        "isBase64Encoded": False,
        "body": b"\x00\xffbinary",
    }


def test_failures_have_lambdas_shape(guest: Load) -> None:
    """A handler's own error carries its type, its formatted message and an empty trace."""
    assert guest("calls").invoke({"op": "fail"}) == {
        "error": {
            "errorType": "Calls.Asked",
            "errorMessage": "as you asked: 7",
            "stackTrace": [],
        }
    }


def test_remaining_time_ends_at_zero(guest: Load) -> None:
    """The time left is counted to the deadline and is never negative."""
    now_ms = int(time.time() * 1000)
    assert guest("calls").ok({"op": "remaining"}, deadlineMs=now_ms - 5) == 0
    assert 0 < guest("calls").ok({"op": "remaining"}, deadlineMs=now_ms + 60_000) <= 60_000


@law
@given(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-(10**15), 10**15),
    st.text(st.characters(exclude_characters="\0", codec="utf-8")),
)
def test_format_agrees_with_printf(guest: Load, number: int, fraction: float, text: str) -> None:
    """edge_format gives what printf gives; Python's % operator is the witness."""
    request = {"int": number, "float": fraction, "text": text}
    parts = guest("rebuild").ok({"format": request}).split("|", 12)
    low = (number + 2**31) % 2**32 - 2**31
    wide = [f"{number:d}", f"{number % 2**64:d}", f"{number % 2**64:x}"]
    narrow = [f"{low:d}", f"{low % 2**32:d}", f"{low:06d}", f"{low:<6d}", f"{low:>4d}"]
    assert parts[:8] == wide + narrow
    for shown, decimals in zip(parts[8:12], (6, 2, 3, 0), strict=True):
        assert len(shown.partition(".")[2]) == decimals
        assert abs(float(shown) - fraction) <= 0.5000001 * 10**-decimals + abs(fraction) * 1e-15
    assert parts[12] == f"{text}|     abc|ab   |z|{len(text.encode())}|100%"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (float("nan"), "nan"),
        (1e18, "1.000000e+18"),
        (-2.5e300, "-2.500000e+300"),
    ],
)
def test_format_of_extreme_floats(guest: Load, number: float, shown: str) -> None:
    """Infinities, NaN and numbers beyond 64 bits are written, not cut."""
    request = {"int": 0, "float": number, "text": ""}
    assert guest("rebuild").ok({"format": request}).split("|")[8] == shown


@law
@given(st.binary(), st.booleans())
def test_base64_is_decoded(guest: Load, data: bytes, padded: bool) -> None:
    """Base64 comes back as its bytes, with or without padding."""
    text = base64.b64encode(data).decode()
    assert guest("rebuild").ok({"base64": text if padded else text.rstrip("=")}) == data


@pytest.mark.parametrize("text", ["A", "ABC DEF", "AB-_", "=AB", "ÀÀÀÀ"])
def test_what_is_not_base64_is_refused(guest: Load, text: str) -> None:
    """Other characters and impossible lengths are an error, not a guess."""
    assert guest("rebuild").ok({"base64": text}) == -1


@law
@given(st.binary() | st.text("%0aAgG9").map(str.encode))
def test_percent_escapes_are_decoded(guest: Load, data: bytes) -> None:
    """Paths are decoded as urllib decodes them, broken escapes included."""
    text = quote_from_bytes(data) if data[:1] != b"%" else data.decode("utf-8", "replace")
    assert guest("rebuild").ok({"unescape": text}) == unquote_to_bytes(text)


@pytest.mark.parametrize("name", ["hello", "echo", "counter", "proxy", "primes"])
def test_the_sdk_needs_no_libc(name: str) -> None:
    """The header compiles for wasm32-freestanding, without a warning, and works there."""
    module = build_source(GUESTS / name / f"{name}.c", FREESTANDING_FLAGS)
    assert set(BareHost(module).invoke({})) == {"ok"}
