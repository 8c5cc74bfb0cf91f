"""Which function answers at a path that is no function's name: the routes of all, as a tree.

The most telling pattern wins: a host's own routes before `*.` ones before any host's; in a path
text before `{name}` before `{name+}`, from the left; a method before all methods.

Neighbours: `registry.py` keeps one while nothing changes, `front/` finds targets in it.
Invariant: finding takes time by the routes that there are and the length of a path, not more.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self
from urllib.parse import unquote

from edge.model.route import ANY_HOST, ANY_METHOD, Route

HOST_CHARS_MAX = 255
"""As at the door of HTTP/1.1: what is longer is no host, and takes time by its dots' square."""
_WILDCARD = "*."


class Hit(NamedTuple):
    """Whose request it is: `key` is the event's `routeKey`, `parameters` its `pathParameters`."""

    function: str
    qualifier: str
    key: str
    parameters: dict[str, str]


class NotAllowed(NamedTuple):
    """There are routes at this path, for these methods only."""

    methods: tuple[str, ...]


class _Claim(NamedTuple):
    function: str
    qualifier: str
    key: str
    names: tuple[str, ...]


_Leaf = dict[str, _Claim]
"""Claims by method."""


class _Node:
    """What may follow after some segments of a path."""

    __slots__ = ("ends", "parameter", "rest", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.ends: _Leaf = {}
        self.rest: _Leaf = {}

    def leaf(self, segments: tuple[str, ...]) -> _Leaf:
        """The leaf of a pattern, made where it is missing."""
        node = self
        for segment in segments:
            if segment.endswith("+}"):
                return node.rest
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.texts.setdefault(segment, _Node())
        return node.ends

    def leaves(
        self, segments: list[str], at: int, values: tuple[int, ...]
    ) -> Iterator[tuple[_Leaf, tuple[int, ...]]]:
        """Every leaf that fits from segment `at` on, the most telling first, with the indexes of
        the segments that are parameters' values."""
        if at == len(segments):
            if self.ends:
                yield self.ends, values
            return
        text = self.texts.get(segments[at])
        if text is not None:
            yield from text.leaves(segments, at + 1, values)
        if self.parameter is not None and segments[at]:
            yield from self.parameter.leaves(segments, at + 1, (*values, at))
        if self.rest and any(segments[at:]):
            yield self.rest, (*values, at)


class RouteTable:
    """All routes of a host."""

    def __init__(self, routed: Iterable[tuple[str, tuple[Route, ...]]]) -> None:
        """`routed` are functions with their routes."""
        self._roots: dict[str, _Node] = {}
        for function, routes in routed:
            for route in routes:
                leaf = self._roots.setdefault(route.host, _Node()).leaf(route.segments)
                for method in route.methods or (ANY_METHOD,):
                    leaf[method] = _Claim(
                        function, route.qualifier, route.key(method), route.parameters
                    )

    @classmethod
    def of(cls, routed: tuple[tuple[str, tuple[Route, ...]], ...]) -> Self | None:
        """The table, or None where no function has a route."""
        return cls(routed) if routed else None

    def find(self, method: str, host: str, raw_path: str) -> Hit | NotAllowed | None:
        """Who answers; `host` as the request has it, `raw_path` still percent-encoded."""
        raw = raw_path.split("/")[1:]
        segments = [unquote(segment) if "%" in segment else segment for segment in raw]
        allowed: set[str] = set()
        for root in self._hosts(host):
            for leaf, values in root.leaves(segments, 0, ()):
                claim = leaf.get(method) or leaf.get(ANY_METHOD)
                if claim is None and method == "HEAD":
                    claim = leaf.get("GET")
                if claim is not None:
                    return _hit(claim, raw, segments, values)
                allowed.update(leaf)
        if "GET" in allowed:
            allowed.add("HEAD")
        return NotAllowed(tuple(sorted(allowed))) if allowed else None

    def _hosts(self, host: str) -> Iterator[_Node]:
        """The roots for a host, its own first."""
        name = _name(host)
        if name in self._roots and name:
            yield self._roots[name]
        below = name
        while below:
            below = below.partition(".")[2]
            if _WILDCARD + below in self._roots:
                yield self._roots[_WILDCARD + below]
        if ANY_HOST in self._roots:
            yield self._roots[ANY_HOST]


def _hit(claim: _Claim, raw: list[str], segments: list[str], values: tuple[int, ...]) -> Hit:
    found = [segments[at] for at in values]
    if claim.key.endswith("+}"):
        found[-1] = unquote("/".join(raw[values[-1] :]))
    return Hit(
        claim.function, claim.qualifier, claim.key, dict(zip(claim.names, found, strict=True))
    )


def _name(host: str) -> str:
    """A Host field's name, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    name = host.partition(":")[0].lower().removesuffix(".")
    return name if len(name) <= HOST_CHARS_MAX else ""
