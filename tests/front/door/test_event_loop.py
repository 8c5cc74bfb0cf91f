"""Every protocol on asyncio's own event loop, for where uvloop does not install."""

import asyncio
from pathlib import Path

import httpx
import pytest

from edge.config import KeyPair
from edge.front.asgi import Receive, Scope, Send, read_body
from tests.certificates import make_certificate
from tests.front.door.in_process import answering, open_door

BODY = bytes(range(256)) * 4_096


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body it was sent."""
    body = await read_body(receive, None, len(BODY))
    await answering(body, fields=[(b"x-scheme", scope["scheme"].encode())])(scope, receive, send)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
async def test_bodies_go_both_ways(tmp_path: Path, scheme: str, http2: bool) -> None:
    """As many at a time as a client likes."""
    made = make_certificate(tmp_path)
    pair = KeyPair(str(made.cert), str(made.key)) if scheme == "https" else None
    async with (
        open_door(mirror, pair) as port,
        httpx.AsyncClient(
            base_url=f"{scheme}://127.0.0.1:{port}",
            verify=made.trusting(),
            http1=not http2,
            http2=http2,
            trust_env=False,
        ) as client,
    ):
        answers = await asyncio.gather(*(client.post("/", content=BODY) for _ in range(5)))
        for answer in answers:
            assert answer.status_code == 200
            assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            assert answer.headers["x-scheme"] == scheme
            assert answer.content == BODY
