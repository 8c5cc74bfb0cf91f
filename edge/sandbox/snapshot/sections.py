"""What `parse` finds in a module: the parts that a snapshot reads, replaces or counts.

Neighbours: `parse` builds these; `refuse`, `instrument`, `capture` and `rewrite` read them.
Invariant: index spaces are as in the specification, imports first, so an index found in one
part points to the right place in another. Sections that no stage looks into stay raw bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from edge.sandbox.snapshot.binary import MAGIC, encode_u32

INITIALISERS = ("_initialize", "edge_init")
FUNCREF = b"\x70"


class SectionId(IntEnum):
    """Section numbers of the core specification."""

    CUSTOM = 0
    TYPE = 1
    IMPORT = 2
    FUNCTION = 3
    TABLE = 4
    MEMORY = 5
    GLOBAL = 6
    EXPORT = 7
    START = 8
    ELEMENT = 9
    CODE = 10
    DATA = 11
    DATA_COUNT = 12
    TAG = 13


SECTION_ORDER = (
    SectionId.TYPE,
    SectionId.IMPORT,
    SectionId.FUNCTION,
    SectionId.TABLE,
    SectionId.MEMORY,
    SectionId.TAG,
    SectionId.GLOBAL,
    SectionId.EXPORT,
    SectionId.START,
    SectionId.ELEMENT,
    SectionId.DATA_COUNT,
    SectionId.CODE,
    SectionId.DATA,
)


class Kind(IntEnum):
    """What an import or an export is."""

    FUNCTION = 0
    TABLE = 1
    MEMORY = 2
    GLOBAL = 3
    TAG = 4


class Mode(IntEnum):
    """When a segment is used: at instantiation, on demand, or never."""

    ACTIVE = 0
    PASSIVE = 1
    DECLARATIVE = 2


@dataclass(frozen=True, slots=True)
class Expression:
    """A constant expression with its `end`, and the functions it takes references to."""

    encoded: bytes
    functions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a memory (pages of 64 KiB) or a table (elements), with their flag byte."""

    flags: int
    minimum: int
    maximum: int | None

    def encode(self, minimum: int) -> bytes:
        """The same limits, starting at another size."""
        maximum = b"" if self.maximum is None else encode_u32(self.maximum)
        return bytes((self.flags,)) + encode_u32(minimum) + maximum


@dataclass(frozen=True, slots=True)
class Import:
    """`type_index` is meaningful for functions only."""

    module: str
    name: str
    kind: Kind
    type_index: int = 0


@dataclass(frozen=True, slots=True)
class Export:
    """A name for one item of an index space."""

    name: str
    kind: Kind
    index: int


@dataclass(frozen=True, slots=True)
class Table:
    """A defined table; `type` is its encoded reference type."""

    type: bytes
    limits: Limits
    initial: Expression | None


@dataclass(frozen=True, slots=True)
class Global:
    """A defined global; `type` is its encoded value type."""

    type: bytes
    mutable: bool
    initial: Expression


@dataclass(frozen=True, slots=True)
class ElementSegment:
    """An element segment: whole as `encoded`, its type, and the functions it names."""

    mode: Mode
    type: bytes
    as_expressions: bool
    length: int
    functions: tuple[int, ...]
    encoded: bytes


@dataclass(frozen=True, slots=True)
class DataSegment:
    """A data segment: whole as `encoded`, and its length in bytes."""

    mode: Mode
    length: int
    encoded: bytes


@dataclass(frozen=True, slots=True)
class ParsedModule:
    """A module taken apart. `bodies` has every section but the custom ones, by number.

    `data` is empty without a data count section: no instruction can then name a segment.
    """

    bodies: Mapping[int, bytes]
    customs: tuple[bytes, ...]
    imports: tuple[Import, ...]
    function_types: tuple[int, ...]
    tables: tuple[Table, ...]
    memories: tuple[Limits, ...]
    globals: tuple[Global, ...]
    exports: tuple[Export, ...]
    start: int | None
    elements: tuple[ElementSegment, ...]
    data: tuple[DataSegment, ...]
    data_count: int | None

    def imported(self, kind: Kind) -> int:
        """How many items of this kind come before the module's own."""
        return sum(1 for item in self.imports if item.kind is kind)

    def exported(self, name: str) -> Export | None:
        """The export of that name."""
        return next((export for export in self.exports if export.name == name), None)

    def type_of_function(self, index: int) -> int:
        """The type index of a function, imported or defined."""
        imported = [item.type_index for item in self.imports if item.kind is Kind.FUNCTION]
        if index < len(imported):
            return imported[index]
        return self.function_types[index - len(imported)]

    @property
    def initialisers(self) -> tuple[int, ...]:
        """Indices of the functions that an instance runs before its first event, in order."""
        found = [] if self.start is None else [self.start]
        for name in INITIALISERS:
            export = self.exported(name)
            if export is not None and export.kind is Kind.FUNCTION:
                found.append(export.index)
        return tuple(found)


def assemble(bodies: Mapping[int, bytes], customs: tuple[bytes, ...]) -> bytes:
    """A module of these section bodies, in the specification's order; empty ones are left out."""
    parts = [MAGIC]
    for section in SECTION_ORDER:
        body = bodies.get(section)
        if body:
            parts += (bytes((section,)), encode_u32(len(body)), body)
    for custom in customs:
        parts += (b"\0", encode_u32(len(custom)), custom)
    return b"".join(parts)
