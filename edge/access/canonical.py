"""A request as it is signed: the one spelling that client and host make of it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Neighbours: `signature.py` hashes it, and checks that all that matters is in it.
Invariant: two requests that would do different things have different spellings.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from edge.access.faults import InvalidSignature

_UNRESERVED = "-_.~"
_PLAIN_PATH = re.compile(rb"/|(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+/?")
_PLAIN = bytes(range(0x21, 0x7F)) + b"\n"
"""What stands in headers' lines as it came; the rest is white space, or no ASCII."""

Headers = Sequence[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it came: `path` and `query` still percent-encoded.

    `fields` are the headers by name, the values of one that is repeated joined by commas.
    """

    method: str
    path: bytes
    query: bytes
    headers: Headers
    fields: Mapping[bytes, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the headers by name, once for all who ask."""
        fields = dict(self.headers)
        object.__setattr__(self, "fields", fields)
        if len(fields) != len(self.headers):
            values: dict[bytes, list[bytes]] = {name: [] for name in fields}
            for name, value in self.headers:
                values[name].append(b" ".join(value.split()))
            fields.update((name, b",".join(each)) for name, each in values.items())


class SignedHeaders(NamedTuple):
    """Which headers are signed. `text` is their names joined by semicolons, `form` their lines with
    a place for each value, which `pick` takes from a mapping.
    """

    text: bytes
    names: tuple[bytes, ...]
    form: bytes
    pick: Callable[[Mapping[bytes, bytes]], object]

    @classmethod
    def of(cls, names: Sequence[bytes]) -> "SignedHeaders":
        """These, of which there is one at least, in order."""
        form = b"".join(name + b":%b\n" for name in names)
        return cls(b";".join(names), tuple(names), form, itemgetter(*names))


def canonical_request(wire: Wire, signed: SignedHeaders, digest: str) -> bytes:
    """What is signed of a request whose body has this SHA-256. Raises InvalidSignature."""
    path, query = wire.path, wire.query
    return b"%b\n%b\n%b\n%b\n%b\n%b" % (
        wire.method.encode(),
        path if _PLAIN_PATH.fullmatch(path) else _canonical_path(path),
        _canonical_query(query) if query else b"",
        _canonical_headers(signed, wire.fields),
        signed.text,
        digest.encode(),
    )


def _canonical_path(path: bytes) -> bytes:
    """The wire's path, percent-encoded once more.

    Clients sign a path without dot segments and empty ones. A signature for one spelling would
    fit all others, which reach other functions; so only the one spelling is let in.
    """
    segments = path.split(b"/")
    if segments[0] or b"" in segments[1:-1] or b"." in segments or b".." in segments:
        raise InvalidSignature("a signed path may have no empty segments, no . and no ..")
    return quote(path, safe="/" + _UNRESERVED).encode()


def _canonical_query(query: bytes) -> bytes:
    pairs = (pair.partition(b"=") for pair in query.split(b"&") if pair)
    spelled = sorted((_again(name), _again(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in spelled).encode()


def _again(text: bytes) -> str:
    """Percent-encoded as the signature has it, however the wire spelled it."""
    return quote(unquote_to_bytes(text), safe=_UNRESERVED)


def _canonical_headers(signed: SignedHeaders, fields: Mapping[bytes, bytes]) -> bytes:
    """The signed headers' lines, white space within a value made one space."""
    try:
        lines = signed.form % signed.pick(fields)
    except KeyError as missing:
        name = missing.args[0].decode()
        raise InvalidSignature(f"{name} is signed, but the request does not have it") from None
    if lines.translate(None, _PLAIN):
        spelled = (fields[name].decode("utf-8", "replace").split() for name in signed.names)
        lines = signed.form % tuple(" ".join(words).encode() for words in spelled)
    return lines
