"""What a command wrote to stdout, as an HTTP response.

Neighbours: `response.py` does the same for values; `data.py` sends the answer.

The output is the body: `text/plain` when it is UTF-8, else `application/octet-stream`. A program
that knows CGI (RFC 3875, section 6) may say more: output whose first line is a `Content-Type:` or
`Status:` field, in a block of fields ended by an empty line, is read as a CGI response. Output
that only looks like one is still the body: a program that prints text never fails for its text.
"""

from edge.front.answers import Answer, Headers
from edge.front.response import BYTES, TEXT, MalformedResponse, bound_headers, field
from edge.model.limits import KIB

_HEAD_BYTES_MAX = 16 * KIB
_FIRST_FIELDS = (b"content-type:", b"status:")


def command_response(stdout: bytes) -> Answer:
    """The response in `stdout`; there is one for every output."""
    if stdout[:16].lower().startswith(_FIRST_FIELDS):
        try:
            return _cgi(stdout)
        except (MalformedResponse, ValueError):
            pass
    return Answer(200, [(b"content-type", _type_of(stdout))], stdout)


def _cgi(stdout: bytes) -> Answer:
    head, body = _split(stdout)
    status = 200
    headers: Headers = []
    for line in head.decode("latin-1").split("\n"):
        name, colon, value = line.rstrip("\r").partition(":")
        if not colon:
            raise MalformedResponse(f"{line[:80]!r} is not a header field")
        if name.lower() == "status":
            status = _status(value)
            continue
        found = field(name, value)
        if found is not None:
            headers.append(found)
    bound_headers(headers)
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", _type_of(body)))
    return Answer(status, headers, body)


def _split(stdout: bytes) -> tuple[bytes, bytes]:
    """The block of fields and the body after the first empty line; raises ValueError."""
    ends = [
        (at, at + len(mark))
        for mark in (b"\n\n", b"\n\r\n")
        if (at := stdout.find(mark, 0, _HEAD_BYTES_MAX)) >= 0
    ]
    head_end, body_start = min(ends)
    return stdout[:head_end], stdout[body_start:]


def _status(value: str) -> int:
    """The number in `404 Not Found`; raises ValueError."""
    status = int(value.split()[0]) if value.strip() else 0
    if not 200 <= status <= 599:
        raise ValueError(f"{value[:40]!r} is not a status")
    return status


def _type_of(body: bytes) -> bytes:
    try:
        body.decode()
    except UnicodeDecodeError:
        return BYTES
    return TEXT
