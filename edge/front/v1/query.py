"""Query parameters of `/v1`: whole numbers within bounds, days, function names.

Neighbours: the endpoints of this folder.
"""

from datetime import date

from starlette.requests import Request

from edge.model.errors import InvalidRequest
from edge.model.ids import is_name

_DIGITS_MAX = 9


def whole(request: Request, name: str, default: int, bounds: tuple[int, int]) -> int:
    """A whole number from the smaller to the larger of `bounds`; raises InvalidRequest."""
    text = request.query_params.get(name)
    if text is None:
        return default
    low, high = bounds
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX:
        number = int(text)
        if low <= number <= high:
            return number
    raise InvalidRequest(f"{name} must be a whole number from {low} to {high}")


def day(request: Request, name: str) -> date | None:
    """A day as `YYYY-MM-DD`, None when absent; raises InvalidRequest."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{name} must be a day, written YYYY-MM-DD") from None


def function_name(request: Request, name: str) -> str | None:
    """A function's name, None when absent or empty; raises InvalidRequest."""
    text = request.query_params.get(name)
    if text and not is_name(text):
        raise InvalidRequest(f"{name} must be a function's name")
    return text or None
