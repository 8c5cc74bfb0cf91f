"""A door in this process, on asyncio's own event loop: workers have uvloop's where it installs.

Neighbours: the tests of this folder that bring an application of their own.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from edge.config import DoorSettings, KeyPair
from edge.front.asgi import Receive, Scope, Send
from edge.front.door.asgi import AppConnection
from edge.front.door.server import Door
from edge.front.door.terms import hypercorn_config

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Fields = list[tuple[bytes, bytes]]


@asynccontextmanager
async def open_door(app: App, pair: KeyPair | None = None) -> AsyncIterator[int]:
    """The port of a door in front of `app`."""
    settings, stop = DoorSettings(), asyncio.Event()
    door = Door(
        app,
        lambda door: AppConnection(door, app),
        settings,
        hypercorn_config(settings, 1, pair),
        keeps_bodies=False,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    port: int = listener.getsockname()[1]
    serving = asyncio.create_task(door.serve(listener, stop, 16))
    await asyncio.sleep(0)
    try:
        yield port
    finally:
        stop.set()
        await serving


def answering(*parts: bytes, status: int = 200, fields: Fields | None = None) -> App:
    """An application that answers in these parts, whatever it is asked."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = fields or []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for index, part in enumerate(parts):
            more = index < len(parts) - 1
            await send({"type": "http.response.body", "body": part, "more_body": more})

    return app
