"""Give a module the exports through which its whole state can be read.

Neighbours: `run` runs the result, `capture` reads through its `StateNames`; `rewrite` starts
again from the parsed original, so nothing added here can remain.
Invariant: every index of the original means the same in the instrumented module: additions
come last in their index space, and no instruction of the guest can reach them.

State that Wasm does not show is made visible: which function a reference points to, by a
roster table of every function the guest could take a reference to; whether a passive segment
was dropped, by a probe function that traps when it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edge.model.errors import SnapshotRefused
from edge.sandbox.snapshot.binary import Reader, encode_indices, encode_name, encode_u32
from edge.sandbox.snapshot.constants import END, NUMERIC_TYPES, encode_offset
from edge.sandbox.snapshot.sections import (
    FUNCREF,
    Kind,
    Mode,
    ParsedModule,
    SectionId,
    assemble,
)


@dataclass(frozen=True, slots=True)
class StateNames:
    """Export names of the state, by index; the probes by the index of their segment."""

    memories: Mapping[int, str]
    tables: Mapping[int, str]
    globals: Mapping[int, str]
    data_probes: Mapping[int, str]
    element_probes: Mapping[int, str]
    roster: str


@dataclass(frozen=True, slots=True)
class Instrumented:
    """The module to run; slot i of its roster table refers to the function `roster[i]`."""

    module: bytes
    names: StateNames
    roster: tuple[int, ...]


def instrument(module: ParsedModule) -> Instrumented:
    """The module with its state exported, under names that it does not use itself."""
    prefix = _unused_prefix(module)

    def named(kind: str, indices: Iterable[int]) -> dict[int, str]:
        return {index: f"{prefix}{kind}/{index}" for index in indices}

    names = StateNames(
        memories=named("memory", range(len(module.memories))),
        tables=named("table", range(len(module.tables))),
        globals=named("global", _globals_to_read(module)),
        data_probes=named("data", _data_to_probe(module)),
        element_probes=named("element", _elements_to_probe(module)),
        roster=f"{prefix}roster",
    )
    roster = referable_functions(module)
    return Instrumented(assemble(_bodies(module, names, roster), module.customs), names, roster)


def referable_functions(module: ParsedModule) -> tuple[int, ...]:
    """Every function a reference can point to, in index order.

    Those that stand in a segment, an export or a constant expression: validation lets
    `ref.func` take no other.
    """
    found = {export.index for export in module.exports if export.kind is Kind.FUNCTION}
    for segment in module.elements:
        found.update(segment.functions)
    for item in module.globals:
        found.update(item.initial.functions)
    for table in module.tables:
        if table.initial is not None:
            found.update(table.initial.functions)
    return tuple(sorted(found))


def _unused_prefix(module: ParsedModule) -> str:
    prefix = "edge:snapshot/"
    while any(export.name.startswith(prefix) for export in module.exports):
        prefix += "/"
    return prefix


def _globals_to_read(module: ParsedModule) -> list[int]:
    """Mutable ones for their value, references to see that they hold nothing on a heap."""
    return [
        index
        for index, item in enumerate(module.globals)
        if item.mutable or item.type not in NUMERIC_TYPES
    ]


def _data_to_probe(module: ParsedModule) -> list[int]:
    segments = enumerate(module.data)
    return [index for index, item in segments if item.mode is Mode.PASSIVE and item.length]


def _elements_to_probe(module: ParsedModule) -> list[int]:
    segments = enumerate(module.elements)
    return [index for index, item in segments if item.mode is Mode.PASSIVE and item.length]


def _bodies(
    module: ParsedModule, names: StateNames, roster: tuple[int, ...]
) -> Mapping[int, bytes]:
    """The sections, with the roster, the probes and the exports appended."""
    bodies = dict(module.bodies)

    def append(section: SectionId, items: list[bytes]) -> None:
        reader = Reader(bodies.get(section, b"\0"))
        count = encode_u32(reader.u32() + len(items))
        bodies[section] = b"".join((count, reader.take(reader.remaining), *items))

    roster_index = encode_u32(len(module.tables))
    # Never empty: the probes write to slot 0.
    append(SectionId.TABLE, [FUNCREF + b"\0" + encode_u32(max(1, len(roster)))])
    append(
        SectionId.ELEMENT,
        [b"\x02" + roster_index + encode_offset(0) + b"\0" + encode_indices(roster)],
    )
    if names.data_probes:
        append(SectionId.MEMORY, [b"\0\x01"])
    probes = _probes(module, names)
    if probes and not module.initialisers:
        raise SnapshotRefused(
            "it has passive segments and no initialiser: export an `edge_init` to have it primed"
        )
    if probes:
        type_index = module.type_of_function(module.initialisers[0])  # () -> ()
        append(SectionId.FUNCTION, [encode_u32(type_index)] * len(probes))
        append(SectionId.CODE, probes)
    append(SectionId.EXPORT, _exports(module, names))
    return bodies


def _probes(module: ParsedModule, names: StateNames) -> list[bytes]:
    """Functions that copy one item out of a segment, which a dropped segment has not."""
    memory, table = encode_u32(len(module.memories)), encode_u32(len(module.tables))
    copies = [b"\xfc\x08" + encode_u32(segment) + memory for segment in names.data_probes]
    copies += [b"\xfc\x0c" + encode_u32(segment) + table for segment in names.element_probes]
    one_from_zero_to_zero = b"\x41\0\x41\0\x41\x01"
    bodies = [b"\0" + one_from_zero_to_zero + copy + END for copy in copies]
    return [encode_u32(len(body)) + body for body in bodies]


def _exports(module: ParsedModule, names: StateNames) -> list[bytes]:
    def export(name: str, kind: Kind, index: int) -> bytes:
        return encode_name(name) + bytes((kind,)) + encode_u32(index)

    exports = [export(name, Kind.MEMORY, index) for index, name in names.memories.items()]
    exports += [export(name, Kind.TABLE, index) for index, name in names.tables.items()]
    exports += [export(name, Kind.GLOBAL, index) for index, name in names.globals.items()]
    exports.append(export(names.roster, Kind.TABLE, len(module.tables)))
    probe = module.imported(Kind.FUNCTION) + len(module.function_types)
    for name in (*names.data_probes.values(), *names.element_probes.values()):
        exports.append(export(name, Kind.FUNCTION, probe))
        probe += 1
    return exports
