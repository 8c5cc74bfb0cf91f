"""The byte level of a WebAssembly binary: bounded reading and LEB128 writing.

Neighbours: `parse` and `constants` read through `Reader`; `instrument` and `rewrite` write
with the `encode_…` functions. Invariant: a `Reader` never looks outside its own span, and
anything malformed raises `SnapshotRefused`, whatever the bytes are.
"""

from collections.abc import Iterable

from edge.model.errors import SnapshotRefused

MAGIC = b"\0asm\x01\0\0\0"
_LEB_BYTES_MAX = 5  # of a 32-bit or 33-bit integer


class Reader:
    """A cursor over `data[position:end]`."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return self.end - self.position

    def fail(self, reason: str) -> SnapshotRefused:
        """The error for what stands at the cursor."""
        return SnapshotRefused(
            f"the module's encoding is not understood at byte {self.position}: {reason}"
        )

    def byte(self) -> int:
        """One byte."""
        if self.position >= self.end:
            raise self.fail("it ends too early")
        value = self.data[self.position]
        self.position += 1
        return value

    def take(self, length: int) -> bytes:
        """The next `length` bytes, copied."""
        if length > self.remaining:
            raise self.fail(f"{length} bytes are announced, {self.remaining} remain")
        start = self.position
        self.position += length
        return self.data[start : self.position]

    def u32(self) -> int:
        """An unsigned 32-bit LEB128 integer."""
        value = self.byte()
        if value < 0x80:
            return value
        value &= 0x7F
        for shift in range(7, 7 * _LEB_BYTES_MAX, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value > 0xFFFFFFFF:
                    raise self.fail("an integer is over 32 bits")
                return value
        raise self.fail("an integer is too long")

    def skip_leb(self, bytes_max: int = _LEB_BYTES_MAX) -> None:
        """Pass over one LEB128 integer of any sign."""
        for _ in range(bytes_max):
            if self.byte() < 0x80:
                return
        raise self.fail("an integer is too long")

    def count(self) -> int:
        """The length of a vector; each element takes at least one byte, so it is bounded."""
        count = self.u32()
        if count > self.remaining:
            raise self.fail(f"{count} elements are announced, {self.remaining} bytes remain")
        return count

    def sized(self) -> "Reader":
        """A reader of the next length-prefixed span, which is passed over."""
        length = self.u32()
        if length > self.remaining:
            raise self.fail(f"{length} bytes are announced, {self.remaining} remain")
        inner = Reader(self.data, self.position, self.position + length)
        self.position += length
        return inner

    def name(self) -> str:
        """A length-prefixed UTF-8 name."""
        encoded = self.take(self.u32())
        try:
            return encoded.decode("utf-8")
        except UnicodeDecodeError:
            raise self.fail("a name is not UTF-8") from None

    def since(self, start: int) -> bytes:
        """What was read from `start` to here."""
        return self.data[start : self.position]

    def finish(self) -> None:
        """Refuse bytes that nothing has read."""
        if self.remaining:
            raise self.fail(f"{self.remaining} bytes are left over")


def encode_u32(value: int) -> bytes:
    """An unsigned LEB128 integer."""
    if value < 0x80:
        return bytes((value,))
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode_signed(value: int) -> bytes:
    """A signed LEB128 integer."""
    encoded = bytearray()
    while not -0x40 <= value < 0x40:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value & 0x7F)
    return bytes(encoded)


def encode_name(name: str) -> bytes:
    """A length-prefixed UTF-8 name."""
    encoded = name.encode("utf-8")
    return encode_u32(len(encoded)) + encoded


def encode_vector(items: Iterable[bytes]) -> bytes:
    """A count, then the encoded items."""
    encoded = list(items)
    return b"".join((encode_u32(len(encoded)), *encoded))


def encode_indices(indices: Iterable[int]) -> bytes:
    """A vector of unsigned integers."""
    return encode_vector(encode_u32(index) for index in indices)
