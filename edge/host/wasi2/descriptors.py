"""What `wasi:filesystem` hands out: descriptors of what a guest's `/tmp` holds, and its package.

There are no links and no times but of the last change; what a guest asks beyond that is refused
with an error code, by the functions here or by the sandbox's rule for those not here.

Neighbours: `files.py` and `directories.py` have the functions, `tree.py` what they work on.
Invariant: nothing here leads to a file of the host.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from edge.host.wasi2.context import Context, Resource
from edge.host.wasi2.results import Err
from edge.host.wasi2.tree import Directory, File, Node, Refused

Flags = frozenset[str]
CHANGES = "mutate-directory"
"""The right to change what a directory holds; what is opened below has no more of it."""

_NS_PER_S = 1_000_000_000


class Descriptor(Resource):
    """An open file or directory."""

    __slots__ = ("flags", "node")
    KIND = "descriptor"

    def __init__(self, node: Node, flags: Flags) -> None:
        self.node = node
        self.flags = flags

    @property
    def directory(self) -> Directory:
        """The directory this is. Raises Refused."""
        if not isinstance(self.node, Directory):
            raise Refused("not-directory")
        return self.node

    @property
    def changing(self) -> Directory:
        """The directory this is, in order to change what it holds. Raises Refused."""
        directory = self.directory
        if CHANGES not in self.flags:
            raise Refused("read-only")
        return directory

    def file(self, right: str) -> File:
        """The file this is, opened with `read` or `write`. Raises Refused."""
        if not isinstance(self.node, File):
            raise Refused("is-directory")
        if right not in self.flags:
            raise Refused("bad-descriptor")
        return self.node


def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a refusal the error code that the guest sees."""

    @wraps(function)
    def guarded(context: Context, *arguments: Any) -> Any:
        try:
            return function(context, *arguments)
        except Refused as refused:
            return Err(refused.code)

    return guarded


def type_of(node: Node) -> str:
    """What a node is, by WIT's name."""
    return "directory" if isinstance(node, Directory) else "regular-file"


def stat_of(node: Node) -> tuple[Any, ...]:
    """Type, link count, size, times of access, modification and status change."""
    size = len(node.data) if isinstance(node, File) else 0
    changed = divmod(node.modified_ns, _NS_PER_S)
    return type_of(node), 1, size, divmod(node.accessed_ns, _NS_PER_S), changed, changed
