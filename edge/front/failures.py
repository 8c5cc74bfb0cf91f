"""Whatever went wrong, as one of our errors, and in our log when it was our doing.

Neighbours: both planes pass every exception through here before `answers.py` tells the caller.
Invariant: what a caller reads of an unexpected error is its request id and nothing else.
"""

import structlog

from edge.front.answers import error_row
from edge.model.errors import EdgeError

_log = structlog.get_logger(__name__)


def platform_error(error: Exception, request_id: str) -> EdgeError:
    """`error` itself when it is one of ours, else an `internal` one in its place."""
    if not isinstance(error, EdgeError):
        _log.error("unexpected error", request_id=request_id, exc_info=error)
        return EdgeError("the host failed; its log has the details under this request id")
    if error_row(error).status == 500:
        _log.error("platform error", request_id=request_id, code=error.code, error=error.message)
    return error
