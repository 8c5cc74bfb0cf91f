"""Value types and constant expressions: reading their extent, writing captured values.

Neighbours: `parse` reads them in globals, tables and segments; `capture` writes them.
Invariant: a captured number is written bit by bit, so NaN payloads survive.
Source: the core specification's binary format, with the proposals Wasmtime enables.
"""

from edge.sandbox.snapshot.binary import Reader, encode_signed, encode_u32
from edge.sandbox.snapshot.sections import Expression

END = b"\x0b"
I32, I64, F32, F64, V128 = b"\x7f", b"\x7e", b"\x7d", b"\x7c", b"\x7b"
NUMERIC_TYPES = frozenset((I32, I64, F32, F64, V128))

_ABSTRACT_HEAP_TYPES = frozenset(range(0x69, 0x75))  # exn … noexn, one byte each
_REF_NULL, _REF = 0x63, 0x64
_LEB64_BYTES_MAX = 10

# Opcode -> how many LEB128 immediates follow; the special ones are read in `_skip`.
_PLAIN = {0x23: 1, 0x41: 1, 0x6A: 0, 0x6B: 0, 0x6C: 0, 0x7C: 0, 0x7D: 0, 0x7E: 0}
_GC_PREFIXED = {0x00: 1, 0x01: 1, 0x06: 1, 0x07: 1, 0x08: 2, 0x1A: 0, 0x1B: 0, 0x1C: 0}


def read_value_type(reader: Reader) -> bytes:
    """One encoded value type."""
    start = reader.position
    first = reader.byte()
    if first in (_REF_NULL, _REF):
        reader.skip_leb()
    elif bytes((first,)) not in NUMERIC_TYPES and first not in _ABSTRACT_HEAP_TYPES:
        raise reader.fail(f"value type {first:#x} is not known")
    return reader.since(start)


def is_nullable(type_: bytes) -> bool:
    """Whether a reference type has a null."""
    return type_[0] != _REF


def read_expression(reader: Reader) -> Expression:
    """One constant expression, up to its `end`."""
    start = reader.position
    functions: list[int] = []
    while (opcode := reader.byte()) != END[0]:
        if opcode == 0xD2:  # ref.func
            functions.append(reader.u32())
        else:
            _skip(reader, opcode)
    return Expression(reader.since(start), tuple(functions))


def _skip(reader: Reader, opcode: int) -> None:
    """Pass over the immediates of a constant instruction."""
    if opcode in _PLAIN:
        for _ in range(_PLAIN[opcode]):
            reader.skip_leb()
    elif opcode == 0x42:  # i64.const
        reader.skip_leb(_LEB64_BYTES_MAX)
    elif opcode == 0x43:  # f32.const
        reader.take(4)
    elif opcode == 0x44:  # f64.const
        reader.take(8)
    elif opcode == 0xD0:  # ref.null
        reader.skip_leb()
    elif opcode == 0xFD and reader.u32() == 12:  # v128.const
        reader.take(16)
    elif opcode == 0xFB and (inner := reader.u32()) in _GC_PREFIXED:
        for _ in range(_GC_PREFIXED[inner]):
            reader.skip_leb()
    else:
        raise reader.fail(f"opcode {opcode:#x} in a constant expression is not known")


def encode_number(type_: bytes, bits: bytes) -> bytes:
    """A constant of a numeric type from its little-endian bits (at least as many as it has)."""
    if type_ == I32:
        return b"\x41" + encode_signed(int.from_bytes(bits[:4], "little", signed=True)) + END
    if type_ == I64:
        return b"\x42" + encode_signed(int.from_bytes(bits[:8], "little", signed=True)) + END
    if type_ == F32:
        return b"\x43" + bits[:4] + END
    if type_ == F64:
        return b"\x44" + bits[:8] + END
    return b"\xfd\x0c" + bits[:16] + END


def encode_offset(offset: int) -> bytes:
    """The place of an active segment, an unsigned 32-bit number written as i32.const."""
    return encode_number(I32, offset.to_bytes(4, "little"))


def encode_function_reference(index: int) -> bytes:
    """A constant reference to a function."""
    return b"\xd2" + encode_u32(index) + END


def encode_null(type_: bytes) -> bytes:
    """The null of a nullable reference type; a short type names its own heap type."""
    heap_type = type_[1:] if type_[0] == _REF_NULL else type_
    return b"\xd0" + heap_type + END
