"""The C SDK's values: what its decoder reads and refuses, and what its writer writes."""

import math
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.sdk.bare_host import Load
from tests.sdk.cbor_wire import encodings, is_well_formed, values

DEPTH_MAX = 64  # EDGE_DEPTH_MAX

law = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@law
@given(values().flatmap(lambda value: st.tuples(st.just(value), encodings(value))))
def test_every_encoding_is_read_and_rewritten(guest: Load, case: tuple[Any, bytes]) -> None:
    """Any well-formed spelling of a value is read as that value, and written back as it."""
    value, encoded = case
    message = b"\xa2\x65event" + encoded + b"\x67context\xa0"
    assert cbor2.loads(guest("rebuild").invoke_raw(message)) == {"ok": value}


@law
@given(values(allow_infinity=False))  # cbor2 shortens those, and no other float
def test_written_values_are_in_the_shortest_form(guest: Load, value: Any) -> None:
    """The writer's bytes are those of a counting encoder, so stored values compare as bytes."""
    answer = guest("rebuild").invoke_raw(cbor2.dumps({"event": value, "context": {}}))
    assert answer == cbor2.dumps({"ok": value})


@law
@given(values())
def test_echo_returns_the_event_byte_for_byte(guest: Load, value: Any) -> None:
    """A value that is passed through is copied, not translated."""
    encoded = cbor2.dumps({"event": {"value": value}, "context": {}})
    assert guest("echo").invoke_raw(encoded) == cbor2.dumps({"ok": {"value": value}})


@pytest.mark.parametrize("count", [0, 1, 23, 24, 255, 256, 65535, 65536])
def test_containers_of_every_head_size(guest: Load, count: int) -> None:
    """Ending a container moves its content by the size of its head, at each border of sizes."""
    value = {"array": [1] * count, "map": {str(i): i for i in range(count)}}
    assert guest("rebuild").ok(value) == value


def test_not_a_number_survives(guest: Load) -> None:
    """NaN, in all three widths, is read as NaN and written as one."""
    for encoded in (b"\xf9\x7e\x00", b"\xfa\x7f\xc0\0\0", b"\xfb\x7f\xf8\0\0\0\0\0\0"):
        answer = guest("rebuild").invoke_raw(b"\xa1\x65event" + encoded)
        assert math.isnan(cbor2.loads(answer)["ok"])


