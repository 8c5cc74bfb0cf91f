"""The operation `fetch`: a request read from a guest's arguments, and the answer for it.

Neighbours: `host/calls.py` dispatches here; `fetcher.py` does the work.
"""

from collections.abc import Mapping
from time import monotonic_ns

from edge.host.answers import CallError, Code, ok
from edge.host.arguments import Arguments
from edge.host.calls import Later, Operation
from edge.host.fetch.fetcher import Fetcher, check_grant
from edge.host.fetch.request import (
    BODY_BYTES_MAX,
    URL_BYTES_MAX,
    FetchRequest,
    Target,
    check_headers,
    parse_method,
)
from edge.host.session import Session
from edge.model.limits import TIMEOUT_MS_MAX


class FetchCalls:
    """`fetch`, as `docs/abi.md` has it."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    @property
    def operations(self) -> Mapping[str, Operation]:
        """By name, for `HostCalls`."""
        return {"fetch": self._fetch}

    def _fetch(self, session: Session, arguments: Arguments) -> Later:
        request = _read_request(arguments)
        timeout_ms = arguments.integer("timeoutMs", minimum=1, maximum=TIMEOUT_MS_MAX)
        arguments.end()
        check_grant(session.grants, request.target)
        timeout_s = (session.deadline_ns - monotonic_ns()) / 1e9
        if timeout_ms is not None:
            timeout_s = min(timeout_s, timeout_ms / 1_000)

        async def fetch() -> bytes:
            fetched = await self._fetcher.fetch(
                session.function, session.grants, request, timeout_s
            )
            return ok(
                {
                    "status": fetched.status,
                    "headers": fetched.headers,
                    "body": fetched.body,
                    "url": fetched.url,
                }
            )

        return fetch


def _read_request(arguments: Arguments) -> FetchRequest:
    target = Target.parse(arguments.text("url", bytes_max=URL_BYTES_MAX))
    method = parse_method(arguments.text("method", bytes_max=64, default="GET"))
    headers = check_headers(arguments.texts("headers"))
    body = arguments.data("body") or b""
    if len(body) > BODY_BYTES_MAX:
        raise CallError(Code.TOO_LARGE, f"the body is over {BODY_BYTES_MAX} bytes")
    return FetchRequest(target, method, headers, body)
