"""What a guest wants fetched: a URL it may ask for, and headers that cannot lie about the message.

Neighbours: `calls.py` makes one of arguments, `redirects.py` the next of a redirect.
Invariant: a request that exists has a host normalized as grants are, and no byte of it can be
taken for the end of a line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import httpx

from edge.host.answers import CallError, Code
from edge.host.fields import check_field
from edge.host.grants import PORT_MAX
from edge.host.hostname import normalize_host
from edge.model.limits import KIB, MIB

URL_BYTES_MAX = 8 * KIB
BODY_BYTES_MAX = 6 * MIB
HEADERS_MAX = 64
HEADER_BYTES_MAX = 16 * KIB
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_PORTS = {"http": 80, "https": 443}
# The host writes these, or they would be about a connection that is not the guest's.
RESERVED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. `host` is normalized; `path` has the query, percent-encoded."""

    scheme: str
    host: str
    port: int
    path: bytes

    @classmethod
    def parse(cls, text: str, base: Self | None = None) -> Self:
        """Read a URL, relative to `base` if there is one; raises CallError(invalid_request)."""
        try:
            url = httpx.URL(str(base)).join(text) if base else httpx.URL(text)
            host = normalize_host(url.raw_host.decode("ascii"))
        except (httpx.InvalidURL, ValueError) as error:
            raise CallError(Code.INVALID_REQUEST, f"the URL cannot be read: {error}") from None
        if url.scheme not in _PORTS:
            raise CallError(Code.INVALID_REQUEST, "the URL must begin with http:// or https://")
        if url.userinfo:
            raise CallError(
                Code.INVALID_REQUEST, "the URL holds a user name: send an authorization header"
            )
        port = _PORTS[url.scheme] if url.port is None else url.port
        if not 1 <= port <= PORT_MAX:
            raise CallError(Code.INVALID_REQUEST, f"the port must be from 1 to {PORT_MAX}")
        return cls(url.scheme, host, port, url.raw_path)

    @property
    def authority(self) -> str:
        """The host, and the port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must stay the same for credentials to be sent along."""
        return self.scheme, self.host, self.port

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path.decode('ascii')}"


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One request. Header names are in lower case."""

    target: Target
    method: str
    headers: Headers
    body: bytes


def parse_method(text: str) -> str:
    """The method in capitals; raises CallError(invalid_request)."""
    method = text.upper()
    if method not in METHODS:
        raise CallError(
            Code.INVALID_REQUEST, f"the method must be one of {', '.join(sorted(METHODS))}"
        )
    return method


def check_headers(headers: Mapping[str, str]) -> Headers:
    """The headers as they may be sent; raises CallError(invalid_request or too_large)."""
    if len(headers) > HEADERS_MAX:
        raise CallError(Code.TOO_LARGE, f"there are more than {HEADERS_MAX} headers")
    if sum(len(name) + len(value) for name, value in headers.items()) > HEADER_BYTES_MAX:
        raise CallError(Code.TOO_LARGE, f"the headers are over {HEADER_BYTES_MAX} bytes")
    checked = []
    for name, value in headers.items():
        lower = name.lower()
        check_field(name, value)
        if lower in RESERVED_HEADERS or lower.startswith("proxy-"):
            raise CallError(Code.INVALID_REQUEST, f"the host sets the header {lower} itself")
        checked.append((lower, value.strip(" \t")))
    return tuple(checked)
