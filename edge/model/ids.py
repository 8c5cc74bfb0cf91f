"""Identifiers: request ids, ARNs, function names and the qualifiers after them.

Invariant: a name that `parse_name` let through is safe in a path, a URL and an ARN.
"""

import re
from random import getrandbits

from edge.model.errors import InvalidRequest

LATEST = "$LATEST"
REGION = "edge"
ACCOUNT = "000000000000"

# Lambda's own grammar: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_QUALIFIER = re.compile(r"\$LATEST|[A-Za-z0-9_-]{1,128}")
_ARN_PREFIX = re.compile(r"(?:arn:aws[A-Za-z-]*:lambda:[a-z0-9-]*:)?\d{12}:function:")


def new_request_id() -> str:
    """A random version 4 UUID as text; unique, not secret."""
    bits = getrandbits(128) & ~(0xF << 76 | 0x3 << 62) | (0x4 << 76 | 0x2 << 62)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_name(text: str) -> bool:
    """Whether `text` may name a function: 1 to 64 letters, digits, `-` or `_`."""
    return _NAME.fullmatch(text) is not None


def parse_name(reference: str) -> tuple[str, str]:
    """Split `name`, `name:qualifier`, an ARN or its end from the account on into (name, qualifier).

    The qualifier defaults to `$LATEST`. Raises InvalidRequest.
    """
    prefix = _ARN_PREFIX.match(reference)
    rest = reference[prefix.end() :] if prefix else reference
    name, _, qualifier = rest.partition(":")
    if not is_name(name):
        raise InvalidRequest(
            f"{name[:80]!r} is not a function name: use 1 to 64 letters, digits, '-' or '_'"
        )
    if qualifier and not _QUALIFIER.fullmatch(qualifier):
        raise InvalidRequest(f"{qualifier[:80]!r} is not a version or alias")
    return name, qualifier or LATEST


def function_arn(name: str, qualifier: str | None = None) -> str:
    """The ARN Lambda's clients expect, e.g. `arn:aws:lambda:edge:000000000000:function:hello`."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn
