"""Custom sections of a component: what its build says to the host, along with the code.

Neighbours: `build/` adds them, `sandbox/` reads them.
Invariant: reading never fails: a section that is not there, or not whole, is None.
Source: the binary format's `section` and `custom` (a component's are the same as a module's).
"""

WARNINGS = "edge:warnings"
"""Lines of UTF-8, each for the deployer."""
FILES = "edge:files"
"""What the function's guests may read; `host/wasi2/package.py` has the form."""
FILES_MAX = 4_096
FILES_BYTES_MAX = 16 << 20
"""Of all of them together."""

_HEADER_BYTES = 8
_CUSTOM = 0
_SIZE_BYTES_MAX = 5


def add_section(component: bytes, name: str, content: bytes) -> bytes:
    """The component with a section put before all others."""
    label = name.encode()
    body = _size(len(label)) + label + content
    section = bytes((_CUSTOM,)) + _size(len(body)) + body
    return component[:_HEADER_BYTES] + section + component[_HEADER_BYTES:]


def read_section(component: bytes, name: str) -> bytes | None:
    """The content of the first section of that name among those that come before the code."""
    at = _HEADER_BYTES
    label = name.encode()
    while at < len(component) and component[at] == _CUSTOM:
        size, start = _read_size(component, at + 1)
        length, place = _read_size(component, start)
        at = start + size
        if at > len(component) or place + length > at:
            return None
        if component[place : place + length] == label:
            return component[place + length : at]
    return None


def _size(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _read_size(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number, and where it ends; a number too large for any section if none."""
    value = 0
    for place, byte in enumerate(data[at : at + _SIZE_BYTES_MAX]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    return len(data), at
