"""Which function a data plane path names, and what is left of the path for it.

Neighbours: `data.py` asks; names and qualifiers follow `edge/model/ids.py`.
"""

from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from edge.model.errors import InvalidRequest, NotFound
from edge.model.ids import parse_name


class Target(NamedTuple):
    """A function, its qualifier, and the path the function sees, still percent-encoded."""

    function: str
    qualifier: str
    path: bytes


def parse_target(raw_path: bytes) -> Target:
    """Read `/{function}[:{qualifier}][/{path}]`.

    Raises InvalidRequest when it is no path at all (a proxy's absolute URI, `*`), and NotFound
    when nothing of that name can exist.
    """
    if not raw_path.startswith(b"/"):
        raise InvalidRequest("the request target must be a path, beginning with '/'")
    end = raw_path.find(b"/", 1)
    if end < 0:
        end = len(raw_path)
    segment = raw_path[1:end]
    if b"%" in segment:
        segment = unquote_to_bytes(segment)
    try:
        function, qualifier = parse_name(segment.decode("ascii"))
    except (InvalidRequest, UnicodeDecodeError):
        raise NotFound("no function answers at this path: use /NAME[:QUALIFIER][/PATH]") from None
    return Target(function, qualifier, raw_path[end:] or b"/")
