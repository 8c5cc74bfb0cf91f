"""The parser on what modules really hold, and on what nobody should send."""

import contextlib
import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.errors import EdgeError, SnapshotRefused
from edge.sandbox.snapshot import SnapshotSettings, take_snapshot
from edge.sandbox.snapshot.binary import MAGIC, Reader, encode_signed, encode_u32
from edge.sandbox.snapshot.parse import parse
from edge.sandbox.snapshot.sections import Kind, Mode, assemble
from tests.sandbox.snapshot.guests import wat
from tests.toolchain import build_guest

EVERYTHING = """(module
  (type $s (struct (field i32)))
  (import "edge" "log" (func (param i32 i32 i32)))
  (table $t 2 10 funcref) (table 1 externref)
  (table 1 (ref func) (ref.func $f))
  (memory 1 2) (memory 3)
  (tag (param i32))
  (global (mut i32) (i32.const -5)) (global i64 (i64.const 0x7fffffffffffffff))
  (global (mut f32) (f32.const nan)) (global f64 (f64.const 1.5))
  (global (mut v128) (v128.const i64x2 1 2)) (global (mut funcref) (ref.func $f))
  (global (ref null $s) (struct.new $s (i32.add (i32.const 1) (i32.const 2))))
  (global (ref i31) (ref.i31 (i32.const 3)))
  (export "f" (func $f)) (export "edge_init" (func $f))
  (start $f)
  (elem (i32.const 0) $f) (elem func $f $f) (elem declare func $f)
  (elem (table $t) (i32.const 0) funcref (ref.func $f) (ref.null func))
  (elem externref (ref.null extern))
  (data (i32.const 1) "active") (data "passive") (data (memory 1) (i32.const 2) "second")
  (func $f (data.drop 0)))"""
LITTLE = SnapshotSettings(fuel_max=100_000, memory_bytes_max=4 * 1024 * 1024)


@functools.cache
def real_modules() -> tuple[bytes, ...]:
    """Modules whose mutations keep something of a real one's structure."""
    return (wat(EVERYTHING), *(build_guest(name).read_bytes() for name in ("tiny", "hello")))


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A real module cut, overwritten, or with a piece of itself in the wrong place."""
    module = bytearray(draw(st.sampled_from(real_modules())))
    # Most of a real module is code, which the parser skips; damage is done where it reads.
    place = st.one_of(st.integers(0, min(len(module), 700)), st.integers(0, len(module)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(place)
        match draw(st.integers(0, 3)):
            case 0:
                del module[start:]
            case 1:
                module[start : start + 1] = bytes((draw(st.integers(0, 255)),))
            case 2:
                module[start:start] = draw(st.binary(min_size=1, max_size=6))
            case _:
                source = draw(place)
                module[start:start] = module[source : source + draw(st.integers(1, 40))]
    return bytes(module)


def test_every_part_is_found() -> None:
    """What the later stages rely on is read from a module that has one of everything."""
    found = parse(wat(EVERYTHING))
    assert [item.name for item in found.imports] == ["log"]
    assert found.imported(Kind.FUNCTION) == 1
    assert [table.limits.maximum for table in found.tables] == [10, None, None]
    assert [memory.minimum for memory in found.memories] == [1, 3]
    assert [item.mutable for item in found.globals].count(True) == 4
    assert found.start == 1
    assert found.initialisers == (1, 1)
    assert [segment.mode for segment in found.elements] == [
        Mode.ACTIVE,
        Mode.PASSIVE,
        Mode.DECLARATIVE,
        Mode.ACTIVE,
        Mode.PASSIVE,
    ]
    assert [segment.functions for segment in found.elements][:2] == [(1,), (1, 1)]
    assert [segment.length for segment in found.data] == [6, 7, 6]


def test_putting_the_parts_together_gives_the_module_back() -> None:
    """Sections that no stage touches are carried over as they were."""
    for module in real_modules():
        found = parse(module)
        again = parse(assemble(found.bodies, found.customs))
        assert again == found


@given(mutations())
@settings(max_examples=400, deadline=None)
def test_the_parser_only_ever_refuses(module: bytes) -> None:
    """Broken bytes end in the one declared error, never in another exception."""
    with contextlib.suppress(SnapshotRefused):
        parse(module)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_the_parser_survives_garbage(body: bytes) -> None:
    """As before, for bytes that never were a module."""
    for module in (body, MAGIC + body):
        with contextlib.suppress(SnapshotRefused):
            parse(module)


@given(mutations())
@settings(max_examples=250, deadline=None)
def test_the_pipeline_refuses_or_works(module: bytes) -> None:
    """A mutated module is snapshotted or turned away with a platform error."""
    with contextlib.suppress(EdgeError):
        take_snapshot(module, LITTLE)


@given(st.integers(0, 2**32 - 1))
def test_unsigned_numbers_survive(value: int) -> None:
    """What is written as LEB128 is read back."""
    reader = Reader(encode_u32(value))
    assert reader.u32() == value
    reader.finish()


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_survive(value: int) -> None:
    """Signed LEB128 is the shortest that decodes to the value."""
    encoded = encode_signed(value)
    decoded = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(encoded))
    if encoded[-1] & 0x40:
        decoded -= 1 << 7 * len(encoded)
    assert decoded == value


@pytest.mark.parametrize("encoded", [b"\xff" * 5 + b"\0", b"\xff\xff\xff\xff\x7f", b"\x80"])
def test_numbers_too_long_are_refused(encoded: bytes) -> None:
    """Over-long, over-large and unfinished integers are not numbers."""
    with pytest.raises(SnapshotRefused):
        Reader(encoded).u32()
