"""`wasi:http` header fields, and the bodies that both directions have.

Neighbours: `http_server.py` and `http_client.py`.
Invariant: fields that exist are valid HTTP and within their bounds.
"""

import re
from collections.abc import Iterable

from edge.host.charges import FUEL_PER_BYTE
from edge.host.wasi2.context import Context, Functions, Resource
from edge.host.wasi2.exchange import Body, Headers
from edge.host.wasi2.io import InputStream, OutputStream, Pollable
from edge.host.wasi2.results import Err, Ok
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


class IncomingBody(Resource):
    """A body that is there in whole. `owner` is whose memory it is, and lives as long."""

    __slots__ = ("data", "owner", "streamed")
    KIND = "incoming-body"

    def __init__(self, data: bytes, owner: object) -> None:
        self.data = data
        self.owner = owner
        self.streamed = False


class FutureTrailers(Resource):
    """There are none; asked twice, it says so."""

    __slots__ = ("taken",)
    KIND = "future-trailers"

    def __init__(self) -> None:
        self.taken = False


class OutgoingBody(Resource):
    """A body the guest writes."""

    __slots__ = ("body", "written")
    KIND = "outgoing-body"

    def __init__(self, body: Body) -> None:
        self.body = body
        self.written = False


class BodyOutput(OutputStream):
    """The stream that a body is written by."""

    __slots__ = ("_body",)

    def __init__(self, body: Body) -> None:
        self._body = body

    def write(self, data: bytes) -> str | None:
        """Take more of the body."""
        return self._body.write(data)


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


def stream_body(context: Context, body: IncomingBody) -> InputStream | Err:
    """Read it, once."""
    if body.streamed:
        return Err()
    body.streamed = True
    return InputStream(body.data, body.owner)


def finish_incoming(context: Context, body: IncomingBody) -> FutureTrailers:
    """Done with reading."""
    return FutureTrailers()


def subscribe_trailers(context: Context, trailers: FutureTrailers) -> Pollable:
    """They are there: none."""
    return Pollable()


def get_trailers(context: Context, trailers: FutureTrailers) -> Ok | Err:
    """None, and once."""
    if trailers.taken:
        return Err()
    trailers.taken = True
    return Ok(Ok(None))


def write_body(context: Context, body: OutgoingBody) -> BodyOutput | Err:
    """Write it, once."""
    if body.written:
        return Err()
    body.written = True
    return BodyOutput(body.body)


def finish_outgoing(context: Context, body: OutgoingBody, trailers: Fields | None) -> None:
    """It is whole. Trailers are taken and, for now, not sent."""
    body.body.finished = True


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
    "[method]incoming-body.stream": stream_body,
    "[static]incoming-body.finish": finish_incoming,
    "[method]future-trailers.subscribe": subscribe_trailers,
    "[method]future-trailers.get": get_trailers,
    "[method]outgoing-body.write": write_body,
    "[static]outgoing-body.finish": finish_outgoing,
}
