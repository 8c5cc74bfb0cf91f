"""Values between a component and Python: a lifter and a lowerer, compiled once for each type.

    bool, unsigned integers  as they are          char, string, enum   str
    list<u8>                 bytes                any other list        list
    record, tuple            tuple, in order      flags                 frozenset of names
    variant                  (name, payload)      option                None or the payload
    result                   Ok or Err            own, borrow           the host's own object

Neighbours: `link.py` compiles the types of the functions a component calls, from reflection.
Invariant: what is being written is a complete value at every moment (unwritten parts are zero,
which is `false`), so whoever fails in the middle can delete it.

A component says itself what types it imports, and may lie. Nothing we define takes or gives signed
integers or floats, so they do not cross: no length and no charge is ever negative.
"""

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from wasmtime import component as wit

from edge.host.wasi2.results import Err, Ok
from edge.model.limits import KIB, MIB
from edge.sandbox.component import raw
from edge.sandbox.component.cells import (
    Uncrossable,
    make_room,
    read_length,
    read_name,
    set_kind,
    set_word,
    word,
    write_name,
)
from edge.sandbox.component.handles import Handles
from edge.sandbox.component.raw import Kind

BYTES_MAX = 1 * MIB
"""Of one `list<u8>`: each byte takes 32 on its way, and the event loop waits for it."""
BYTES_STALLING = 64 * KIB
"""Wasmtime takes milliseconds for as many, before anyone here is asked."""
ITEMS_MAX = 1_024
"""Of any other list a guest hands over."""

_NUMBERS: dict[type, tuple[int, Any]] = {
    wit.Bool: (Kind.BOOL, ctypes.c_bool),
    wit.U8: (Kind.U8, ctypes.c_uint8),
    wit.U16: (Kind.U16, ctypes.c_uint16),
    wit.U32: (Kind.U32, ctypes.c_uint32),
    wit.U64: (Kind.U64, ctypes.c_uint64),
}


class Holder(Protocol):
    """The guest whose values these are."""

    context: int
    scratch: int
    handles: Handles

    def note_stall(self) -> None:
        """The guest holds up whoever runs it."""


Lift = Callable[[int, Holder], Any]
Lower = Callable[[int, Any, Holder], None]


class Codec(NamedTuple):
    """`lift(address, guest)` reads a value, `lower(address, value, guest)` writes one."""

    lift: Lift
    lower: Lower


def compile_type(type_: Any) -> Codec:
    """The codec of a reflected type. Raises Uncrossable for futures, streams and the like."""
    number = _NUMBERS.get(type(type_))
    if number is not None:
        return _number(*number)
    compiler = _COMPILERS.get(type(type_))
    if compiler is None:
        raise Uncrossable(f"a {type(type_).__name__} cannot cross to this host")
    return compiler(type_)


def _box(codec: Codec, pointer_at: int, value: Any, guest: Holder) -> None:
    """Write a value to memory of its own, and its address where a payload's address stands."""
    block = ctypes.create_string_buffer(raw.VAL_SIZE)
    address = ctypes.addressof(block)
    try:
        codec.lower(address, value, guest)
    except BaseException:
        raw.value_delete(address)
        raise
    set_word(pointer_at, raw.value_box(address))  # moved out of the block


# Compilers, one for each shape of type


def _number(kind: int, layout: Any) -> Codec:
    def lift(address: int, _guest: Holder) -> Any:
        return layout.from_address(address + raw.VAL_ITEM).value

    def lower(address: int, value: Any, _guest: Holder) -> None:
        layout.from_address(address + raw.VAL_ITEM).value = value
        set_kind(address, kind)

    return Codec(lift, lower)


def _char(_type: wit.Char) -> Codec:
    def lift(address: int, _guest: Holder) -> str:
        return chr(ctypes.c_uint32.from_address(address + raw.VAL_ITEM).value)

    def lower(address: int, value: str, _guest: Holder) -> None:
        if len(value) != 1 or 0xD800 <= ord(value) <= 0xDFFF:
            raise Uncrossable("a char must be one Unicode scalar value")
        ctypes.c_uint32.from_address(address + raw.VAL_ITEM).value = ord(value)
        set_kind(address, Kind.CHAR)

    return Codec(lift, lower)


