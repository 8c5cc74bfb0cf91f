"""The JSON that components and host exchange: it carries what CBOR does, and refuses the rest."""

import json as standard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import cbor, json
from edge.model.cbor import ITEMS_MAX
from edge.model.json import BYTES_KEY, JsonError

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary()
)
KEYS = st.text().filter(lambda key: key != BYTES_KEY)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)


@given(VALUES)
def test_plain_values_come_back_as_they_were(value: object) -> None:
    """What one side writes the other reads, bytes included, and CBOR can carry it too."""
    read = json.decode(json.encode(value).encode())
    assert read == value
    assert cbor.decode(cbor.encode(read)) == value


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_hostile_text_is_refused(data: bytes) -> None:
    """Any bytes become a value that CBOR can carry, or JsonError."""
    try:
        value = json.decode(data)
    except JsonError:
        return
    cbor.encode(value)


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "-Infinity",
        "1e999",
        "18446744073709551616",
        '"\\ud800"',
        '{"\\udfff": 1}',
        "[" * 66 + "]" * 66,
        "[" * 100_000,
        '{"$bytes": 1}',
        '{"$bytes": "A"}',
        "[" + "1," * ITEMS_MAX + "1]",
    ],
)
def test_what_cbor_has_no_place_for(text: str) -> None:
    """Numbers, text, depth and size beyond the plain values are refused."""
    with pytest.raises(JsonError):
        json.decode(text.encode())


def test_long_prose_is_not_many_items() -> None:
    """Commas inside a text are no items."""
    prose = "well, " * ITEMS_MAX
    assert json.decode(json.encode({"text": prose}).encode()) == {"text": prose}


def test_two_keys_are_a_map() -> None:
    """Only an object with that one key stands for bytes."""
    assert json.decode(b'{"$bytes": "AA==", "more": 1}') == {"$bytes": "AA==", "more": 1}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    """And named."""
    with pytest.raises(JsonError):
        json.encode(value)


@given(VALUES)
def test_a_marked_text_is_what_any_parser_reads(value: object) -> None:
    """Marked or not it is the same value; marked, it takes no word of bytes and long integers."""
    text = json.encode(value)
    marked = json.mark(text)
    assert marked.removeprefix(" ") == text
    assert json.decode(marked.encode()) == value
    if marked != text:
        assert standard.loads(marked, parse_int=float) == value


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [
        (999_999_999_999_999, True),
        (1_000_000_000_000_000, False),
        (-(2**63), False),
        ("0" * 16, False),
        ({"$byte": "AA=="}, True),
        (b"\0", False),
        ("١" * 20, True),
        ({"a": [1, "x", None, 0.5]}, True),
    ],
)
def test_what_is_marked(value: object, is_plain: bool) -> None:
    """Byte strings and sixteen figures in a row are left unmarked, wherever they stand."""
    assert json.mark(json.encode(value)).startswith(" ") is is_plain
