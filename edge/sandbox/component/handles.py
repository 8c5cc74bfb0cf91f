"""The objects that one guest holds by handles.

Neighbours: `values.py` looks them up, `link.py` tells of the handles a guest dropped.
Invariant: a handle is a number of this guest's, and means nothing to another.
"""

from collections.abc import Mapping

from edge.host.wasi2.context import Misuse, Resource
from edge.sandbox.component.cells import Uncrossable

HANDLES_MAX = 4_096


class Handles:
    """`numbers` are the resource types that the component knows, by name."""

    __slots__ = ("_made", "_numbers", "_objects")

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._numbers = numbers
        self._objects: dict[int, object] = {}
        self._made = 0

    def take(self, handle: int) -> object:
        """The object of an owned handle, which is the guest's no more."""
        return self._objects.pop(handle)

    def peek(self, handle: int) -> object:
        """The object of a borrowed handle."""
        return self._objects[handle]

    def give(self, item: object) -> tuple[int, int]:
        """(handle, resource type) of an object the guest is to own."""
        kind = item.KIND if isinstance(item, Resource) else type(item).__name__
        number = self._numbers.get(kind)
        if number is None:
            raise Uncrossable(f"the component knows no resource {kind}")
        if len(self._objects) >= HANDLES_MAX:
            raise Misuse(f"a guest may hold {HANDLES_MAX} handles at once")
        self._made += 1
        self._objects[self._made] = item
        return self._made, number

    def forget(self, handle: int) -> object:
        """What the guest dropped."""
        return self._objects.pop(handle, None)

    def clear(self) -> None:
        """The guest is gone."""
        self._objects.clear()
