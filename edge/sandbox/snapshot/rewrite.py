"""Write the module that starts in the captured state, and cannot be initialised again.

Neighbours: `parse` gave the original, `capture` the state. Invariant: an instance of the
result equals the instance captured, for every instruction the guest can still run: functions,
types and all index spaces stay as they were; used-up segments stay as empty ones where an
instruction may name them; the start function and the initialisers' exports are gone.
"""

from edge.sandbox.snapshot.binary import (
    encode_indices,
    encode_name,
    encode_u32,
    encode_vector,
)
from edge.sandbox.snapshot.capture import State, TableImage
from edge.sandbox.snapshot.constants import (
    encode_function_reference,
    encode_offset,
    is_nullable,
)
from edge.sandbox.snapshot.image import MemoryImage
from edge.sandbox.snapshot.instrument import referable_functions
from edge.sandbox.snapshot.sections import (
    FUNCREF,
    INITIALISERS,
    DataSegment,
    ElementSegment,
    Mode,
    ParsedModule,
    SectionId,
    Table,
    assemble,
)

_PASSIVE = b"\x01"
_EMPTY_DATA = _PASSIVE + b"\0"


def rewrite(module: ParsedModule, state: State) -> bytes:
    """The snapshot as a module."""
    data = _data(module, state)
    vectors = {
        SectionId.TABLE: _tables(module, state),
        SectionId.MEMORY: _memories(module, state),
        SectionId.GLOBAL: _globals(module, state),
        SectionId.EXPORT: _exports(module),
        SectionId.ELEMENT: _elements(module, state),
        SectionId.DATA: data,
    }
    bodies = {section: encode_vector(items) for section, items in vectors.items() if items}
    if module.data_count is not None:
        bodies[SectionId.DATA_COUNT] = encode_u32(len(data))
    untouched = {
        section: body
        for section, body in module.bodies.items()
        if section not in vectors and section != SectionId.START
    }
    return assemble(untouched | bodies, module.customs)


def _tables(module: ParsedModule, state: State) -> list[bytes]:
    images = zip(module.tables, state.tables, strict=True)
    return [_table(table, image) for table, image in images]


def _table(table: Table, image: TableImage) -> bytes:
    """The table at its captured size; segments fill it, so a null to start from will do."""
    plain = table.type + table.limits.encode(image.size)
    if table.initial is None or is_nullable(table.type):
        return plain
    return b"\x40\0" + plain + table.initial.encoded


def _memories(module: ParsedModule, state: State) -> list[bytes]:
    images = zip(module.memories, state.memories, strict=True)
    return [limits.encode(image.pages) for limits, image in images]


def _globals(module: ParsedModule, state: State) -> list[bytes]:
    """Mutable globals start at their captured value; the others keep their expression."""
    return [
        item.type
        + bytes((item.mutable,))
        + (state.globals[index] if item.mutable else item.initial.encoded)
        for index, item in enumerate(module.globals)
    ]


def _exports(module: ParsedModule) -> list[bytes]:
    return [
        encode_name(item.name) + bytes((item.kind,)) + encode_u32(item.index)
        for item in module.exports
        if item.name not in INITIALISERS
    ]


def _elements(module: ParsedModule, state: State) -> list[bytes]:
    """The module's own segments under their index, then the tables' contents."""
    segments = [
        _empty_elements(segment)
        if segment.mode is Mode.ACTIVE or index in state.dropped_elements
        else segment.encoded
        for index, segment in enumerate(module.elements)
    ]
    # A function must stand in a segment or an export for the code to take a reference to it.
    if functions := referable_functions(module):
        segments.append(b"\x03\0" + encode_indices(functions))
    for index, (table, image) in enumerate(zip(module.tables, state.tables, strict=True)):
        segments += [_filled(index, table, *run) for run in image.runs]
    return segments


def _empty_elements(segment: ElementSegment) -> bytes:
    """A segment of the same type with nothing in it: what using one up leaves."""
    if segment.as_expressions:
        return b"\x05" + segment.type + b"\0"
    return _PASSIVE + b"\0" + b"\0"


def _filled(index: int, table: Table, start: int, functions: tuple[int, ...]) -> bytes:
    """An active segment, in the form Wasmtime sets up lazily where the type allows it."""
    place = encode_u32(index) + encode_offset(start)
    if table.type == FUNCREF:
        return b"\x02" + place + b"\0" + encode_indices(functions)
    references = encode_vector(map(encode_function_reference, functions))
    return b"\x06" + place + table.type + references


def _data(module: ParsedModule, state: State) -> list[bytes]:
    """The module's own segments under their index, then the memories' contents."""
    segments = [
        _own_data(segment, index in state.dropped_data) for index, segment in enumerate(module.data)
    ]
    for index, image in enumerate(state.memories):
        segments += _image_segments(index, image)
    return segments


def _own_data(segment: DataSegment, dropped: bool) -> bytes:
    used_up = dropped or segment.mode is Mode.ACTIVE
    return _EMPTY_DATA if used_up else segment.encoded


def _image_segments(memory: int, image: MemoryImage) -> list[bytes]:
    place = b"\0" if memory == 0 else b"\x02" + encode_u32(memory)
    return [
        place + encode_offset(start) + encode_u32(len(data)) + data for start, data in image.runs
    ]
