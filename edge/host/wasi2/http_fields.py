"""`wasi:http` header fields and trailers.

Neighbours: `http_server.py`, `http_client.py` and `http_bodies.py`.
Invariant: fields that exist are valid HTTP and within their bounds.
"""

import re
from collections.abc import Iterable
from typing import Self

from edge.host.charges import FUEL_PER_BYTE
from edge.host.wasi2.context import Context, Functions, Resource
from edge.host.wasi2.exchange import Headers
from edge.host.wasi2.results import Err
from edge.model.limits import KIB

FIELDS_MAX = 256
FIELDS_BYTES_MAX = 64 * KIB

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_INVALID = Err(("invalid-syntax", None))
_FORBIDDEN = Err(("forbidden", None))
_IMMUTABLE = Err(("immutable", None))


class Fields(Resource):
    """Header fields or trailers."""

    __slots__ = ("entries", "immutable")
    KIND = "fields"

    def __init__(self, entries: Iterable[tuple[str, bytes]] = (), immutable: bool = False) -> None:
        self.entries: Headers = list(entries)
        self.immutable = immutable

    @classmethod
    def of_texts(cls, texts: Iterable[tuple[str, str]]) -> Self:
        """What came over the wire, in Latin-1; not to be changed."""
        return cls(((name, text.encode("latin-1", "replace")) for name, text in texts), True)

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """All of them, in Latin-1."""
        return tuple((name, value.decode("latin-1")) for name, value in self.entries)

    def values(self, name: str) -> list[bytes]:
        """All values of a name."""
        lower = name.lower()
        return [value for key, value in self.entries if key == lower]

    def refusal(self, name: str, values: Iterable[bytes]) -> Err | None:
        """Why these cannot be added, if they cannot."""
        if self.immutable:
            return _IMMUTABLE
        more = list(values)
        if not _NAME.fullmatch(name) or not all(map(_VALUE.fullmatch, more)):
            return _INVALID
        size = sum(len(key) + len(value) for key, value in self.entries)
        size += sum(len(name) + len(value) for value in more)
        fits = len(self.entries) + len(more) <= FIELDS_MAX and size <= FIELDS_BYTES_MAX
        return None if fits else _FORBIDDEN

    def remove(self, name: str) -> None:
        """Take all values of a name away."""
        lower = name.lower()
        self.entries = [(key, value) for key, value in self.entries if key != lower]


def new_fields(context: Context) -> Fields:
    """None yet."""
    return Fields()


def fields_from_list(context: Context, entries: list[tuple[str, bytes]]) -> Fields | Err:
    """All of these."""
    fields = Fields()
    for name, value in entries[: FIELDS_MAX + 1]:
        refusal = append_field(context, fields, name, value)
        if refusal is not None:
            return refusal
    return fields


def get_field(context: Context, fields: Fields, name: str) -> list[bytes]:
    """All values of a name."""
    return fields.values(name)


def has_field(context: Context, fields: Fields, name: str) -> bool:
    """Whether there is one."""
    return bool(fields.values(name))


def set_field(context: Context, fields: Fields, name: str, values: list[bytes]) -> Err | None:
    """These in place of those there are."""
    refusal = fields.refusal(name, values)
    if refusal is None:
        fields.remove(name)
        fields.entries += [(name.lower(), value) for value in values]
    return refusal


def delete_field(context: Context, fields: Fields, name: str) -> Err | None:
    """None of a name."""
    refusal = fields.refusal(name, ())
    if refusal is None:
        fields.remove(name)
    return refusal


def append_field(context: Context, fields: Fields, name: str, value: bytes) -> Err | None:
    """One more."""
    context.session.charge(FUEL_PER_BYTE * (len(name) + len(value)))
    refusal = fields.refusal(name, (value,))
    if refusal is None:
        fields.entries.append((name.lower(), value))
    return refusal


def field_entries(context: Context, fields: Fields) -> Headers:
    """All of them."""
    return fields.entries


def clone_fields(context: Context, fields: Fields) -> Fields:
    """The same, to be changed."""
    return Fields(fields.entries)


FUNCTIONS: Functions = {
    "[constructor]fields": new_fields,
    "[static]fields.from-list": fields_from_list,
    "[method]fields.get": get_field,
    "[method]fields.has": has_field,
    "[method]fields.set": set_field,
    "[method]fields.delete": delete_field,
    "[method]fields.append": append_field,
    "[method]fields.entries": field_entries,
    "[method]fields.clone": clone_fields,
}
