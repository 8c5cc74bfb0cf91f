"""The dead-letter store: async events that were given up.

Neighbours: `invoke/runner.py` puts them there; `edge dead` reads this.
"""

from time import time_ns

from starlette.requests import Request
from starlette.responses import Response

from edge.front.endpoints import json_response
from edge.front.services import Services
from edge.front.v1.query import function_name, whole
from edge.model.async_event import DeadLetter
from edge.model.cbor import decode
from edge.model.errors import NotFound

PAGE_DEFAULT = 100
PAGE_MAX = 1_000


class DeadLetters:
    """The endpoints under `/v1/dead`."""

    def __init__(self, services: Services) -> None:
        self._events = services.events

    async def list(self, request: Request) -> Response:
        """GET: a page in order of request id; `next` is the `after` of the following page."""
        function = function_name(request, "function")
        limit = whole(request, "limit", PAGE_DEFAULT, (1, PAGE_MAX))
        after = request.query_params.get("after", "")
        found = self._events.dead_letters(function, after, limit + 1)
        page = found[:limit]
        document = {
            "dead": [summary(letter) for letter in page],
            "next": page[-1].event.request_id if len(found) > limit else None,
        }
        return json_response(200, document)

    async def count(self, _request: Request) -> Response:
        """GET /v1/async: how many events wait or run, and how many are dead."""
        waiting, dead = self._events.counts()
        return json_response(200, {"waiting": waiting, "dead": dead})

    async def get(self, request: Request) -> Response:
        """GET one, with Lambda's destination record; 404 when there is none."""
        request_id = request.path_params["id"]
        letter = self._events.dead_letter(request_id)
        if letter is None:
            raise _no_such(request_id)
        return json_response(200, {**summary(letter), "record": decode(letter.record)})

    async def redrive(self, request: Request) -> Response:
        """POST …/redrive: 202, it runs again as if it were accepted now."""
        request_id = request.path_params["id"]
        if not await self._events.redrive(request_id, time_ns() // 1_000_000):
            raise _no_such(request_id)
        return json_response(202, {"requestId": request_id})

    async def delete(self, request: Request) -> Response:
        """DELETE: 204."""
        request_id = request.path_params["id"]
        if not await self._events.remove_dead(request_id):
            raise _no_such(request_id)
        return Response(status_code=204)


def summary(letter: DeadLetter) -> dict[str, object]:
    """A dead letter without its record."""
    event = letter.event
    return {
        "requestId": event.request_id,
        "function": event.function,
        "qualifier": event.qualifier,
        "condition": letter.condition.value,
        "reason": letter.reason,
        "acceptedMs": event.accepted_ms,
        "diedMs": letter.died_ms,
    }


def _no_such(request_id: str) -> NotFound:
    return NotFound(f"there is no dead letter {request_id[:80]!r}")
