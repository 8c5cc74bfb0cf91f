"""`/healthz`: whether this worker answers and can read its registry.

Neighbours: `registry/`; whoever watches the host.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from edge import __version__
from edge.front.endpoints import json_response
from edge.front.services import Services

FUNCTIONS_COUNTED_MAX = 65_536


class Health:
    """The endpoint at `/healthz`."""

    def __init__(self, services: Services) -> None:
        """Ask `services.registry`."""
        self._registry = services.registry

    async def read(self, request: Request) -> Response:
        """GET → 200, or 500 when the registry cannot be read."""
        found = await asyncio.to_thread(self._registry.list, limit=FUNCTIONS_COUNTED_MAX)
        document = {"status": "ok", "version": __version__, "functions": len(found)}
        return json_response(200, document)
