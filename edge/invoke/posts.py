"""Destination records sent to HTTP addresses, within what the event's function was granted.

Neighbours: `runner.py` calls it; `host/fetch/` makes the request, checks grants and bounds it.
Invariant: a record goes nowhere its function itself could not fetch from.
"""

import json
from base64 import b64encode

from edge.host.answers import CallError
from edge.host.fetch.fetcher import Fetcher
from edge.host.fetch.request import FetchRequest, Target
from edge.invoke.prepared import Preparations
from edge.model import cbor
from edge.model.errors import Denied
from edge.model.event import Event
from edge.registry.registry import Registry

POST_TIMEOUT_S = 30.0
_STATUS_OK = range(200, 300)
_HEADERS = (("content-type", "application/json"),)


class Posts:
    """Sends records as JSON, byte strings inside as base64."""

    def __init__(self, registry: Registry, preparations: Preparations, fetcher: Fetcher) -> None:
        self._registry = registry
        self._preparations = preparations
        self._fetcher = fetcher

    async def post(self, event: Event, url: str, record: bytes) -> None:
        """Send a record in CBOR for the event's function; any 2xx takes it.

        Raises Denied when it is not granted or not taken, and NotFound for a missing function.
        """
        version = self._registry.resolve(event.function, event.qualifier, event.pin)
        grants = self._preparations.get(version, event.qualifier).grants
        body = json.dumps(cbor.decode(record), default=_base64).encode()
        try:
            request = FetchRequest(Target.parse(url), "POST", _HEADERS, body)
            fetched = await self._fetcher.fetch(event.function, grants, request, POST_TIMEOUT_S)
        except CallError as error:
            raise Denied(str(error)) from None
        if fetched.status not in _STATUS_OK:
            raise Denied(f"it answered {fetched.status}")


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no JSON form")
