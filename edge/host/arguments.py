"""A host call's request, taken apart name by name with each value checked.

Neighbours: `calls.py` decodes the request; operations take what they know and then call `end`.
Invariant: an argument that nobody took is an error, so a misspelt name is never ignored.
"""

from typing import NoReturn

from edge.host.answers import CallError, Code


class Arguments:
    """The arguments of one call. Every method raises CallError(invalid_request or too_large)."""

    __slots__ = ("_left",)

    def __init__(self, request: dict[str, object]) -> None:
        self._left = request

    def has(self, name: str) -> bool:
        """Whether it was given; null counts as absent."""
        return self._left.get(name) is not None

    def text(self, name: str, *, bytes_max: int, default: str | None = None) -> str:
        """A text of at most `bytes_max` bytes in UTF-8; not empty unless a default exists."""
        value = self._left.pop(name, None)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (not value and default is None):
            self._refuse(name, "a text that is not empty")
        if len(value) > bytes_max or len(value.encode()) > bytes_max:
            raise CallError(Code.TOO_LARGE, f"{name} is over {bytes_max} bytes")
        return value

    def integer(self, name: str, *, minimum: int, maximum: int) -> int | None:
        """An integer within bounds, or None when it was not given."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if type(value) is not int or not minimum <= value <= maximum:
            self._refuse(name, f"an integer from {minimum} to {maximum}")
        return value

    def data(self, name: str) -> bytes | None:
        """Bytes, or a text's UTF-8; None when it was not given."""
        value = self._left.pop(name, None)
        if isinstance(value, str):
            return value.encode()
        if value is not None and not isinstance(value, bytes):
            self._refuse(name, "bytes or text")
        return value

    def texts(self, name: str) -> dict[str, str]:
        """A map from text to text; empty when it was not given."""
        value = self._left.pop(name, None)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(type(item) is str for item in value.values()):
            self._refuse(name, "a map of texts")
        return value

    def list_of_texts(self, name: str) -> list[str]:
        """A list of texts; empty when it was not given."""
        value = self._left.pop(name, None)
        if value is None:
            return []
        if not isinstance(value, list) or not all(type(item) is str for item in value):
            self._refuse(name, "a list of texts")
        return value

    def value(self, name: str) -> object:
        """Any value, null included; it must be given."""
        if name not in self._left:
            self._refuse(name, "given")
        return self._left.pop(name)

    def end(self) -> None:
        """Refuse what nobody took."""
        if self._left:
            name = next(iter(self._left))
            raise CallError(Code.INVALID_REQUEST, f"{name[:80]!r} is no argument of this call")

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        raise CallError(Code.INVALID_REQUEST, f"{name} must be {wanted}")
