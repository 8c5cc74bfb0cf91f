"""Requests to other servers. Needs the grant `fetch:HOST`.

Neighbours: `host.py` calls. Sockets are refused, so `urllib` and `requests` cannot do it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from edge_sdk import host


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: names of headers in lower case, `url` the one that answered at last."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()

    def json(self) -> object:
        """The body as JSON."""
        return json.loads(self.body)


def fetch(
    url: str,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
    timeout_ms: int | None = None,
) -> Fetched:
    """Send a request (POST if it has a body, else GET); raises HostError, not for a status."""
    content = body.encode() if isinstance(body, str) else body
    answer = host.call(
        "fetch",
        url=url,
        method=method or ("GET" if body is None else "POST"),
        headers=None if headers is None else dict(headers),
        body=content,
        timeoutMs=timeout_ms,
    )
    said = answer["body"]
    return Fetched(
        answer["status"],
        answer["headers"],
        said if isinstance(said, bytes) else said.encode(),
        answer["url"],
    )
