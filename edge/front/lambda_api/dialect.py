"""How Lambda's API tells its errors, and names its request id.

Neighbours: every endpoint of this folder is framed in LAMBDA by `control.py`.
"""

from starlette.responses import Response

from edge.front.answers import RETRY_AFTER_S_DEFAULT, Row, error_row, retry_after_s
from edge.front.endpoints import Dialect, json_response
from edge.model.errors import EdgeError, RateExceeded

BY_CONCURRENCY = "ReservedFunctionConcurrentInvocationLimitExceeded"
BY_FUNCTION = "FunctionInvocationRateLimitExceeded"
BY_CALLER = "CallerRateLimitExceeded"


def failure(error: EdgeError, request_id: str) -> Response:
    """A platform error as Lambda tells it."""
    reason = BY_CALLER if isinstance(error, RateExceeded) else BY_CONCURRENCY
    return told(error_row(error), error.message, retry_after_s(error), reason)


def told(
    row: Row, message: str, after_s: int | None = None, reason: str = BY_CONCURRENCY
) -> Response:
    """One row of the table as Lambda tells it; `reason` goes with 429."""
    kind = "User" if row.status < 500 or row.status == 502 else "Service"
    document = {"Type": kind, "Message": row.message or message}
    if row.status == 429:
        document["Reason"] = reason
    response = json_response(row.status, document)
    response.headers["x-amzn-ErrorType"] = row.lambda_error or "ServiceException"
    if row.status in (429, 503):
        response.headers["retry-after"] = str(after_s or RETRY_AFTER_S_DEFAULT)
    return response


LAMBDA = Dialect("x-amzn-RequestId", failure)
