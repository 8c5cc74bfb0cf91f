"""The condition keys of a request: what policies may ask about it.

Neighbours: `gate.py` and `authorizer.py` judge with it; `access/conditions.py` asks it.
Invariant: nothing is worked out until a condition asks, for most policies have none.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from edge.access.keyring import AccessKey
from edge.model.ids import ACCOUNT


class RequestContext:
    """What is known of one request of a key's holder. Names of keys are in lower case."""

    __slots__ = ("_headers", "_is_secure", "_key", "_more", "_source", "_values")

    def __init__(
        self,
        key: AccessKey,
        source: str,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        is_secure: bool,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """`source` is the caller's address, empty if it has none; `more` are keys of the door."""
        self._key = key
        self._source = source
        self._headers = headers
        self._is_secure = is_secure
        self._more = more
        self._values: Mapping[str, str] | None = None

    def get(self, name: str, /) -> str | None:
        """The value of a condition key, None where the request has none."""
        if self._values is None:
            self._values = {**self._work_out(), **(self._more or {})}
        return self._values.get(name)

    def _work_out(self) -> dict[str, str]:
        now, key = datetime.now(UTC), self._key
        values = {
            "aws:currenttime": now.isoformat(),
            "aws:epochtime": str(int(now.timestamp())),
            "aws:securetransport": "true" if self._is_secure else "false",
            "aws:principalarn": key.arn,
            "aws:principalaccount": ACCOUNT,
            "aws:principaltype": "User",
            "aws:userid": key.access_key_id,
            "aws:username": key.arn.rpartition("/")[2],
        }
        if self._source:
            values["aws:sourceip"] = self._source
        for name, value in self._headers:
            if name == b"user-agent":
                values["aws:useragent"] = value.decode("latin-1")
        return values