def test_half_floats_are_exact(guest: Load) -> None:
    """Half-precision floats, subnormal ones too, become the same doubles."""
    halves = b"".join(b"\xf9" + half.to_bytes(2, "big") for half in range(0, 0x7C00, 7))
    event = b"\x9f" + halves + b"\xff"
    answer = cbor2.loads(guest("rebuild").invoke_raw(b"\xa1\x65event" + event))
    assert answer["ok"] == cbor2.loads(event)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An encoding with a byte or two changed: nearly well-formed, which random bytes seldom are."""
    encoded = bytearray(draw(values().flatmap(encodings)))
    for _ in range(draw(st.integers(1, 2))):
        encoded[draw(st.integers(0, len(encoded) - 1))] = draw(st.integers(0, 255))
    return bytes(encoded)


@law
@given(st.binary(max_size=80) | damaged())
def test_exactly_the_well_formed_is_accepted(guest: Load, data: bytes) -> None:
    """Whatever bytes stand where the event should be, the decoder agrees with the standard."""
    message = b"\xa2\x65event" + data + b"\x67context\xa0"
    answer = cbor2.loads(guest("hello").invoke_raw(message))
    assert ("ok" in answer) == is_well_formed(message, DEPTH_MAX), answer


@law
@given(values(), st.data())
def test_damaged_messages_never_trap(guest: Load, value: Any, data: st.DataObject) -> None:
    """Cut or changed messages are refused or read as something else; the answer is CBOR."""
    message = bytearray(cbor2.dumps({"event": value, "context": {"deadlineMs": 1}}))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(message)))
    for name in ("rebuild", "calls"):
        assert is_well_formed(guest(name).invoke_raw(bytes(message[:cut])), DEPTH_MAX + 2)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"\x9b" + b"\xff" * 8, id="an array of 2^64 items"),
        pytest.param(b"\xbb" + b"\xff" * 8, id="a map of 2^64 entries"),
        pytest.param(b"\x5a\xff\xff\xff\xff", id="a byte string of 4 GB"),
        pytest.param(b"\x7b" + b"\xff" * 8, id="a text of 2^64 bytes"),
        pytest.param(b"\x81" * 100_000 + b"\x00", id="100,000 arrays, each in another"),
        pytest.param(b"\x9f" * 100_000 + b"\xff" * 100_000, id="the same of unknown length"),
        pytest.param(b"\xc1" * 100_000 + b"\x00", id="100,000 tags"),
        pytest.param(b"\xbb\x80" + b"\0" * 7, id="a map of 2^63 entries: 2^64 items are 0"),
        pytest.param(b"\x7f\x42ab\xff", id="bytes in a text's chunks"),
        pytest.param(b"\x7f\x7f\xff\xff", id="chunks in a chunk"),
        pytest.param(b"\xf8\x14", id="false in too long a form"),
        pytest.param(b"\xff", id="a break with nothing to break"),
        pytest.param(b"\x00\x00", id="two values"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_malformed_events_are_refused(guest: Load, encoded: bytes) -> None:
    """Claims beyond the message and nesting beyond the limit end in an error, at once."""
    for message in (encoded, b"\xa1\x65event" + encoded):
        answer = cbor2.loads(guest("rebuild").invoke_raw(message or b"\x00"))
        assert answer["error"]["errorType"] == "Runtime.BadEvent"


def test_the_depth_limit_is_what_it_says(guest: Load) -> None:
    """64 levels below the message are read; one more is not."""
    nested: Any = 0
    for _ in range(DEPTH_MAX - 1):
        nested = [nested]
    assert guest("rebuild").ok(nested) == nested
    assert "error" in guest("rebuild").invoke([nested])


@pytest.mark.parametrize(
    "mistake",
    ["no end", "end too often", "key without value", "two values", "too deep", "too large"],
)
def test_incomplete_values_become_an_error(guest: Load, mistake: str) -> None:
    """A handler that writes half a value gets an error with a cause, and the host gets CBOR."""
    answer = guest("misuse").invoke(mistake)
    assert answer["error"]["errorType"] == "Runtime.BadResult"


def test_errors_without_memory(guest: Load) -> None:
    """When no memory is left there still is an error object, complete as the ABI wants it."""
    answer = guest("misuse").invoke("no memory")
    assert answer["error"] == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": "no memory left",
        "stackTrace": [],
    }


def test_incomplete_requests_do_not_leave_the_guest(guest: Load) -> None:
    """A host call whose request was never finished fails in the guest."""
    answer = guest("misuse").invoke("incomplete request")
    assert answer["error"]["errorType"] == "edge.invalid_request"
    assert guest("misuse").requests == []


def test_integers_that_do_not_fit_are_not_cut(guest: Load) -> None:
    """A signed reader gives its fallback for what int64 does not hold."""
    for number in (2**63, 2**64 - 1, -(2**63) - 1, -(2**64)):
        shown = guest("rebuild").ok({"format": {"int": number, "float": 0, "text": ""}})
        assert shown.split("|")[0] == "0"


@law
@example(b"\xed\xa0\x80")  # a surrogate
@example(b"\xf4\x90\x80\x80")  # beyond Unicode
@example(b"\xe0\x9f\xbf\xf0\x8f\xbf\xbf\xc1\xbf")  # too long forms
@given(st.binary())
def test_text_is_always_utf8(guest: Load, data: bytes) -> None:
    """Bytes that are not UTF-8 become U+FFFD, one for each; all others stay."""
    text = guest("rebuild").ok({"text": data})
    assert text.replace("\ufffd", "") == data.decode("utf-8", "ignore").replace("\ufffd", "")
