"""How `/v1` tells its errors: as the data plane does.

Neighbours: every endpoint of this folder is framed in V1 by `control.py`.
"""

from starlette.responses import Response

from edge.front.answers import error_answer
from edge.front.endpoints import Dialect
from edge.model.errors import EdgeError


def failure(error: EdgeError, request_id: str) -> Response:
    """A platform error as `{"error": {"code", "message", "requestId"}}`."""
    answer = error_answer(error, request_id)
    response = Response(answer.body, answer.status)
    response.raw_headers = list(answer.headers)
    return response


V1 = Dialect("x-edge-request-id", failure)
