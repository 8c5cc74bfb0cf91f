"""AWS Signature Version 4, the server's side: does this request come from a holder of the secret?

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Neighbours: `authority.py` looks the secret up and calls this; `canonical.py` spells the request.
Nothing here does I/O.
Invariant: whatever decides what a request does (method, path, query, host, every header that begins
with `x-amz-` or `x-edge-`, body) is under the signature. A request can be sent again for
`SKEW_S_MAX`, not longer: clients sign equal requests of one second equally, so a repetition is no
proof of a theft.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from edge.access.canonical import SignedHeaders, Wire, canonical_request
from edge.access.digest import Signer, digest_of
from edge.access.faults import IncompleteSignature, InvalidSignature, UnrecognizedClient
from edge.model.limits import KIB

ALGORITHM = b"AWS4-HMAC-SHA256"
SERVICE = b"lambda"
SKEW_S_MAX = 300
SIGNED_HEADERS_MAX = 64
TERMS_BYTES_MAX = 4 * KIB
TERMS_CACHED_MAX = 256
MOMENTS_CACHED_MAX = 256
EMPTY_DIGEST = digest_of(b"")
UNSIGNED_BODY = "UNSIGNED-PAYLOAD"
_TERMINATOR = b"aws4_request"
_DATE = b"x-amz-date"
_BODY_DIGEST = b"x-amz-content-sha256"
_SESSION_TOKEN = b"x-amz-security-token"
_OWN_PREFIXES = (b"x-amz-", b"x-edge-")
_HOST = b"host"
_SIGNATURE = b"Signature="
_DIGEST_DIGITS = 64
_DIGEST = re.compile(rb"[0-9a-f]{64}")
_MOMENT = re.compile(rb"[0-9]{8}T[0-9]{6}Z")
_TERMS = re.compile(
    ALGORITHM + rb"\s+Credential=([!-+\--~]+)\s*,\s*SignedHeaders=([a-z0-9;_.-]+)\s*,\s*"
)


class Terms(NamedTuple):
    """What a client says alike of all that it signs in a day; `scope` is
    DATE/REGION/SERVICE/aws4_request."""

    access_key_id: str
    scope: bytes
    day: bytes
    headers: SignedHeaders


class Signature(NamedTuple):
    """What the headers say of a signature."""

    terms: Terms
    moment: bytes
    digest: bytes


def read_signature(authorization: bytes, wire: Wire, now_s: float) -> Signature:
    """The signature of a request, its date and scope checked: what needs no secret and no body.

    Raises IncompleteSignature, InvalidSignature, UnrecognizedClient.
    """
    fields = wire.fields
    said, _, digest = authorization.rpartition(_SIGNATURE)
    if len(said) > TERMS_BYTES_MAX or len(digest) != _DIGEST_DIGITS:
        raise _unreadable()
    terms = _read_terms(said)
    if _SESSION_TOKEN in fields:
        raise UnrecognizedClient(
            "this host issues no session tokens: sign with a key of 'edge key create'"
            " and unset AWS_SESSION_TOKEN"
        )
    moment = fields.get(_DATE, b"")
    if abs(now_s - _seconds(moment)) > SKEW_S_MAX:
        raise InvalidSignature(
            f"the signature of {moment.decode()} is more than {SKEW_S_MAX} s away from this host's"
            " time: sign again, and check both clocks"
        )
    if not moment.startswith(terms.day):
        raise InvalidSignature("the signature's scope is of another day than its x-amz-date")
    _check_signed_headers(terms.headers, fields)
    return Signature(terms, moment, digest)


def named_digest(wire: Wire) -> str | None:
    """What x-amz-content-sha256 says of the body: its SHA-256 in hex, or UNSIGNED_BODY.

    None for a request without the header. Raises IncompleteSignature for anything else.
    """
    named = wire.fields.get(_BODY_DIGEST)
    if named is None:
        return None
    if named != UNSIGNED_BODY.encode() and not _DIGEST.fullmatch(named):
        raise IncompleteSignature(
            f"x-amz-content-sha256 must be the SHA-256 of the body in hex, or {UNSIGNED_BODY}"
        )
    return named.decode()


def verify(signature: Signature, signer: Signer, wire: Wire, digest: str) -> None:
    """Raise InvalidSignature unless the holder of the signer's key signed this request.

    `digest` is the SHA-256 of the body in hex, or UNSIGNED_BODY for one that may be any.
    """
    terms, moment, signed = signature
    if _BODY_DIGEST in wire.fields:
        check_digest(digest, wire.fields[_BODY_DIGEST].decode("latin-1"))
    hashed = digest_of(canonical_request(wire, terms.headers, digest))
    wanted = signer.sign(b"%b\n%b\n%b\n%b" % (ALGORITHM, moment, terms.scope, hashed.encode()))
    if not hmac.compare_digest(wanted.encode(), signed):
        raise InvalidSignature(
            "the signature does not fit the request: check the secret, and that nothing between"
            " client and host changes path, query or headers"
        )


def check_digest(digest: str, named: str) -> None:
    """Raise InvalidSignature unless the body has the digest that x-amz-content-sha256 names."""
    if digest != named:  # neither is a secret
        raise InvalidSignature("the body is not the one that x-amz-content-sha256 names")


def signer_of(secret: str, scope: bytes) -> Signer:
    """What a secret signs with for a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split(b"/"):
        key = hmac.digest(key, part, "sha256")
    return Signer(key)


