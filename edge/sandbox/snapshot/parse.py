"""Take a WebAssembly binary apart into the sections a snapshot works on.

Neighbours: `take_snapshot` calls it first, after Wasmtime validated the bytes.
Invariant: on any input whatever it returns a `ParsedModule` or raises `SnapshotRefused`:
bytes Wasmtime accepts and this reader does not know are a reason to run from a plain start.
Source: the core specification's binary format.
"""

from collections.abc import Callable
from typing import TypeVar

from edge.sandbox.snapshot.binary import MAGIC, Reader
from edge.sandbox.snapshot.constants import read_expression, read_value_type
from edge.sandbox.snapshot.sections import (
    FUNCREF,
    SECTION_ORDER,
    DataSegment,
    ElementSegment,
    Export,
    Global,
    Import,
    Kind,
    Limits,
    Mode,
    ParsedModule,
    SectionId,
    Table,
)

_KEPT_CUSTOMS = ("name", "producers", "target_features")
_LIMITS_MAXIMUM, _LIMITS_64_BIT = 0x01, 0x04
_LIMITS_KNOWN = 0x07  # maximum, shared, 64-bit
_TABLE_WITH_INITIAL = 0x40
_U64_BYTES_MAX = 10

T = TypeVar("T")


def parse(module: bytes) -> ParsedModule:
    """The parts of a core module; custom sections other than names and producers are dropped."""
    bodies, customs = _split(module)

    def items(section: SectionId, read: Callable[[Reader], T]) -> tuple[T, ...]:
        return _vector(bodies.get(section), read)

    start = bodies.get(SectionId.START)
    data_count = bodies.get(SectionId.DATA_COUNT)
    return ParsedModule(
        bodies=bodies,
        customs=customs,
        imports=items(SectionId.IMPORT, _import),
        function_types=items(SectionId.FUNCTION, Reader.u32),
        tables=items(SectionId.TABLE, _table),
        memories=items(SectionId.MEMORY, _limits),
        globals=items(SectionId.GLOBAL, _global),
        exports=items(SectionId.EXPORT, _export),
        start=None if start is None else _single(start),
        elements=items(SectionId.ELEMENT, _element),
        # Only a data count lets instructions name segments, and Go's are many.
        data=() if data_count is None else items(SectionId.DATA, _data),
        data_count=None if data_count is None else _single(data_count),
    )


def _split(module: bytes) -> tuple[dict[int, bytes], tuple[bytes, ...]]:
    """Section bodies by number, and the custom sections worth keeping."""
    reader = Reader(module)
    if reader.take(min(len(MAGIC), reader.remaining)) != MAGIC:
        raise reader.fail("this is not a core WebAssembly module")
    bodies: dict[int, bytes] = {}
    customs: list[bytes] = []
    order = 0
    while reader.remaining:
        section = reader.byte()
        body = reader.sized()
        if section == SectionId.CUSTOM:
            start = body.position
            if body.name() in _KEPT_CUSTOMS:
                customs.append(module[start : body.end])
            continue
        if section not in SECTION_ORDER[order:]:
            raise body.fail(f"section {section} is unknown, repeated or out of order")
        order = SECTION_ORDER.index(SectionId(section)) + 1
        bodies[section] = body.take(body.remaining)
    return bodies, tuple(customs)


def _vector(body: bytes | None, read: Callable[[Reader], T]) -> tuple[T, ...]:
    if body is None:
        return ()
    reader = Reader(body)
    items = tuple(read(reader) for _ in range(reader.count()))
    reader.finish()
    return items


def _single(body: bytes) -> int:
    reader = Reader(body)
    value = reader.u32()
    reader.finish()
    return value


def _kind(reader: Reader) -> Kind:
    kind = reader.byte()
    if kind > Kind.TAG:
        raise reader.fail(f"import or export kind {kind} is not known")
    return Kind(kind)


def _import(reader: Reader) -> Import:
    module, name, kind = reader.name(), reader.name(), _kind(reader)
    if kind is Kind.FUNCTION:
        return Import(module, name, kind, reader.u32())
    if kind is Kind.TABLE:
        read_value_type(reader)
        _limits(reader)
    elif kind is Kind.MEMORY:
        _limits(reader)
    elif kind is Kind.GLOBAL:
        read_value_type(reader)
        reader.byte()
    else:
        reader.byte()
        reader.u32()
    return Import(module, name, kind)


def _limits(reader: Reader) -> Limits:
    flags = reader.byte()
    if flags & ~_LIMITS_KNOWN:
        raise reader.fail(f"limits flags {flags:#x} (custom page sizes?) are not known")
    read = _u64 if flags & _LIMITS_64_BIT else Reader.u32
    minimum = read(reader)
    return Limits(flags, minimum, read(reader) if flags & _LIMITS_MAXIMUM else None)


def _u64(reader: Reader) -> int:
    start = reader.position
    reader.skip_leb(_U64_BYTES_MAX)
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reader.since(start)))


def _table(reader: Reader) -> Table:
    if reader.data[reader.position : reader.position + 1] == bytes((_TABLE_WITH_INITIAL,)):
        reader.take(2)
        return Table(read_value_type(reader), _limits(reader), read_expression(reader))
    return Table(read_value_type(reader), _limits(reader), None)


def _global(reader: Reader) -> Global:
    type_, mutable = read_value_type(reader), reader.byte()
    if mutable > 1:
        raise reader.fail(f"global flags {mutable:#x} are not known")
    return Global(type_, bool(mutable), read_expression(reader))


def _export(reader: Reader) -> Export:
    return Export(reader.name(), _kind(reader), reader.u32())


def _element(reader: Reader) -> ElementSegment:
    """Flag bits: 1 not active, 2 table index (active) or declarative, 4 expressions."""
    start = reader.position
    flags = reader.u32()
    if flags > 7:
        raise reader.fail(f"element segment flags {flags:#x} are not known")
    if flags & 1:
        mode = Mode.DECLARATIVE if flags & 2 else Mode.PASSIVE
    else:
        mode = Mode.ACTIVE
        if flags & 2:
            reader.u32()
        read_expression(reader)
    as_expressions = bool(flags & 4)
    type_ = FUNCREF
    if flags & 3:
        type_ = read_value_type(reader) if as_expressions else _element_kind(reader)
    length = reader.count()
    if as_expressions:
        expressions = [read_expression(reader) for _ in range(length)]
        functions = tuple(index for item in expressions for index in item.functions)
    else:
        functions = tuple(reader.u32() for _ in range(length))
    return ElementSegment(mode, type_, as_expressions, length, functions, reader.since(start))


def _element_kind(reader: Reader) -> bytes:
    if reader.byte() != 0:
        raise reader.fail("the element kind is not known")
    return FUNCREF


def _data(reader: Reader) -> DataSegment:
    start = reader.position
    flags = reader.u32()
    if flags > 2:
        raise reader.fail(f"data segment flags {flags:#x} are not known")
    if flags == 2:
        reader.u32()
    if flags != 1:
        read_expression(reader)
    length = reader.u32()
    reader.take(length)
    mode = Mode.PASSIVE if flags == 1 else Mode.ACTIVE
    return DataSegment(mode, length, reader.since(start))
