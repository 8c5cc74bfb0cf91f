"""Take the contents of its memories out of a module or a component: it starts over nothing, and
they are mapped beneath it (`sandbox/memories.c`).

Neighbours: `sandbox/build.py` calls it on what it compiles; `sandbox/memories.py` has their file.
Invariant: what is stripped, over those memories, is what it was; where that is not certain, it
stays whole, over memories of zeros, and Wasmtime copies its data in.
"""

from typing import NamedTuple

from edge.model.errors import SnapshotRefused
from edge.model.limits import MIB
from edge.sandbox.snapshot.binary import MAGIC, Reader, encode_u32, encode_vector
from edge.sandbox.snapshot.constants import read_expression
from edge.sandbox.snapshot.image import PAGE_BYTES, SPAN_ALWAYS_MAPPED_BYTES
from edge.sandbox.snapshot.parse import parse
from edge.sandbox.snapshot.sections import Kind, SectionId, assemble

FILE_BYTES_MAX = 64 * MIB
"""What begins beyond that, of all memories together, stays: a file would hold the zeros between."""
MEMORIES_MAX = 2
"""Of one guest. Components may have modules that nobody makes an instance of."""

_CORE_MODULE, _COMPONENT = 1, 4  # sections of a component
_I32_CONST, _END = 0x41, 0x0B
_DROPPED = b"\x01\0"


class MemoryContent(NamedTuple):
    """What a memory of `size_bytes` begins with; from there it is zero."""

    size_bytes: int
    content: bytes


def take_memories(binary: bytes) -> tuple[bytes, tuple[MemoryContent, ...]]:
    """A module or component without what its memories begin with, and that. Where two memories of
    one size begin differently, nobody could tell them apart, and it stays whole."""
    try:
        stripped, images = _take(binary)
    except SnapshotRefused:  # an encoding that the parser does not know
        return binary, ()
    by_size = {image.size_bytes: image for image in images}
    are_told_apart = len(by_size) == len(set(images)) <= MEMORIES_MAX
    if not are_told_apart or sum(len(image.content) for image in images) > FILE_BYTES_MAX:
        return binary, ()
    return stripped, tuple(by_size.values())


def _take(binary: bytes) -> tuple[bytes, list[MemoryContent]]:
    return _of_module(binary) if binary.startswith(MAGIC) else _of_component(binary)


def _of_component(component: bytes) -> tuple[bytes, list[MemoryContent]]:
    """The same of the modules and components in it."""
    reader = Reader(component)
    pieces, images = [reader.take(len(MAGIC))], list[MemoryContent]()
    while reader.remaining:
        section, body = reader.byte(), reader.sized()
        content = body.take(body.remaining)
        if section in (_CORE_MODULE, _COMPONENT):
            content, found = _take(content)
            images += found
        pieces += [bytes((section,)), encode_u32(len(content)), content]
    return b"".join(pieces), images


def _of_module(module: bytes) -> tuple[bytes, list[MemoryContent]]:
    parsed = parse(module)
    if not parsed.memories:
        return module, []
    if len(parsed.memories) > 1 or parsed.imported(Kind.MEMORY):
        raise SnapshotRefused("it has more memories than one")
    size = parsed.memories[0].minimum * PAGE_BYTES
    segments = _segments(parsed.bodies.get(SectionId.DATA, b"\0"))
    memory = bytearray()
    taken: list[bytes] = []
    for encoded, start, data in segments:
        if data is None:  # passive
            taken.append(encoded)
        elif start is None or start + len(data) > min(size, FILE_BYTES_MAX):
            return module, [MemoryContent(size, b"")]
        else:
            memory.extend(bytes(max(0, start + len(data) - len(memory))))
            memory[start : start + len(data)] = data
            taken.append(_DROPPED)
    written = sum(len(data) for _, _, data in segments if data is not None)
    if len(memory) > max(SPAN_ALWAYS_MAPPED_BYTES, 2 * written):
        return module, [MemoryContent(size, b"")]
    bodies = dict(parsed.bodies)
    if taken:
        bodies[SectionId.DATA] = encode_vector(taken)
    stripped = assemble(bodies, parsed.customs)
    return stripped, [MemoryContent(size, bytes(memory).rstrip(b"\0"))]


def _segments(body: bytes) -> list[tuple[bytes, int | None, bytes | None]]:
    """Each segment whole, where it goes (None: not known before the start), and its bytes if it
    goes anywhere."""
    reader = Reader(body)
    segments: list[tuple[bytes, int | None, bytes | None]] = []
    for _ in range(reader.count()):
        begin = reader.position
        flags = reader.u32()
        if flags > 2 or (flags == 2 and reader.u32()):
            raise reader.fail("a data segment of another memory")
        start = None if flags == 1 else _constant(reader)
        data = reader.take(reader.u32())
        segments.append((reader.since(begin), start, None if flags == 1 else data))
    reader.finish()
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
