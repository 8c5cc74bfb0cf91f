"""Values across the border: what is written down is read back, whatever its type."""

import ctypes
from typing import Any

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st
from wasmtime import component as wit

from edge.host.wasi2.context import Resource
from edge.host.wasi2.results import Err, Ok
from edge.sandbox.component import raw
from edge.sandbox.component.cells import Uncrossable
from edge.sandbox.component.handles import HANDLES_MAX, Handles
from edge.sandbox.component.values import BYTES_MAX, compile_type

ENGINE = wasmtime.Engine()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.sampled_from(["a", "b", "c"])

TYPES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "u8": st.integers(0, (1 << 8) - 1),
    "u16": st.integers(0, (1 << 16) - 1),
    "u32": st.integers(0, (1 << 32) - 1),
    "u64": st.integers(0, (1 << 64) - 1),
    "char": st.characters(exclude_categories=["Cs"]),
    "string": TEXT,
    "(list u8)": st.binary(max_size=300),
    "(list string)": st.lists(TEXT, max_size=5),
    "(list (tuple string (list u8)))": st.lists(st.tuples(TEXT, st.binary(max_size=9)), max_size=4),
    "(tuple u8 string bool)": st.tuples(st.integers(0, 255), TEXT, st.booleans()),
    "(option string)": st.none() | TEXT,
    "(option (list u8))": st.none() | st.binary(max_size=9),
    "(result string (error u8))": TEXT.map(Ok) | st.integers(0, 255).map(Err),
    "(result)": st.sampled_from([Ok(), Err()]),
    "(option (result (result string) (error u8)))": (
        st.none() | st.integers(0, 255).map(Err) | (TEXT.map(Ok) | st.just(Err())).map(Ok)
    ),
    '(enum "a" "b" "c")': NAMES,
    '(flags "a" "b" "c")': st.frozensets(NAMES),
    '(record (field "x" u8) (field "y" (option string)))': st.tuples(
        st.integers(0, 255), st.none() | TEXT
    ),
    '(variant (case "a") (case "b" string))': st.just(("a", None))
    | TEXT.map(lambda text: ("b", text)),
}


class Guest:
    """Holds handles for values that have none."""

    context = 0
    scratch = 0
    handles = Handles({})

    def note_stall(self) -> None:
        """Nothing stalls here."""


def reflected(text: str) -> Any:
    """The type, as a component that imports it shows it."""
    wat = (
        f'(component (type $d {text}) (import "t" (type $t (eq $d)))'
        ' (import "f" (func (param "x" $t))))'
    )
    component = wit.Component(ENGINE, wasmtime.wat2wasm(wat))
    function = component.type.imports(ENGINE)["f"].ty
    assert isinstance(function, wit.FuncType)
    return function.params[0][1]


@pytest.mark.parametrize("text", TYPES)
def test_what_is_written_is_read(text: str) -> None:
    """Lifting is the inverse of lowering, and what was lowered can be deleted."""
    codec = compile_type(reflected(text))

    @given(TYPES[text])
    def check(value: Any) -> None:
        block = ctypes.create_string_buffer(raw.VAL_SIZE)
        address = ctypes.addressof(block)
        codec.lower(address, value, Guest())
        assert codec.lift(address, Guest()) == value
        raw.value_delete(address)

    check()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(list string)", ["fine", 7]),
        ("(tuple u8 string bool)", (1, "short")),
        ('(record (field "x" u8) (field "y" (option string)))', (1, 2)),
        ('(variant (case "a") (case "b" string))', ("c", None)),
        ('(variant (case "a") (case "b" string))', ("b", 7)),
        ("(option (list u8))", 7),
        ("(result string (error u8))", Err("text")),
        ("(list u8)", bytes(BYTES_MAX + 1)),
        ("char", "ab"),
    ],
)
def test_half_a_value_can_be_deleted(text: str, value: Any) -> None:
    """Whoever fails in the middle leaves a complete value behind."""
    codec = compile_type(reflected(text))
    block = ctypes.create_string_buffer(raw.VAL_SIZE)
    address = ctypes.addressof(block)
    with pytest.raises((Uncrossable, TypeError, ValueError, KeyError, AttributeError)):
        codec.lower(address, value, Guest())
    raw.value_delete(address)


@pytest.mark.parametrize("text", ["s8", "s64", "f32", "f64", "(list s32)"])
def test_what_may_be_negative_does_not_cross(text: str) -> None:
    """A component that says so lies about WASI, and is not believed."""
    with pytest.raises(Uncrossable):
        compile_type(reflected(text))


def test_handles_are_bounded() -> None:
    """A guest that never drops any is stopped."""

    class Thing(Resource):
        KIND = "thing"

    handles = Handles({"thing": 1})
    given = [handles.give(Thing()) for _ in range(HANDLES_MAX)]
    assert len(set(given)) == HANDLES_MAX
    with pytest.raises(Exception, match="handles"):
        handles.give(Thing())
    handles.forget(given[0][0])
    handles.give(Thing())