def _named(kind: int) -> Callable[[Any], Codec]:
    """Strings and enums have one layout."""

    def lift(address: int, _guest: Holder) -> str:
        return read_name(address + raw.VAL_ITEM)

    def lower(address: int, value: str, _guest: Holder) -> None:
        write_name(address + raw.VAL_ITEM, value)
        set_kind(address, kind)

    return lambda _type: Codec(lift, lower)


def _list(type_: wit.ListType) -> Codec:
    if isinstance(type_.element, wit.U8):
        return Codec(_lift_bytes, _lower_bytes)
    element = compile_type(type_.element)

    def lift(address: int, guest: Holder) -> list[Any]:
        begin, count = (
            word(address + raw.DATA),
            read_length(address + raw.LENGTH, ITEMS_MAX, "items"),
        )
        end = begin + count * raw.VAL_SIZE
        return [element.lift(item, guest) for item in range(begin, end, raw.VAL_SIZE)]

    def lower(address: int, value: list[Any], guest: Holder) -> None:
        item = make_room(address, len(value), raw.VAL_SIZE, Kind.LIST, raw.list_reserve)
        for child in value:
            element.lower(item, child, guest)
            item += raw.VAL_SIZE

    return Codec(lift, lower)


def _lift_bytes(address: int, guest: Holder) -> bytes:
    if word(address + raw.LENGTH) > BYTES_STALLING:
        guest.note_stall()
    count = read_length(address + raw.LENGTH, BYTES_MAX, "bytes")
    if not count:
        return b""
    block = ctypes.string_at(word(address + raw.DATA), count * raw.VAL_SIZE)
    return block[raw.VAL_ITEM :: raw.VAL_SIZE]


def _lower_bytes(address: int, value: bytes, _guest: Holder) -> None:
    count = len(value)
    if count > BYTES_MAX:
        raise Uncrossable(f"{count} bytes are too many for one list")
    template = bytearray(count * raw.VAL_SIZE)
    template[:: raw.VAL_SIZE] = bytes((Kind.U8,)) * count
    template[raw.VAL_ITEM :: raw.VAL_SIZE] = value
    items = make_room(address, count, raw.VAL_SIZE, Kind.LIST, raw.list_reserve)
    if count:
        ctypes.memmove(items, bytes(template), len(template))


def _record(type_: wit.RecordType) -> Codec:
    fields = [(name, compile_type(field)) for name, field in type_.fields]

    def lift(address: int, guest: Holder) -> tuple[Any, ...]:
        begin = word(address + raw.DATA) + raw.NAME_SIZE
        return tuple(
            codec.lift(begin + index * raw.FIELD_SIZE, guest)
            for index, (_, codec) in enumerate(fields)
        )

    def lower(address: int, value: tuple[Any, ...], guest: Holder) -> None:
        item = make_room(address, len(fields), raw.FIELD_SIZE, Kind.RECORD, raw.record_reserve)
        for (name, codec), child in zip(fields, value, strict=True):
            write_name(item, name)
            codec.lower(item + raw.NAME_SIZE, child, guest)
            item += raw.FIELD_SIZE

    return Codec(lift, lower)


def _tuple(type_: wit.TupleType) -> Codec:
    elements = [compile_type(element) for element in type_.elements]

    def lift(address: int, guest: Holder) -> tuple[Any, ...]:
        begin = word(address + raw.DATA)
        return tuple(
            codec.lift(begin + index * raw.VAL_SIZE, guest) for index, codec in enumerate(elements)
        )

    def lower(address: int, value: tuple[Any, ...], guest: Holder) -> None:
        item = make_room(address, len(elements), raw.VAL_SIZE, Kind.TUPLE, raw.tuple_reserve)
        for codec, child in zip(elements, value, strict=True):
            codec.lower(item, child, guest)
            item += raw.VAL_SIZE

    return Codec(lift, lower)


