"""The answer of a function that nobody defined, made from its type: an error code if it has one.

Neighbours: `link.py` puts it where `host/wasi2/` has no function.
Invariant: a denial gives nothing away: no handle, no data, at most "no" or "none".
"""

from typing import Any

from wasmtime import component as wit

from edge.host.wasi2.context import Misuse
from edge.host.wasi2.results import Err

_CODES = (
    "not-permitted",
    "access-denied",
    "access",
    "HTTP-request-denied",
    "not-supported",
    "unsupported",
)


def denial(name: str, result: Any) -> object:
    """What to answer for a result type. Raises Misuse where the type has no way to say no."""
    if result is None:
        return None
    if isinstance(result, wit.ResultType):
        code = _code(result.err)
        if code is not None:
            return Err(code)
    elif isinstance(result, wit.ListType):
        return b"" if isinstance(result.element, wit.U8) else []
    elif isinstance(result, wit.OptionType):
        return None
    elif isinstance(result, wit.Bool):
        return False
    raise Misuse(f"this host does not offer {name}")


def _code(type_: Any) -> object:
    """The value of an error type that says no; None when it has none."""
    if isinstance(type_, wit.EnumType):
        return next((code for code in _CODES if code in type_.names), None)
    if isinstance(type_, wit.VariantType):
        bare = {name for name, payload in type_.cases if payload is None}
        code = next((code for code in _CODES if code in bare), None)
        return code if code is None else (code, None)
    return None
