"""Take the contents of a module's memory out of it: the module starts over nothing, and they are
mapped beneath it (`sandbox/memories.c`).

Neighbours: `sandbox/build.py` calls it on what it compiles.
Invariant: the module over that memory is the module as it was; where that is not certain, it stays
whole, over a memory of zeros, and Wasmtime copies its data in.
"""

from edge.model.errors import SnapshotRefused
from edge.model.limits import MIB
from edge.sandbox.snapshot.binary import Reader, encode_vector
from edge.sandbox.snapshot.constants import read_expression
from edge.sandbox.snapshot.image import PAGE_BYTES
from edge.sandbox.snapshot.parse import parse
from edge.sandbox.snapshot.sections import Kind, SectionId, assemble

FILE_BYTES_MAX = 64 * MIB
"""A module whose data ends beyond stays whole: a file would hold the zeros between."""

_I32_CONST, _END = 0x41, 0x0B
_DROPPED = b"\x01\0"


def take_memory(module: bytes) -> tuple[bytes, bytes]:
    """The module without what its memory begins with, and that, up to where it is zero."""
    try:
        parsed = parse(module)
        segments = _segments(parsed.bodies.get(SectionId.DATA, b"\0"))
    except SnapshotRefused:  # an encoding that the parser does not know
        return module, b""
    if len(parsed.memories) != 1 or parsed.imported(Kind.MEMORY):
        return module, b""
    most = min(parsed.memories[0].minimum * PAGE_BYTES, FILE_BYTES_MAX)
    memory = bytearray()
    taken: list[bytes] = []
    for encoded, start, data in segments:
        if data is None:  # passive
            taken.append(encoded)
        elif start is None or start + len(data) > most:
            return module, b""
        else:
            memory.extend(bytes(max(0, start + len(data) - len(memory))))
            memory[start : start + len(data)] = data
            taken.append(_DROPPED)
    bodies = dict(parsed.bodies)
    if taken:
        bodies[SectionId.DATA] = encode_vector(taken)
    return assemble(bodies, parsed.customs), bytes(memory).rstrip(b"\0")


def _segments(body: bytes) -> list[tuple[bytes, int | None, bytes | None]]:
    """Each segment whole, where it goes (None: not known before the start), and its bytes if it
    goes anywhere."""
    reader = Reader(body)
    segments: list[tuple[bytes, int | None, bytes | None]] = []
    for _ in range(reader.count()):
        begin = reader.position
        flags = reader.u32()
        if flags == 2:
            reader.u32()
        start = None if flags == 1 else _constant(reader)
        data = reader.take(reader.u32())
        segments.append((reader.since(begin), start, None if flags == 1 else data))
    return segments


def _constant(reader: Reader) -> int | None:
    """The value of an `i32.const` expression; None of another, which is passed over."""
    encoded = read_expression(reader).encoded
    inner = Reader(encoded)
    if inner.byte() != _I32_CONST:
        return None
    begin = inner.position
    inner.skip_leb()
    digits = inner.since(begin)
    if inner.remaining != 1 or inner.byte() != _END:
        return None
    value = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(digits))
    if digits[-1] & 0x40:
        value -= 1 << 7 * len(digits)
    return value & 0xFFFF_FFFF
