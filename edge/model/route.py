"""Named routes: the paths, beside its own name, at which a function answers.

Neighbours: `storage/` keeps them with their function, `registry/routes.py` finds by them.
Source of the grammar: API Gateway's HTTP APIs, whose events have `routeKey` and `pathParameters`.
Invariant: a `Route` that exists can be matched; no two functions claim the same requests.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.model.errors import Conflict, InvalidConfiguration
from edge.model.ids import LATEST, parse_name

PATH_CHARS_MAX = 512
SEGMENTS_MAX = 32
ROUTES_MAX = 100
"""Of one function."""
ANY_METHOD = ""
ANY_HOST = ""

_PARAMETER = re.compile(r"\{([A-Za-z0-9._-]{1,64})(\+?)\}")
# Any text but what a URL or a pattern has another use for.
_LITERAL = re.compile(r"[^\x00-\x20\x7f-\x9f{}%?#\\]*")
_METHOD = re.compile(r"[A-Z][A-Z-]{0,31}")
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,15}|\[[0-9a-f:.]{2,45}\]")


@dataclass(frozen=True, slots=True)
class Route:
    """Requests for one function: of these methods (all when there are none), at this host (any when
    it is empty, `*.example.com` for those below it), at a path such as `/hi/{name}` or
    `/files/{path+}`. `qualifier` is the version or alias that answers.
    """

    path: str
    methods: tuple[str, ...] = ()
    host: str = ANY_HOST
    qualifier: str = LATEST

    def __post_init__(self) -> None:
        """Raises InvalidConfiguration for what can never match, or in two ways."""
        _check_path(self.path)
        for method in self.methods:
            if not _METHOD.fullmatch(method):
                raise InvalidConfiguration(
                    f"{method[:40]!r} is no method: write it in capitals, as GET"
                )
        if len(set(self.methods)) < len(self.methods):
            raise InvalidConfiguration(f"route {self.path} names a method twice")
        if self.host and not _HOST.fullmatch(self.host):
            raise InvalidConfiguration(
                f"{self.host[:80]!r} is no host: write it in small letters and without a port,"
                " as api.example.com or *.example.com"
            )
        if parse_name(f"f:{self.qualifier}")[1] != self.qualifier:
            raise InvalidConfiguration("the qualifier of a route is a version or an alias")

    @property
    def segments(self) -> tuple[str, ...]:
        """What stands between the path's slashes."""
        return tuple(self.path.split("/")[1:])

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path, in order."""
        return tuple(name for name, _ in _PARAMETER.findall(self.path))

    def key(self, method: str) -> str:
        """The event's `routeKey` for a request that one of its methods took."""
        return f"{method or 'ANY'} {self.path}"

    def claims(self) -> Iterator[tuple[str, tuple[str, ...], str]]:
        """(host, path without its parameters' names, method) of all that it takes."""
        shape = tuple(_PARAMETER.sub(r"{\2}", segment) for segment in self.segments)
        for method in self.methods or (ANY_METHOD,):
            yield self.host, shape, method

    def __str__(self) -> str:
        return f"{','.join(self.methods) or 'ANY'} {self.host}{self.path}"


def check_routes(
    function: str,
    routes: Iterable[Route],
    others: Iterable[tuple[str, tuple[Route, ...]]] = (),
) -> None:
    """Refuse routes of `function` that claim a request twice, or one that another function's claim.

    Raises InvalidConfiguration, and Conflict.
    """
    own: dict[tuple[str, tuple[str, ...], str], Route] = {}
    for route in routes:
        for claim in route.claims():
            twin = own.setdefault(claim, route)
            if twin is not route:
                raise InvalidConfiguration(f"the routes {twin} and {route} claim the same requests")
    if len(set(own.values())) > ROUTES_MAX:
        raise InvalidConfiguration(f"a function has at most {ROUTES_MAX} routes")
    for name, theirs in others:
        for other in theirs:
            taken = next((own[claim] for claim in other.claims() if claim in own), None)
            if taken is not None:
                raise Conflict(
                    f"route {taken} of {function} is taken: {name} has {other}; change one of them"
                )


def _check_path(path: str) -> None:
    if not path.startswith("/") or len(path) > PATH_CHARS_MAX:
        raise InvalidConfiguration(
            f"{path[:80]!r} is no path: begin it with '/', in at most {PATH_CHARS_MAX} characters"
        )
    segments = path.split("/")[1:]
    inner = segments[:-1]
    names = []
    for segment in segments:
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is not None:
            names.append(parameter[1])
            if parameter[2] and segment in inner:
                raise InvalidConfiguration(f"{segment} takes the rest of {path}: let it stand last")
        elif not _LITERAL.fullmatch(segment) or segment in (".", ".."):
            raise InvalidConfiguration(
                f"{segment[:80]!r} cannot stand in a route: write text, {{name}} or {{name+}}"
            )
    if "" in inner or len(segments) > SEGMENTS_MAX:
        raise InvalidConfiguration(
            f"{path[:80]!r} has an empty part, or more than {SEGMENTS_MAX} parts"
        )
    if len(set(names)) < len(names):
        raise InvalidConfiguration(f"route {path} has two parameters of one name")
