"""What a request leaves behind is freed as it ends, not when the collector comes by.

A circle of references costs twice: the collector looks for it, and meanwhile each request gets
memory that no cache holds (6 µs of a signed Invoke).
"""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from edge.front.asgi import App, Message, Scope
from edge.front.control import control_plane
from edge.front.data import DataPlane
from edge.front.services import Bounds
from edge.keyring import open_keyring
from edge.model.function import Settings
from edge.model.url import AuthType
from edge.worker import Worker
from tests.signing import BODY, Request

URL = "http://127.0.0.1:8081"
INVOKE = "/2015-03-31/functions/echo/invocations"
REQUESTS = 20


@pytest.fixture(autouse=True)
def uncollected() -> Iterator[None]:
    """No collection but those the test asks for."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def scope_of(request: Request) -> Scope:
    """A request as ASGI has it."""
    fields = {"host": "127.0.0.1:8081", "content-length": str(len(BODY)), **request.headers}
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8081),
        "extensions": {},
    }


async def ask(app: App, request: Request) -> None:
    """One request, answered with 200."""
    statuses: list[int] = []
    events = iter([{"type": "http.request", "body": BODY, "more_body": False}])

    async def receive() -> Message:
        for event in events:
            return event
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope_of(request), receive, send)
    assert statuses == [200]


async def garbage_of(app: App, request: Request) -> int:
    """How many objects the collector finds after some requests."""
    await ask(app, request)  # the first may fill what is kept
    gc.collect()
    for _ in range(REQUESTS):
        await ask(app, request)
    return gc.collect()


@pytest.mark.parametrize("proof", ["none", "token", "signature"])
async def test_invoke(worker: Worker, echo: bytes, proof: str) -> None:
    """Invoke on the control plane of an open host, by a token, signed."""
    await worker.deployer.deploy("echo", echo, Settings())
    app = control_plane(worker.services(is_local=True), Bounds(), URL)
    request = Request(URL, INVOKE)
    if proof != "none":
        with open_keyring(worker.settings.data) as keyring:
            key = keyring.create("caller")
        if proof == "token":
            request = request.with_header("authorization", f"Bearer {key.token}")
        else:
            request = request.signed(key)
    assert await garbage_of(app, request) < REQUESTS


@pytest.mark.parametrize("auth", AuthType)
async def test_function_url(worker: Worker, echo: bytes, auth: AuthType) -> None:
    """A function's URL: open to all, by a token, signed."""
    await worker.deployer.deploy(
        "echo", echo, Settings(), change=lambda shared: shared.with_auth_type(auth, 0)
    )
    app = DataPlane(worker.services(is_local=True), Bounds())
    request = Request(URL, "/echo")
    if auth is not AuthType.NONE:
        with open_keyring(worker.settings.data) as keyring:
            key = keyring.create("caller")
        if auth is AuthType.TOKEN:
            request = request.with_header("authorization", f"Bearer {key.token}")
        else:
            request = request.signed(key)
    assert await garbage_of(app, request) < REQUESTS
