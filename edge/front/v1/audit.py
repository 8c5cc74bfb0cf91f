"""The audit log, from the newest record backwards, a page at a time.

Neighbours: `gate.py` writes it; `edge audit` shows it.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from edge.front.endpoints import json_response
from edge.front.services import AuditLog
from edge.front.v1.query import whole

PAGE_DEFAULT = 100
PAGE_MAX = 1_000


class Audit:
    """The endpoint at `/v1/audit`."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    async def read(self, request: Request) -> Response:
        """GET ?before=CURSOR&limit=N: records, the newest last; `next` is the `before` of the page
        of older ones, null when there are none."""
        limit = whole(request, "limit", PAGE_DEFAULT, (1, PAGE_MAX))
        before = request.query_params.get("before")
        records, cursor = await asyncio.to_thread(self._audit.read, before, limit)
        return json_response(200, {"records": records, "next": cursor})
