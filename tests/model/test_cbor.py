"""The codec between guests and host: what it takes, what it refuses, what hostile bytes can do."""

import contextlib
import struct

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.model import cbor
from edge.model.cbor import DEPTH_MAX, ITEMS_MAX, CborError

INTEGERS = st.integers(-(1 << 64), (1 << 64) - 1)
LEAVES = st.none() | st.booleans() | INTEGERS | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


def same(left: object, right: object) -> bool:
    """Equality by type and bit, so that NaN equals NaN and True does not equal 1."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and isinstance(right, float):
        return struct.pack("d", left) == struct.pack("d", right) or left != left != right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return left == right


@given(VALUES)
def test_plain_values_come_back_as_they_were(value: object) -> None:
    """What one side writes, the other reads: type, value and order."""
    assert same(cbor.decode(cbor.encode(value)), value)


@given(VALUES)
def test_a_memoryview_decodes_like_bytes(value: object) -> None:
    """The sandbox hands over views of guest memory."""
    assert same(cbor.decode(memoryview(cbor.encode(value))), value)


@given(st.binary(max_size=200))
@example(b"\x9f" * 200)
@example(b"\xd8\x1c\x81\xd8\x1d\x00")
def test_any_bytes_decode_or_raise_cbor_error(data: bytes) -> None:
    """Hostile bytes have one way to fail."""
    try:
        value = cbor.decode(data)
    except CborError:
        return
    assert same(cbor.decode(cbor.encode(value)), value)


@given(VALUES, st.data())
def test_a_damaged_message_decodes_or_raises_cbor_error(value: object, data: st.DataObject) -> None:
    """So do bytes that begin well."""
    message = bytearray(cbor.encode(value))
    message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CborError):
        cbor.decode(bytes(message))


@given(VALUES, st.binary(min_size=1, max_size=3))
def test_trailing_bytes_are_refused(value: object, tail: bytes) -> None:
    """One message is one value, or two readers could disagree about it."""
    with pytest.raises(CborError):
        cbor.decode(cbor.encode(value) + tail)


@given(VALUES)
def test_every_prefix_is_refused(value: object) -> None:
    """A message that was cut short is never a shorter value."""
    message = cbor.encode(value)
    for end in range(len(message)):
        with pytest.raises(CborError):
            cbor.decode(message[:end])


@pytest.mark.parametrize(
    "tag", [0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 54, 100, 256, 258, 260, 55799, 1 << 40]
)
def test_every_tag_is_refused(tag: int) -> None:
    """Tags make cbor2 build numbers, patterns, dates or loops out of what a guest sent."""
    with pytest.raises(CborError):
        cbor.decode(cbor2.dumps(cbor2.CBORTag(tag, 0)))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x5b" + b"\xff" * 8, id="bytes of 2^64"),
        pytest.param(b"\x7a\xff\xff\xff\xff", id="text of 4 GiB"),
        pytest.param(b"\x9a\xff\xff\xff\xff", id="array of 2^32"),
        pytest.param(b"\xbb" + b"\xff" * 8, id="map of 2^64"),
        pytest.param(b"\x81" * 1_000_000, id="a million deep"),
        pytest.param(b"\x9f" * 1_000_000, id="a million deep, unbounded"),
        pytest.param(b"\x80" * 0, id="nothing"),
        pytest.param(b"\xa1\x01\x02", id="integer key"),
        pytest.param(b"\xa1\x41a\x02", id="byte key"),
        pytest.param(b"\xa2\x61a\x01\x61a\x02", id="repeated key"),
        pytest.param(b"\x61\xff", id="not UTF-8"),
        pytest.param(b"\x63\xed\xa0\x80", id="surrogate"),
        pytest.param(b"\xe0", id="simple value"),
        pytest.param(b"\xff", id="lone break"),
        pytest.param(b"\x1f", id="reserved head"),
    ],
)
def test_what_is_not_plain_cbor_is_refused(data: bytes) -> None:
    """Each of these has crashed or drained some decoder."""
    with pytest.raises(CborError):
        cbor.decode(data)


def test_depth_is_bounded_both_ways() -> None:
    """The deepest value allowed passes, one deeper does not."""
    value: object = 0
    for _ in range(DEPTH_MAX):
        value = [value]
    assert same(cbor.decode(cbor.encode(value)), value)
    with pytest.raises(CborError, match="deep"):
        cbor.encode([value])
    with pytest.raises(CborError, match="depth"):
        cbor.decode(b"\x81" + cbor.encode(value))
    with pytest.raises(CborError, match="depth"):
        cbor.decode(cbor.encode([[0]]), depth_max=1)


@pytest.mark.parametrize("item", [b"\x80", b"\x00", b"\x41x", b"\xa0", b"\xf9\x00\x00"])
def test_the_number_of_items_is_bounded(item: bytes) -> None:
    """Six megabytes of empty lists would become half a gigabyte."""
    assert len(cbor.decode(b"\x9f" + item * (ITEMS_MAX - 2) + b"\xff")) == ITEMS_MAX - 2  # type: ignore[arg-type]
    with pytest.raises(CborError, match="items"):
        cbor.decode(b"\x9f" + item * (ITEMS_MAX + 1) + b"\xff")


@pytest.mark.parametrize("value", [b"x" * (6 << 20), "x" * (6 << 20), ["x" * 300] * 20_000])
def test_large_messages_of_few_items_pass(value: object) -> None:
    """The bound is on items, not on bytes."""
    assert cbor.decode(cbor.encode({"body": value})) == {"body": value}


def test_an_empty_container_nests_nothing() -> None:
    """Both sides count alike, so what was read can always be written."""
    message = b"\x81" * DEPTH_MAX + b"\xa0"
    assert cbor.encode(cbor.decode(message)) == message
    with pytest.raises(CborError):
        cbor.decode(b"\x81" + message)


def test_undefined_is_read_as_none() -> None:
    """JavaScript's SDKs send it; no other part of the host need know of it."""
    assert cbor.decode(b"\xf7") is None
    assert cbor.decode(b"\x82\xf7\xa1\x61a\xf7") == [None, {"a": None}]


def test_tuples_are_written_as_arrays() -> None:
    """The host's own records are tuples."""
    assert cbor.decode(cbor.encode((1, ("a",)))) == [1, ["a"]]


@pytest.mark.parametrize(
    "value", [1 << 64, -(1 << 64) - 1, {1: 2}, {"a": object()}, "\ud800", {"\udfff": 1}, {1, 2}]
)
def test_what_is_not_plain_is_not_written(value: object) -> None:
    """A tag that we refuse to read is one that we never write."""
    with pytest.raises(CborError):
        cbor.encode(value)


def test_a_value_that_holds_itself_is_not_written() -> None:
    """It would never end."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(CborError):
        cbor.encode(loop)