def _variant(type_: wit.VariantType) -> Codec:
    cases = {name: None if case is None else compile_type(case) for name, case in type_.cases}

    def lift(address: int, guest: Holder) -> tuple[str, Any]:
        name = read_name(address + raw.VAL_ITEM)
        codec = cases[name]
        return name, codec.lift(word(address + raw.VARIANT_VALUE), guest) if codec else None

    def lower(address: int, value: tuple[str, Any], guest: Holder) -> None:
        name, payload = value
        codec = cases[name]
        write_name(address + raw.VAL_ITEM, name)
        set_kind(address, Kind.VARIANT)
        if codec is not None:
            _box(codec, address + raw.VARIANT_VALUE, payload, guest)

    return Codec(lift, lower)


def _option(type_: wit.OptionType) -> Codec:
    codec = compile_type(type_.payload)

    def lift(address: int, guest: Holder) -> Any:
        pointer = word(address + raw.VAL_ITEM)
        return codec.lift(pointer, guest) if pointer else None

    def lower(address: int, value: Any, guest: Holder) -> None:
        set_kind(address, Kind.OPTION)
        if value is not None:
            _box(codec, address + raw.VAL_ITEM, value, guest)

    return Codec(lift, lower)


def _result(type_: wit.ResultType) -> Codec:
    ok = None if type_.ok is None else compile_type(type_.ok)
    err = None if type_.err is None else compile_type(type_.err)

    def lift(address: int, guest: Holder) -> Ok | Err:
        fine = bool(ctypes.c_uint8.from_address(address + raw.VAL_ITEM).value)
        codec, pointer = ok if fine else err, word(address + raw.RESULT_VALUE)
        value = codec.lift(pointer, guest) if codec and pointer else None
        return Ok(value) if fine else Err(value)

    def lower(address: int, value: Any, guest: Holder) -> None:
        failed = isinstance(value, Err)
        payload = value.value if isinstance(value, Ok | Err) else value
        codec = err if failed else ok
        ctypes.c_uint8.from_address(address + raw.VAL_ITEM).value = not failed
        set_kind(address, Kind.RESULT)
        if codec is not None:
            _box(codec, address + raw.RESULT_VALUE, payload, guest)

    return Codec(lift, lower)


def _flags(_type: wit.FlagsType) -> Codec:
    def lift(address: int, _guest: Holder) -> frozenset[str]:
        begin, count = word(address + raw.DATA), word(address + raw.LENGTH)
        end = begin + count * raw.NAME_SIZE
        return frozenset(read_name(name) for name in range(begin, end, raw.NAME_SIZE))

    def lower(address: int, value: frozenset[str], _guest: Holder) -> None:
        item = make_room(address, len(value), raw.NAME_SIZE, Kind.FLAGS, raw.flags_reserve)
        for name in sorted(value):
            write_name(item, name)
            item += raw.NAME_SIZE

    return Codec(lift, lower)


def _resource(owned: bool) -> Callable[[Any], Codec]:
    def lift(address: int, guest: Holder) -> object:
        handle = _read_handle(word(address + raw.VAL_ITEM), guest)
        return guest.handles.take(handle) if owned else guest.handles.peek(handle)

    def lower(address: int, value: object, guest: Holder) -> None:
        handle, number = guest.handles.give(value)
        resource = raw.resource_new(True, handle, number)
        try:
            raw.check(raw.resource_to_any(guest.context, resource, guest.scratch))
        finally:
            raw.resource_delete(resource)
        set_word(address + raw.VAL_ITEM, word(guest.scratch))
        set_kind(address, Kind.RESOURCE)

    return lambda _type: Codec(lift, lower)


def owned_resource() -> Codec:
    """The codec of an object that the guest is to own, whatever its type."""
    return _resource(True)(None)


def _read_handle(any_resource: int, guest: Holder) -> int:
    raw.check(raw.any_to_resource(guest.context, any_resource, guest.scratch))
    resource = word(guest.scratch)
    handle: int = raw.resource_rep(resource)
    raw.resource_delete(resource)
    return handle


_COMPILERS: dict[type, Callable[[Any], Codec]] = {
    wit.Char: _char,
    wit.String: _named(Kind.STRING),
    wit.EnumType: _named(Kind.ENUM),
    wit.ListType: _list,
    wit.RecordType: _record,
    wit.TupleType: _tuple,
    wit.VariantType: _variant,
    wit.OptionType: _option,
    wit.ResultType: _result,
    wit.FlagsType: _flags,
    wit.OwnType: _resource(True),
    wit.BorrowType: _resource(False),
}
