"""`wasi:http`: a request of the guest's own in the making, and how long it may take.

Neighbours: `http_client.py` sends it.
Invariant: method, host, path and fields are each what they say; no two of them make a third.
"""

from typing import Any

from edge.host.fetch.exchange import Patience, StreamedRequest
from edge.host.fetch.request import RESERVED_HEADERS, Target, check_headers, parse_method
from edge.host.wasi2.context import Context, Functions, Resource
from edge.host.wasi2.exchange import Body
from edge.host.wasi2.http_bodies import OutgoingBody
from edge.host.wasi2.http_fields import Fields
from edge.host.wasi2.http_server import METHODS, Variant
from edge.host.wasi2.results import Err

_CONNECT, _FIRST_BYTE, _BETWEEN_BYTES = (
    "connect-timeout",
    "first-byte-timeout",
    "between-bytes-timeout",
)
_TIMEOUTS = (_CONNECT, _FIRST_BYTE, _BETWEEN_BYTES)
_LENGTH = "content-length"
_LENGTH_DIGITS_MAX = 15


class OutgoingRequest(Resource):
    """A request in the making."""

    __slots__ = ("authority", "body", "headers", "method", "path", "scheme")
    KIND = "outgoing-request"

    def __init__(self, headers: Fields) -> None:
        self.headers = headers
        self.method: Variant = ("get", None)
        self.scheme: Variant | None = None
        self.authority: str | None = None
        self.path: str | None = None
        self.body: Body | None = None

    def streamed(self) -> StreamedRequest:
        """It as it is to be sent. Raises CallError for what may not be."""
        name, other = self.method
        scheme = "http" if self.scheme == ("HTTP", None) else "https"
        headers: dict[str, str] = {}
        length = None
        for key, value in self.headers.entries:
            text = value.decode("latin-1")
            if key not in RESERVED_HEADERS:
                headers[key] = f"{headers[key]}, {text}" if key in headers else text
            elif key == _LENGTH and text.isdigit() and len(text) <= _LENGTH_DIGITS_MAX:
                length = int(text)
        return StreamedRequest(
            Target.parse(f"{scheme}://{self.authority or ''}{self.path or '/'}"),
            parse_method((other or "") if name == "other" else name),
            check_headers(headers),
            None if self.body is None else self.body.pipe,
            length,
        )


class RequestOptions(Resource):
    """How long to wait, by what for, in ns."""

    __slots__ = ("timeouts_ns",)
    KIND = "request-options"

    def __init__(self) -> None:
        self.timeouts_ns: dict[str, int] = {}

    def patience(self, deadline_s: float) -> Patience:
        """How long to wait, at most `deadline_s` for all of it."""
        seconds = {name: value / 1e9 for name, value in self.timeouts_ns.items()}
        connect_s, first_s = seconds.get(_CONNECT), seconds.get(_FIRST_BYTE)
        head_s = None if first_s is None else first_s + (connect_s or 0)
        return Patience(deadline_s, connect_s, head_s, seconds.get(_BETWEEN_BYTES))


def new_request(context: Context, headers: Fields) -> OutgoingRequest:
    """GET, with these header fields."""
    return OutgoingRequest(headers)


def get_method(context: Context, request: OutgoingRequest) -> Variant:
    """Its method."""
    return request.method


def set_method(context: Context, request: OutgoingRequest, method: Variant) -> Err | None:
    """Change its method."""
    if method[0] not in METHODS and not (method[1] or "").isalpha():
        return Err()
    request.method = method
    return None


def get_path(context: Context, request: OutgoingRequest) -> str | None:
    """Its path, with the query."""
    return request.path


def set_path(context: Context, request: OutgoingRequest, path: str | None) -> Err | None:
    """Change its path, which begins with a slash."""
    if path and not path.startswith("/"):
        return Err()
    request.path = path
    return None


def get_scheme(context: Context, request: OutgoingRequest) -> Variant | None:
    """Its scheme."""
    return request.scheme


def set_scheme(context: Context, request: OutgoingRequest, scheme: Variant | None) -> Err | None:
    """Change its scheme; there are http and https."""
    if scheme is not None and scheme[0] == "other":
        return Err()
    request.scheme = scheme
    return None


def get_authority(context: Context, request: OutgoingRequest) -> str | None:
    """Its host."""
    return request.authority


def set_authority(context: Context, request: OutgoingRequest, authority: str | None) -> Err | None:
    """Change its host, which nothing but a host may hide in."""
    if authority is not None and any(mark in authority for mark in "/?#@\\"):
        return Err()
    request.authority = authority
    return None


def get_headers(context: Context, request: OutgoingRequest) -> Fields:
    """Its header fields, as they are."""
    return Fields(request.headers.entries, immutable=True)


def get_body(context: Context, request: OutgoingRequest) -> OutgoingBody | Err:
    """Its body, once."""
    if request.body is not None:
        return Err()
    request.body = Body.within(context.calls.streams, context.bodies)
    return Err() if request.body is None else OutgoingBody(request.body)


def new_options(context: Context) -> RequestOptions:
    """No limits but the host's."""
    return RequestOptions()


def _getter(name: str) -> Any:
    def get(context: Context, options: RequestOptions) -> int | None:
        return options.timeouts_ns.get(name)

    return get


def _setter(name: str) -> Any:
    def set_timeout(context: Context, options: RequestOptions, value: int | None) -> None:
        options.timeouts_ns.pop(name, None)
        if value is not None:
            options.timeouts_ns[name] = value

    return set_timeout


FUNCTIONS: Functions = {
    "[constructor]outgoing-request": new_request,
    "[method]outgoing-request.method": get_method,
    "[method]outgoing-request.set-method": set_method,
    "[method]outgoing-request.path-with-query": get_path,
    "[method]outgoing-request.set-path-with-query": set_path,
    "[method]outgoing-request.scheme": get_scheme,
    "[method]outgoing-request.set-scheme": set_scheme,
    "[method]outgoing-request.authority": get_authority,
    "[method]outgoing-request.set-authority": set_authority,
    "[method]outgoing-request.headers": get_headers,
    "[method]outgoing-request.body": get_body,
    "[constructor]request-options": new_options,
    **{f"[method]request-options.{name}": _getter(name) for name in _TIMEOUTS},
    **{f"[method]request-options.set-{name}": _setter(name) for name in _TIMEOUTS},
}
