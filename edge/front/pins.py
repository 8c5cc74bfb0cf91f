"""The version a caller asks for among those that an alias stands for.

A header for programs, a cookie for browsers; each says what `x-edge-version` of an earlier answer
said. It chooses between the versions the alias leads to, and opens no other.

Neighbours: the doors hand it to the registry; `model/alias.py` has the rule.
"""

from collections.abc import Iterable

HEADER = b"x-edge-version"
COOKIE = b"edge-version"
NUMBER_DIGITS_MAX = 9


def pin_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The version that a request's fields (names in lower case) name; empty for none.

    The header comes before the cookie.
    """
    named = b""
    for name, value in headers:
        if name == HEADER:
            named = value
            break
        if name == b"cookie" and COOKIE in value:
            named = _cookie(value) or named
    named = named.strip()
    is_number = named.isdigit() and len(named) <= NUMBER_DIGITS_MAX
    return named.decode("ascii") if is_number else ""


def _cookie(field: bytes) -> bytes:
    for part in field.split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name == COOKIE:
            return value
    return b""
