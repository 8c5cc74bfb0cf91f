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


def without_authority(target: bytes) -> bytes:
    """A request target as a path: a client that takes this host for its proxy sends an absolute
    one (RFC 9112, section 3.2.2)."""
    if target[:7].lower() != b"http://":
        return target
    path = target.find(b"/", 7)
    return target[path:] if path >= 0 else b"/"


def parse_target(raw_path: bytes) -> Target:
    """Read `/{function}[:{qualifier}][/{path}]`.

    Raises InvalidRequest when it is no path at all (`*`), and NotFound when nothing of that name
    can exist.
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
