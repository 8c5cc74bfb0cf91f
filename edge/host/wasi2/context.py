"""What the functions of WASI 0.2 know about the one guest that calls them.

Neighbours: `sandbox/component/` makes one for each guest; every function here is handed it first.
Invariant: it belongs to one guest; everything it leads to dies with it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from inspect import iscoroutine
from typing import Any, ClassVar

from edge.host.calls import HostCalls
from edge.host.session import Session
from edge.host.wasi2.exchange import Budget, Exchange
from edge.host.wasi2.package import Package
from edge.host.wasi2.tree import Tree


class Misuse(Exception):
    """The guest broke a rule of WASI's, where WASI says that it traps; it ends as a trap does."""


class Resource:
    """What a guest holds by a handle. `KIND` is the WIT name of its resource type."""

    __slots__ = ()
    KIND: ClassVar[str]

    def dropped(self, context: "Context") -> None:
        """The guest let go of it; not called when the guest itself is gone."""


@dataclass(slots=True)
class Context:
    """The session, where host calls go, the guest's `/tmp`, the files of its function, and its HTTP
    exchange if it has one.

    `off_loop` is set while the guest runs on another thread than the event loop's. `tasks` run on
    the loop for the guest. `bodies` is what its HTTP bodies may still take of the host's memory.
    """

    session: Session
    calls: HostCalls
    tree: Tree = field(default_factory=Tree)
    package: Package | None = None
    exchange: Exchange | None = None
    bodies: Budget = field(default_factory=Budget)
    off_loop: bool = False
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None

    def call_soon(self, function: Callable[..., object], *arguments: object) -> None:
        """Call something of the event loop's: now, or there for a guest that is not on it."""
        if not self.off_loop:
            function(*arguments)
        elif self.loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and all of it over
                self.loop.call_soon_threadsafe(function, *arguments)

    def forget(self, task: "asyncio.Task[None]") -> None:
        """A task is over."""
        with contextlib.suppress(ValueError):  # the guest is gone, and it was cancelled
            self.tasks.remove(task)

    def close(self) -> None:
        """Cancel what still runs for the guest; from any thread."""
        for task in self.tasks:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and the task with it
                task.get_loop().call_soon_threadsafe(task.cancel)
        self.tasks.clear()


async def on_loop(function: "Function", *arguments: Any) -> Any:
    """What a function comes to, run on the event loop."""
    value = function(*arguments)
    return await value if iscoroutine(value) else value


Function = Callable[..., Any | Coroutine[Any, Any, Any]]
"""`function(context, *arguments)`: the result, or a coroutine of it to be awaited on the loop.

Whatever touches asyncio is a coroutine, since a guest may be run off the loop."""
Functions = dict[str, Function]
"""The functions of one interface, by their WIT names."""
