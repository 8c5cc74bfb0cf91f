"""A function's log, a page at a time, or as it grows.

Neighbours: `meter/` keeps the lines.
"""

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from edge.front.endpoints import body_of, json_response
from edge.front.presence import run_while_connected
from edge.front.services import LogStore, Services, StoredLine
from edge.front.v1.query import whole

PAGE_DEFAULT = 1_000
PAGE_MAX = 10_000
WAIT_S_MAX = 20
POLL_S = 0.2


class Logs:
    """The endpoint at `/v1/functions/{name}/logs`."""

    def __init__(self, services: Services) -> None:
        """Read from `services.logs`."""
        self._services = services

    async def read(self, request: Request) -> Response:
        """GET ?after=CURSOR&limit=N&wait=SECONDS; waits for a line if there is none yet."""
        name = request.path_params["name"]
        self._services.registry.get(name)
        after = request.query_params.get("after", "")
        limit = whole(request, "limit", PAGE_DEFAULT, (1, PAGE_MAX))
        wait_s = whole(request, "wait", 0, (0, WAIT_S_MAX))
        await body_of(request, 0)
        lines, cursor = await run_while_connected(
            _read(self._services.logs, name, after, limit, wait_s), request.receive
        )
        return json_response(200, {"lines": [_document(line) for line in lines], "next": cursor})


async def _read(
    logs: LogStore, name: str, after: str, limit: int, wait_s: int
) -> tuple[Sequence[StoredLine], str]:
    """A page, asked for until it has a line, or nothing came for `wait_s`.

    The store may pass over other functions' lines and find none: it is read on until it stands
    still, which is when there is nothing more.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + wait_s
    while True:
        lines, cursor = await asyncio.to_thread(logs.read, name, after or None, limit)
        if lines or (cursor == after and loop.time() >= end):
            return lines, cursor
        if cursor == after:
            await asyncio.sleep(POLL_S)
        after = cursor


def _document(line: StoredLine) -> dict[str, object]:
    return {
        "timeMs": line.time_ms,
        "requestId": line.request_id,
        "level": line.level,
        "message": line.message,
        "version": line.version,
    }
