"""Bodies and responses of HTTP events (payload format 2.0).

Neighbours: none; a handler may do the same with the event and a dict.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence


def body_of(event: Mapping[str, object]) -> bytes:
    """The body of a request, decoded; empty if there is none."""
    body = event.get("body") or b""
    if isinstance(body, bytes):
        return body
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def respond(
    status: int,
    body: bytes | str | Iterator[bytes | str] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] = (),
) -> dict[str, object]:
    """A response; bytes go out as they are, without base64, an iterator's pieces as they come."""
    response: dict[str, object] = {"statusCode": status, "headers": dict(headers or {})}
    if body is not None:
        response["body"] = body
    if cookies:
        response["cookies"] = list(cookies)
    return response
