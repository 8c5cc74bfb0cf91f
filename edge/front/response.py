"""What a function gave back, as an HTTP response, by Lambda's rules for payload 2.0.

Neighbours: `command.py` does the same for what a command wrote; `data.py` sends the answer.
Source of the rules: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html.

- A value without `statusCode` is the body: text as it is, a byte string as
  `application/octet-stream`, anything else as JSON with byte strings as base64.
- With `statusCode`: `headers` (text, numbers, booleans), `cookies`, `body` (text or bytes),
  `isBase64Encoded`, which speaks of a text body only. The content type defaults to
  `application/json`, as Function URLs have it, and for bytes to `application/octet-stream`.
- Fields that belong to the connection or to edge are dropped; the length is ours to say.

Invariant: an answer made here is valid HTTP whatever the guest returned; what cannot be made
valid raises MalformedResponse.
"""

import re
from base64 import b64decode
from collections.abc import Iterable

from edge.front.answers import Answer, Headers
from edge.front.documents import json_bytes
from edge.model.limits import KIB

RESPONSE_HEADER_BYTES_MAX = 64 * KIB
JSON = b"application/json"
BYTES = b"application/octet-stream"
TEXT = b"text/plain; charset=utf-8"

# RFC 9110, section 7.6.1, and the length, which is recomputed.
_CONNECTION_FIELDS = frozenset(
    (
        b"connection",
        b"content-length",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_OWN_PREFIX = b"x-edge-"
# RFC 9110, section 5.6.2 and 5.5; of the controls only the tab may stand in a value.
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


class MalformedResponse(Exception):
    """The function's answer breaks the rules; the text tells its author how."""


def lambda_response(value: object) -> Answer:
    """The response `value` describes, or is; raises MalformedResponse."""
    if not isinstance(value, dict) or "statusCode" not in value:
        return _bare(value)
    status = _status(value["statusCode"])
    body = _body(value.get("body"), value.get("isBase64Encoded"))
    headers = _headers(value.get("headers"))
    for cookie in _cookies(value.get("cookies")):
        headers.append((b"set-cookie", field_value("cookies", cookie)))
    bound_headers(headers)
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", BYTES if isinstance(value.get("body"), bytes) else JSON))
    return Answer(status, headers, body)


def field(name: str, value: str) -> tuple[bytes, bytes] | None:
    """A header field ready to send; None when it is not the function's to set.

    Raises MalformedResponse for a name or value that HTTP does not allow.
    """
    if not _FIELD_NAME.fullmatch(name):
        raise MalformedResponse(f"{name[:80]!r} is not a header name")
    lower = name.lower().encode()
    if lower in _CONNECTION_FIELDS or lower.startswith(_OWN_PREFIX):
        return None
    return lower, field_value(name, value)


def field_value(name: str, value: str) -> bytes:
    """`value` in Latin-1, as HTTP reads it; raises MalformedResponse."""
    try:
        raw = value.encode("latin-1").strip(b" \t")
    except UnicodeEncodeError:
        raise MalformedResponse(f"header {name!r} has a character outside Latin-1") from None
    if not _FIELD_VALUE.fullmatch(raw):
        raise MalformedResponse(f"header {name!r} has a control character, such as a line break")
    return raw


def bound_headers(headers: Headers) -> None:
    """Raises MalformedResponse when the fields together are too long to send."""
    if sum(len(name) + len(value) for name, value in headers) > RESPONSE_HEADER_BYTES_MAX:
        raise MalformedResponse(f"the headers are over {RESPONSE_HEADER_BYTES_MAX} bytes")


def _bare(value: object) -> Answer:
    if isinstance(value, str):
        return Answer(200, [(b"content-type", TEXT)], _utf8(value))
    if isinstance(value, bytes):
        return Answer(200, [(b"content-type", BYTES)], value)
    try:
        return Answer(200, [(b"content-type", JSON)], json_bytes(value))
    except ValueError as error:
        raise MalformedResponse(f"the returned value is {error}") from error


def _status(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) == 3:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        raise MalformedResponse(f"statusCode must be a number from 200 to 599, not {value!r:.40}")
    return value


def _body(body: object, is_base64: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if not isinstance(body, str):
        raise MalformedResponse(f"body must be text or bytes, not {type(body).__name__}")
    if is_base64 is not True:
        return _utf8(body)
    try:
        return b64decode(body, validate=True)
    except ValueError as error:
        raise MalformedResponse(f"body is not valid base64: {error}") from error


def _headers(given: object) -> Headers:
    if given is None:
        return []
    if not isinstance(given, dict):
        raise MalformedResponse("headers must be a map of names to values")
    headers: Headers = []
    for name, value in given.items():
        if not isinstance(name, str):
            raise MalformedResponse("header names must be text")
        found = field(name, _scalar(name, value))
        if found is not None:
            headers.append(found)
    return headers


def _scalar(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise MalformedResponse(f"header {name[:80]!r} must be text, not {type(value).__name__}")


def _cookies(given: object) -> Iterable[str]:
    if given is None:
        return ()
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
        raise MalformedResponse("cookies must be a list of texts")
    return given


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise MalformedResponse("the body has half of a surrogate pair") from error
