"""The two ASGI apps that are put behind every server: a constant, and edge's data plane.

Neighbours: `peers.py` starts servers with them; edge's own server does not come through here.
"""

from contextlib import AsyncExitStack

from bench.guests import sample
from edge.config import load
from edge.front.asgi import Receive, Scope, Send, decline
from edge.front.data import DataPlane
from edge.front.services import Bounds
from edge.model.function import Settings
from edge.model.limits import Limits
from edge.worker import open_worker

FUNCTION = "tiny"
"""Answers `hello`, as the constant does."""

_BODY = b"hello"
_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"5")]


async def constant(scope: Scope, receive: Receive, send: Send) -> None:
    """The same five bytes to everyone."""
    if scope["type"] != "http":
        await decline(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY, "more_body": False})


class Edge:
    """edge's data plane, its worker opened and `tiny` deployed when the server starts.

    The worker's data are where `EDGE_DATA` says.
    """

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._plane: DataPlane | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._plane is not None:
            await self._plane(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        worker = await self._stack.enter_async_context(open_worker(load(), 0))
        settings = Settings(limits=Limits(memory_mb=64))
        await worker.deployer.deploy(FUNCTION, sample(FUNCTION), settings)
        self._plane = DataPlane(worker.services(is_local=True), Bounds())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})


edge = Edge()
