"""AWS Signature Version 4, the server's side: does this request come from a holder of the secret?

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Neighbours: `authority.py` looks the secret up and calls this; nothing here does I/O.
Invariant: whatever decides what a request does (method, path, query, host, every header that begins
with `x-amz-` or `x-edge-`, body) is under the signature. A request can be sent again for
`SKEW_S_MAX`, not longer: clients sign equal requests of one second equally, so a repetition is no
proof of a theft.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from edge.access.faults import IncompleteSignature, InvalidSignature, UnrecognizedClient
from edge.model.limits import KIB

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "lambda"
SKEW_S_MAX = 300
SIGNED_HEADERS_MAX = 64
TERMS_CHARS_MAX = 4 * KIB
TERMS_CACHED_MAX = 256
MOMENTS_CACHED_MAX = 256
EMPTY_DIGEST = sha256(b"").hexdigest()
UNSIGNED_BODY = "UNSIGNED-PAYLOAD"
_TERMINATOR = "aws4_request"
_DATE = b"x-amz-date"
_BODY_DIGEST = b"x-amz-content-sha256"
_SESSION_TOKEN = b"x-amz-security-token"
_OWN_PREFIXES = (b"x-amz-", b"x-edge-")
_HOST = b"host"
_UNRESERVED = "-_.~"
_PLAIN_PATH = re.compile(rb"/|(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+/?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_TERMS = re.compile(
    rf"{ALGORITHM}\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([a-z0-9;_.-]+)\s*,\s*"
)
_SIGNATURE = "Signature="

Headers = Sequence[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""
SigningKey = hmac.HMAC
"""An HMAC with the key in it, of which a copy signs."""


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


class Terms(NamedTuple):
    """What a client says alike of all that it signs in a day.

    `scope` is DATE/REGION/SERVICE/aws4_request, `signed_headers` are `names` joined by semicolons,
    `form` is their lines with a place for each value.
    """

    access_key_id: str
    scope: str
    day: str
    signed_headers: bytes
    names: tuple[bytes, ...]
    form: bytes


class Signature(NamedTuple):
    """What the headers say of a signature."""

    terms: Terms
    moment: str
    digest: str


def read_signature(authorization: str, wire: Wire, now_s: float) -> Signature:
    """The signature of a request, its date and scope checked: what needs no secret and no body.

    Raises IncompleteSignature, InvalidSignature, UnrecognizedClient.
    """
    said, _, digest = authorization.rpartition(_SIGNATURE)
    if len(said) > TERMS_CHARS_MAX or not _DIGEST.fullmatch(digest.rstrip()):
        raise _unreadable()
    terms = _read_terms(said)
    moment = wire.fields.get(_DATE, b"").decode("latin-1")
    if _SESSION_TOKEN in wire.fields:
        raise UnrecognizedClient(
            "this host issues no session tokens: sign with a key of 'edge key create'"
            " and unset AWS_SESSION_TOKEN"
        )
    _check_moment(moment, now_s)
    if terms.day != moment[:8]:
        raise InvalidSignature("the signature's scope is of another day than its x-amz-date")
    _check_signed_headers(terms, wire.fields)
    return Signature(terms, moment, digest.rstrip())


def named_digest(wire: Wire) -> str | None:
    """What x-amz-content-sha256 says of the body: its SHA-256 in hex, or UNSIGNED_BODY.

    None for a request without the header. Raises IncompleteSignature for anything else.
    """
    if _BODY_DIGEST not in wire.fields:
        return None
    named = wire.fields[_BODY_DIGEST].decode("latin-1")
    if named != UNSIGNED_BODY and not _DIGEST.fullmatch(named):
        raise IncompleteSignature(
            f"x-amz-content-sha256 must be the SHA-256 of the body in hex, or {UNSIGNED_BODY}"
        )
    return named


def verify(signature: Signature, key: SigningKey, wire: Wire, digest: str) -> None:
    """Raise InvalidSignature unless the holder of `key` signed this request.

    `digest` is the SHA-256 of the body in hex, or UNSIGNED_BODY for one that may be any.
    """
    if _BODY_DIGEST in wire.fields:
        check_digest(digest, wire.fields[_BODY_DIGEST].decode("latin-1"))
    terms = signature.terms
    canonical = b"%b\n%b\n%b\n%b\n%b\n%b" % (
        wire.method.encode(),
        _canonical_path(wire.path),
        _canonical_query(wire.query),
        _canonical_headers(terms, wire.fields),
        terms.signed_headers,
        digest.encode(),
    )
    hashed = sha256(canonical).hexdigest()
    text = f"{ALGORITHM}\n{signature.moment}\n{terms.scope}\n{hashed}"
    wanted = key.copy()
    wanted.update(text.encode())
    if not hmac.compare_digest(wanted.hexdigest(), signature.digest):
        raise InvalidSignature(
            "the signature does not fit the request: check the secret, and that nothing between"
            " client and host changes path, query or headers"
        )


def check_digest(digest: str, named: str) -> None:
    """Raise InvalidSignature unless the body has the digest that x-amz-content-sha256 names."""
    if digest != named:  # neither is a secret
        raise InvalidSignature("the body is not the one that x-amz-content-sha256 names")


def signing_key(secret: str, scope: str) -> SigningKey:
    """The key that a secret has for a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


