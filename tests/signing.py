"""Requests signed as AWS's clients do, which a test may change before it sends them.

Neighbours: `tests/front/wire.py` sends what `raw` gives.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from unittest.mock import patch
from urllib.parse import urlsplit

import botocore.auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from edge.access.keyring import NewKey

BODY = b'{"name": "Ada"}'


@dataclass(frozen=True)
class Request:
    """A request for `path` (with its query) of the host that answers at `url`."""

    url: str
    path: str
    method: str = "POST"
    body: bytes = BODY
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """What the Host field says."""
        return urlsplit(self.url).netloc

    def signed(
        self, key: NewKey, *, service: str = "lambda", late_s: int = 0, secret: str | None = None
    ) -> Self:
        """This request signed by botocore's own signer, as one whose clock is `late_s` behind."""
        request: Any = AWSRequest(
            self.method, self.url + self.path, data=self.body, headers=self.headers
        )
        signer = SigV4Auth(Credentials(key.access_key_id, secret or key.secret), service, "edge")
        now = datetime.now(UTC) - timedelta(seconds=late_s)
        with patch.object(botocore.auth, "get_current_datetime", lambda: now):
            signer.add_auth(request)
        return replace(self, headers=dict(request.headers))

    def with_header(self, name: str, value: str) -> Self:
        """This request with another value of a header field."""
        return replace(self, headers={**self.headers, name: value})

    def edited(self, name: str, old: str, new: str) -> Self:
        """This request with some of a header field's value replaced."""
        assert old in self.headers[name]
        return self.with_header(name, self.headers[name].replace(old, new, 1))

    def raw(self, *, chunked: bool = False) -> bytes:
        """The bytes of HTTP/1.1."""
        fields = {"host": self.host, "connection": "close", **self.headers}
        body = self.body
        if chunked:
            fields["transfer-encoding"] = "chunked"
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        elif body:
            fields["content-length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n".encode() + body
