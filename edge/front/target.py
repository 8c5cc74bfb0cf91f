"""Which function a data plane path names, and what is left of the path for it.

Neighbours: both doors of the data plane ask; names and qualifiers follow `edge/model/ids.py`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from edge.front.faults import MethodNotAllowed
from edge.model.errors import InvalidRequest, NotFound
from edge.model.ids import parse_name
from edge.registry.routes import NotAllowed, RouteTable

DEFAULT_ROUTE = "$default"
_NONE: Mapping[str, str] = MappingProxyType({})


class Target(NamedTuple):
    """A function, its qualifier, and the path the function sees, still percent-encoded.

    `route_key` and `parameters` are those of the named route that led here.
    """

    function: str
    qualifier: str
    path: bytes
    route_key: str = DEFAULT_ROUTE
    parameters: Mapping[str, str] = _NONE


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


def routed_target(
    routes: RouteTable, method: str, headers: Sequence[tuple[bytes, bytes]], raw_path: bytes
) -> Target:
    """The target of a named route, else what `parse_target` reads.

    A browser's preflight goes where the request goes that it asks about. Raises MethodNotAllowed
    when there are routes for other methods only, and as `parse_target`.
    """
    fields = dict(headers)
    host, path = fields.get(b"host", b"").decode("latin-1"), raw_path.decode("latin-1")
    found = routes.find(method, host, path)
    asked = fields.get(b"access-control-request-method")
    if isinstance(found, NotAllowed) and method == "OPTIONS" and asked is not None:
        found = routes.find(asked.decode("latin-1"), host, path)
    if isinstance(found, NotAllowed):
        raise MethodNotAllowed(
            f"this path is for {', '.join(found.methods)}", allowed=found.methods
        )
    if found is None:
        return parse_target(raw_path)
    return Target(found.function, found.qualifier, raw_path, found.key, found.parameters)
