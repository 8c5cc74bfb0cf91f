"""JSON, strictly."""

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.front.documents import decode_base64, json_bytes, parse_json, parse_object
from edge.model.errors import InvalidContent

_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_plain)
def test_plain_values_survive_the_round_trip(value: Any) -> None:
    """What is written is read back as it was."""
    assert parse_json(json_bytes(value)) == value


@given(st.binary())
def test_bytes_are_written_as_base64(data: bytes) -> None:
    """A client gets the bytes back with any base64 decoder."""
    assert base64.b64decode(json.loads(json_bytes({"b": [data]}))["b"][0]) == data


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"NaN",
        b"[-Infinity]",
        b'"\\ud800"',
        b'{"\\uDC00": 1}',
        b"\xff",
        b"[" * 100_000,
        b"1" * 5_000,
        b"{} {}",
    ],
)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    """Broken, endless, non-standard and unencodable texts end in one error."""
    with pytest.raises(InvalidContent):
        parse_json(text)


def test_a_surrogate_pair_is_a_character() -> None:
    """Only halves are refused."""
    assert parse_json(b'"\\ud83d\\ude00"') == "😀"


def test_an_object_is_asked_for() -> None:
    """A list is valid JSON and no document."""
    with pytest.raises(InvalidContent, match="object"):
        parse_object(b"[]")


def _cycle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize("value", [float("nan"), {b"k": 1}, {1, 2}, object(), "\ud800", _cycle()])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    """Other types, other keys, halves of pairs and cycles raise one kind of error."""
    with pytest.raises(ValueError, match="e"):
        json_bytes(value)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 786_432, 786_433, 2_000_000])
def test_base64_in_steps_is_base64(size: int) -> None:
    """Decoding in steps gives what decoding at once would, at and around a step's end too."""
    data = random.Random(size).randbytes(size)
    assert decode_base64(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize("text", ["a", "====", "é", "AA==AA="])
def test_bad_base64_is_refused(text: str) -> None:
    """A module that would come out wrong does not."""
    with pytest.raises(InvalidContent, match="base64"):
        decode_base64(text)
