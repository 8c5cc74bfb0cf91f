"""What a guest may write into a header field: names and values that are HTTP.

Neighbours: `fetch/request.py` checks what is sent by it, `response.py` what is answered.
Source: RFC 9110, sections 5.5 and 5.6.2.
Invariant: no field that passed can be taken for two.
"""

import re

from edge.host.answers import CallError, Code

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def check_field(name: str, value: str) -> None:
    """Raises CallError(invalid_request) for a name or value that HTTP does not allow."""
    if not _NAME.fullmatch(name):
        raise CallError(Code.INVALID_REQUEST, f"{name[:80]!r} is no header name")
    if not _VALUE.fullmatch(value):
        raise CallError(Code.INVALID_REQUEST, f"the value of header {name.lower()} is malformed")