@lru_cache(TERMS_CACHED_MAX)
def _read_terms(said: bytes) -> Terms:
    """What an Authorization header says before the signature itself."""
    found = _TERMS.fullmatch(said)
    if found is None:
        raise _unreadable()
    access_key_id, _, scope = found[1].partition(b"/")
    parts = scope.split(b"/")
    if len(parts) != 4 or parts[3] != _TERMINATOR or len(parts[0]) != 8 or not parts[1]:
        raise IncompleteSignature("the Credential must be KEY/DATE/REGION/lambda/aws4_request")
    if parts[2] != SERVICE:
        service, own = parts[2][:40].decode(), SERVICE.decode()
        raise InvalidSignature(f"the signature is for service {service!r}, this is {own}")
    names = found[2].split(b";")
    if len(names) > SIGNED_HEADERS_MAX or names != sorted(set(names)):
        raise IncompleteSignature(
            f"SignedHeaders must be at most {SIGNED_HEADERS_MAX} names in order, each once"
        )
    return Terms(access_key_id.decode(), scope, parts[0], SignedHeaders.of(names))


def _unreadable() -> IncompleteSignature:
    return IncompleteSignature(
        f"the Authorization header cannot be read: it must be {ALGORITHM.decode()}"
        " Credential=…, SignedHeaders=…, Signature=…"
    )


@lru_cache(MOMENTS_CACHED_MAX)
def _seconds(moment: bytes) -> float:
    """Unix seconds of `20300131T235959Z`, as many requests in a row have it."""
    text = moment.decode("latin-1")
    try:
        if _MOMENT.fullmatch(moment):
            return datetime.fromisoformat(text).timestamp()
    except ValueError:  # a month of 13
        pass
    raise IncompleteSignature("x-amz-date must be like 20300131T235959Z")


def _check_signed_headers(signed: SignedHeaders, fields: Mapping[bytes, bytes]) -> None:
    names = signed.names
    missing = [] if _HOST in names else [_HOST]
    for name in fields:  # a comprehension is a function more, 1 µs where caches are cold
        if name.startswith(_OWN_PREFIXES) and name not in names:
            missing.append(name)
    if missing:
        text = b", ".join(missing).decode("latin-1")
        raise InvalidSignature(f"not signed, but it must be: {text[:200]}")
