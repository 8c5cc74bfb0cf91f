"""What browsers are told of a function for pages of other origins: its URL's CORS settings.

A preflight is answered here, without the function; every other answer gets the fields, refusals
too, so that a page can read why. Fields of CORS that the function set itself give way.

Neighbours: both doors of the data plane ask, for functions with a URL config only.
Source: https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from collections.abc import Sequence

from edge.front.answers import Answer, Headers, framed
from edge.model.url import Cors

ANY = "*"
_PREFIX = b"access-control-"

Fields = Sequence[tuple[bytes, bytes]]


def cors_fields(cors: Cors, headers: Fields) -> Headers:
    """The fields of any answer to a request with these `headers` (names in lower case)."""
    fields: Headers = []
    if ANY not in cors.allow_origins or cors.allow_credentials:
        fields.append((b"vary", b"origin"))
    origin = _field(headers, b"origin")
    if origin is None or not _allows(cors, origin):
        return fields
    # A browser that sends credentials takes no `*`.
    is_open = ANY in cors.allow_origins and not cors.allow_credentials
    fields.append((b"access-control-allow-origin", b"*" if is_open else origin))
    if cors.allow_credentials:
        fields.append((b"access-control-allow-credentials", b"true"))
    if cors.expose_headers:
        fields.append((b"access-control-expose-headers", _joined(cors.expose_headers)))
    return fields


def preflight(cors: Cors, method: str, headers: Fields) -> Answer | None:
    """The answer to a browser that asks before it calls, without `cors_fields`; None for others."""
    origin = _field(headers, b"origin")
    wanted = _field(headers, b"access-control-request-method")
    if method != "OPTIONS" or origin is None or wanted is None:
        return None
    fields: Headers = []
    if _allows(cors, origin):
        named = _field(headers, b"access-control-request-headers") or b""
        for name, allowed, asked in (
            (b"access-control-allow-methods", cors.allow_methods, wanted),
            (b"access-control-allow-headers", cors.allow_headers, named),
        ):
            value = asked if ANY in allowed else _joined(allowed)
            if value:
                fields.append((name, value))
        fields.append((b"access-control-max-age", b"%d" % cors.max_age_s))
    return framed(200, fields, b"")


def with_fields(answer: Answer, fields: Fields) -> Answer:
    """`answer` with `cors_fields` in place of what the function said of CORS itself.

    A preflight's own fields stay.
    """
    said = {name for name, _ in fields if name.startswith(_PREFIX)}
    kept = [field for field in answer.headers if field[0] not in said]
    return answer._replace(headers=[*kept, *fields])


def _allows(cors: Cors, origin: bytes) -> bool:
    return ANY in cors.allow_origins or origin.decode("latin-1") in cors.allow_origins


def _field(headers: Fields, name: bytes) -> bytes | None:
    return next((value for each, value in headers if each == name), None)


def _joined(texts: Sequence[str]) -> bytes:
    return ", ".join(texts).encode("latin-1")
