"""Every language passes every case, with identical results."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from edge.config import load
from edge.front.data import DataPlane
from edge.front.services import Bounds
from edge.model.function import Settings, SnapshotState
from edge.model.limits import Limits
from edge.worker import open_worker
from tests.languages.cases import (
    CASES,
    DENIED,
    GRANTED,
    HURRIED,
    HURRIED_MS,
    STREAMED,
    TIMEOUT_MS,
    VARIABLES,
    Deployed,
    Run,
)
from tests.languages.languages import LANGUAGES, Language, build_or_skip
from tests.languages.languages import guest as guest_folder
from tests.toolchain import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def origin() -> AsyncIterator[str]:
    """The URL of a server on loopback that says what it was asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        said = f"{method} {path} {headers.get('x-ask')} ".encode() + body
        writer.write(b"HTTP/1.1 418 Teapot\r\nx-kind: oolong\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(said) + said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def guest(
    language: Language, origin: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Deployed]:
    """The conformance guest of a language, deployed with grants, without, and with little time."""
    module, streaming = [
        await asyncio.to_thread(build_or_skip, language, guest_folder(language, name))
        for name in ("conformance", language.streaming)
    ]
    grants = ("kv", f"fetch:{origin.removeprefix('http://')}")
    deployments = (
        (GRANTED, Settings(Limits(timeout_ms=TIMEOUT_MS), VARIABLES, grants)),
        (DENIED, Settings(Limits(timeout_ms=TIMEOUT_MS))),
        (HURRIED, Settings(Limits(timeout_ms=HURRIED_MS))),
    )
    data = tmp_path_factory.mktemp(language.title)
    async with open_worker(load({"data": data, "build_timeout_s": 120}), 0) as worker:
        for name, settings in deployments:
            version = await worker.deployer.deploy(name, module, settings)
            assert version.artifact.snapshot.state is not SnapshotState.REFUSED
        await worker.deployer.deploy(STREAMED, streaming, Settings())
        door = httpx.ASGITransport(app=DataPlane(worker.services(is_local=True), Bounds()))
        async with httpx.AsyncClient(transport=door, base_url="http://edge.test") as http:
            yield Deployed(worker, http, origin)


# The lower of the two varies slowest, so that each language is deployed once.
@pytest.mark.parametrize("case", CASES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.title, scope="module")
async def test_conformance(language: Language, case: Run, guest: Deployed) -> None:
    """One case in one language, unless the language is excused from it."""
    reason = language.exceptions.get(case.__name__)
    if reason:
        pytest.skip(reason)
    await case(guest)


async def test_exceptions_are_documented() -> None:
    """`docs/languages.md` names each case a language is excused from, with the reason."""
    page = (ROOT / "docs" / "languages.md").read_text()
    for language in LANGUAGES:
        for case, reason in language.exceptions.items():
            assert f"`{case}`" in page
            assert reason in page
