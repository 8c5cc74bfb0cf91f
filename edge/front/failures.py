"""Whatever went wrong, as one of our errors, and in our log when it was our doing; and in our log,
too, whom we refused.

Neighbours: both planes pass every exception through here before `answers.py` tells the caller.
Invariant: what a caller reads of an unexpected error is its request id and nothing else; no secret
and no token is logged.
"""

import structlog

from edge.front.answers import error_row
from edge.model.errors import EdgeError

LOGGED_CHARS_MAX = 200
"""Of what a stranger wrote."""

_log = structlog.get_logger(__name__)


def platform_error(error: Exception, request_id: str) -> EdgeError:
    """`error` itself when it is one of ours, else an `internal` one in its place."""
    if not isinstance(error, EdgeError):
        _log.error("unexpected error", request_id=request_id, exc_info=error)
        return EdgeError("the host failed; its log has the details under this request id")
    if error_row(error).status == 500:
        _log.error("platform error", request_id=request_id, code=error.code, error=error.message)
    return error


def log_refusal(plane: str, **asked: str) -> None:
    """Log that a request to a plane was refused: what it asked for, the key it named, and why."""
    _log.warning("access_refused", plane=plane, **asked)
