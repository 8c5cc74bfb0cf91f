"""Reading requests of Lambda's API: which function, and the members of its document.

Neighbours: the endpoints of this folder. Members are typed here; what values they may have is
checked where they are used.
Source: the parameters at https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html.
"""

import re
from typing import NamedTuple, TypeVar

from starlette.requests import Request

from edge.model.errors import InvalidRequest
from edge.model.ids import LATEST, parse_name

PAGE_DEFAULT = 50
PAGE_MAX = 50
MAX_ITEMS_MAX = 10_000
NUMBER_DIGITS_MAX = 9
"""Of a version's number in a marker."""

Document = dict[str, object]
T = TypeVar("T")

_ARN = re.compile(r"(?:arn:[^:]*:[^:]*:[^:]*:)?[^:]*:function:")


class Reference(NamedTuple):
    """A function as a caller named it; `qualifier` is None when the caller gave none."""

    name: str
    qualifier: str | None

    @property
    def version(self) -> str:
        """The qualifier, or the version that answers without one."""
        return self.qualifier or LATEST

    @property
    def label(self) -> str:
        """The function as it was named, for a message."""
        return self.name if self.qualifier is None else f"{self.name}:{self.qualifier}"


def reference(request: Request) -> Reference:
    """The function in the path (name, `name:qualifier` or ARN) and `?Qualifier`.

    Raises InvalidRequest for what is no name, or when the two qualifiers differ.
    """
    text = request.path_params["name"]
    name, qualifier = parse_name(text)
    inner = qualifier if ":" in text and ":" in _ARN.sub("", text, count=1) else None
    has_query = bool(request.scope["query_string"])  # which are slow to read, and mostly none
    outer = (request.query_params.get("Qualifier") or None) if has_query else None
    if outer is None:
        return Reference(name, inner)
    parse_name(f"{name}:{outer}")
    if inner is not None and inner != outer:
        raise InvalidRequest("the qualifier in the function's name and ?Qualifier differ")
    return Reference(name, outer)


def unqualified(request: Request) -> str:
    """The function in the path, for what holds for all its versions.

    Raises InvalidRequest when a version or alias is named.
    """
    named = reference(request)
    if named.qualifier is not None:
        raise InvalidRequest(
            f"this is the function's own: name {named.name} without {named.qualifier!r}"
        )
    return named.name


def max_items(text: str | None, most: int = MAX_ITEMS_MAX) -> int:
    """How many items a page may have, from `?MaxItems`, which may be up to `most`.

    Raises InvalidRequest.
    """
    if text is None:
        return PAGE_DEFAULT
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= most):
        raise InvalidRequest(f"MaxItems must be a number from 1 to {most}")
    return min(int(text[:9]), PAGE_MAX)


def text(document: Document, member: str, default: str = "") -> str:
    """A text member."""
    return _typed(document, member, str, default)


def optional_text(document: Document, member: str) -> str | None:
    """A text member, None when it is absent or empty."""
    return text(document, member) or None


def integer(document: Document, member: str, default: int) -> int:
    """A whole number."""
    return _typed(document, member, int, default)


def flag(document: Document, member: str) -> bool:
    """True or false; false when absent."""
    return _typed(document, member, bool, False)


def structure(document: Document, member: str) -> Document:
    """A nested document; empty when absent."""
    return _typed(document, member, dict, {})


def texts(document: Document, member: str) -> tuple[tuple[str, str], ...]:
    """A map of text to text, in order of key."""
    found = structure(document, member)
    if not all(isinstance(value, str) for value in found.values()):
        raise InvalidRequest(f"{member} must be a map of text to text")
    return tuple(sorted((key, str(value)) for key, value in found.items()))


def listed(document: Document, member: str) -> list[object]:
    """A list; empty when absent."""
    return _typed(document, member, list, [])


def _typed(document: Document, member: str, kind: type[T], default: T) -> T:
    value = document.get(member)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidRequest(f"{member} must be of type {_TYPE_NAMES[kind]}")
    return value


_TYPE_NAMES: dict[type, str] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    dict: "structure",
    list: "list",
}