@lru_cache(TERMS_CACHED_MAX)
def _read_terms(said: str) -> Terms:
    """What an Authorization header says before the signature itself."""
    found = _TERMS.fullmatch(said)
    if found is None:
        raise _unreadable()
    access_key_id, _, scope = found[1].partition("/")
    parts = scope.split("/")
    if len(parts) != 4 or parts[3] != _TERMINATOR or not parts[1]:
        raise IncompleteSignature("the Credential must be KEY/DATE/REGION/lambda/aws4_request")
    if parts[2] != SERVICE:
        raise InvalidSignature(f"the signature is for service {parts[2][:40]!r}, this is {SERVICE}")
    signed_headers = found[2].encode()
    names = signed_headers.split(b";")
    if len(names) > SIGNED_HEADERS_MAX or names != sorted(set(names)):
        raise IncompleteSignature(
            f"SignedHeaders must be at most {SIGNED_HEADERS_MAX} names in order, each once"
        )
    form = b"".join(name + b":%b\n" for name in names)
    return Terms(access_key_id, scope, parts[0], signed_headers, tuple(names), form)


def _unreadable() -> IncompleteSignature:
    return IncompleteSignature(
        f"the Authorization header cannot be read: it must be {ALGORITHM}"
        " Credential=…, SignedHeaders=…, Signature=…"
    )


def _check_moment(moment: str, now_s: float) -> None:
    try:
        signed_s = _seconds(moment)
    except ValueError:
        raise IncompleteSignature("x-amz-date must be like 20300131T235959Z") from None
    if abs(now_s - signed_s) > SKEW_S_MAX:
        raise InvalidSignature(
            f"the signature of {moment} is more than {SKEW_S_MAX} s away from this host's time:"
            " sign again, and check both clocks"
        )


@lru_cache(MOMENTS_CACHED_MAX)
def _seconds(moment: str) -> float:
    """Unix seconds of `20300131T235959Z`, as many requests in a row have it; raises ValueError."""
    if not _MOMENT.fullmatch(moment):
        raise ValueError(moment)
    return datetime.fromisoformat(moment).timestamp()


def _check_signed_headers(terms: Terms, fields: Mapping[bytes, bytes]) -> None:
    signed = terms.names
    missing = [name for name in fields if name.startswith(_OWN_PREFIXES) and name not in signed]
    if _HOST not in signed:
        missing.append(_HOST)
    if missing:
        names = b", ".join(missing).decode("latin-1")
        raise InvalidSignature(f"not signed, but it must be: {names[:200]}")


def _canonical_path(path: bytes) -> bytes:
    """The wire's path, percent-encoded once more.

    Clients sign a path without dot segments and empty ones. A signature for one spelling would
    fit all others, which reach other functions; so only the one spelling is let in.
    """
    if _PLAIN_PATH.fullmatch(path):
        return path
    segments = path.split(b"/")
    if path != b"/" and (
        segments[0] or b"" in segments[1:-1] or b"." in segments or b".." in segments
    ):
        raise InvalidSignature("a signed path may have no empty segments, no . and no ..")
    return quote(path, safe="/" + _UNRESERVED).encode()


def _canonical_query(query: bytes) -> bytes:
    if not query:
        return b""
    pairs = (pair.partition(b"=") for pair in query.split(b"&") if pair)
    spelled = sorted((_again(name), _again(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in spelled).encode()


def _again(text: bytes) -> str:
    """Percent-encoded as the signature has it, however the wire spelled it."""
    return quote(unquote_to_bytes(text), safe=_UNRESERVED)


def _canonical_headers(terms: Terms, fields: Mapping[bytes, bytes]) -> bytes:
    """The signed headers' lines, white space within a value made one space."""
    try:
        values = [fields[name] for name in terms.names]
    except KeyError as missing:
        name = missing.args[0].decode()
        raise InvalidSignature(f"{name} is signed, but the request does not have it") from None
    text = b" ".join(values).decode("utf-8", "replace")
    if not text.isascii() or " ".join(text.split()) != text:
        spelled = (value.decode("utf-8", "replace").split() for value in values)
        values = [" ".join(words).encode() for words in spelled]
    return terms.form % tuple(values)
