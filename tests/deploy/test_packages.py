"""Source in zips is built as its runtime and handler say, and for nothing else than what it holds.

What the toolchains compile in general is in `tests/languages`; here are Lambda's conventions.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from edge.config import load
from edge.model.errors import BuildFailed, InvalidConfiguration
from edge.model.event import Event
from edge.model.function import Code, Settings
from edge.model.limits import Limits
from edge.worker import Worker, open_worker
from tests.front.packages import package
from tests.storage.versions import ARTIFACT, draft

pytestmark = pytest.mark.timeout(300)
LIMITS = Limits(timeout_ms=10_000)
ORDERS = b"""
import os
from snapshot_restore_py import register_after_restore, register_before_snapshot

PLACE = os.environ.get("PLACE")
STEPS = []
for number in (1, 2):
    register_before_snapshot(STEPS.append, f"before {number}")
    register_after_restore(STEPS.append, f"after {number}")

def take(event, context):
    return {"n": event["n"] + 1, "place": PLACE, "steps": STEPS}
"""
PYTHON = {
    "app/orders.py": ORDERS,
    "app/__init__.py": b"",
    # Lambda's zips have their packages in them: what this names is nowhere.
    "requirements.txt": b"no-such-package-anywhere==1",
}
JAVASCRIPT = {
    "src/orders.mjs": b"import { next } from 'next';\n"
    b"export const api = { take: async (event) => ({ n: next(event.n) }) };\n",
    "node_modules/next/index.js": b"exports.next = (n) => n + 1;\n",
    "package.json": b'{"dependencies": {"no-such-package-anywhere": "1"}}',
}


@pytest_asyncio.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    """One worker's objects in this process."""
    settings = load({"data": tmp_path / "data", "build_timeout_s": 200})
    async with open_worker(settings, 0) as opened:
        yield opened


async def opened(worker: Worker, files: dict[str, bytes], settings: Settings) -> Code:
    """The code of a package; skips without the compiler, except in CI."""
    try:
        return await worker.packages.open(package(files), settings)
    except InvalidConfiguration as error:
        if "cannot be built on this host" not in error.message or os.environ.get("CI") == "true":
            raise
        pytest.skip(error.message)


async def called(worker: Worker, code: Code, settings: Settings, payload: object) -> object:
    """What the deployed code returns."""
    await worker.deployer.deploy("f", code.module, settings, package=code.package)
    result = await worker.invoker.invoke(Event("f", payload, "r-1"))
    assert result.failure is None, result
    return result.value


async def test_python_by_its_handler(worker: Worker) -> None:
    """Built from the module that Handler names; again when the environment changes, not else.

    Its hooks run in Lambda's order: around the snapshot, and anew for each event.
    """
    settings = Settings(LIMITS, runtime="python3.13", handler="app.orders.take")
    code = await opened(worker, PYTHON, settings)
    artifact = replace(ARTIFACT, package=code.package)
    current = replace(draft("f"), artifact=artifact, settings=settings)
    assert await worker.packages.renew(current, replace(settings, description="x")) is None
    elsewhere = replace(settings, handler="app/orders.take", environment=(("PLACE", "here"),))
    renewed = await worker.packages.renew(current, elsewhere)
    assert renewed is not None
    assert renewed.package == code.package
    steps = ["before 2", "before 1", "after 1", "after 2"]
    for n in (1, 2):
        answer = await called(worker, renewed, elsewhere, {"n": n})
        assert answer == {"n": n + 1, "place": "here", "steps": steps}


async def test_javascript_by_its_handler(worker: Worker) -> None:
    """An export by its path, and the packages that lie in the zip."""
    settings = Settings(LIMITS, runtime="nodejs22.x", handler="src/orders.api.take")
    code = await opened(worker, JAVASCRIPT, settings)
    assert await called(worker, code, settings, {"n": 1}) == {"n": 2}


async def test_a_bundle_of_the_host_s_own_files_is_refused(worker: Worker, tmp_path: Path) -> None:
    """An import cannot carry a file of the machine into the function."""
    settings = Settings(LIMITS, runtime="nodejs22.x", handler="index.handler")
    for name, content in (("a.json", '{"key": "s3cret"}'), ("b.json", '{"key": "s3cret" oops}')):
        (tmp_path / name).write_text(content)
        source = f"import key from {str(tmp_path / name)!r};\nexport const handler = () => key;\n"
        with pytest.raises(BuildFailed, match=f"{name}") as error:
            await opened(worker, {"index.mjs": source.encode()}, settings)
        assert "s3cret" not in error.value.message


@pytest.mark.parametrize("runtime", ["python3.12", "nodejs20.x"])
@pytest.mark.parametrize(
    "handler", ["", "index", "missing.handler", "../../index.handler", "a.b/c"]
)
async def test_handlers_that_name_nothing(worker: Worker, runtime: str, handler: str) -> None:
    """The refusal says what a handler is."""
    files = {"index.py": b"", "index.mjs": b"", "x.py": b"", "x.js": b""}
    with pytest.raises(BuildFailed, match=r"MODULE\.FUNCTION"):
        await opened(worker, files, Settings(LIMITS, runtime=runtime, handler=handler))


async def test_source_for_a_function_that_has_none(worker: Worker) -> None:
    """A module cannot be built again as Python: the refusal says to send source."""
    files = {"a.wasm": b"\0asm\1\0\0\0"}
    code = await worker.packages.open(package(files), Settings())
    assert code.module == files["a.wasm"]
    assert code.package is not None
    assert not code.package.is_source
    current = replace(draft("f"), artifact=replace(ARTIFACT, package=code.package))
    with pytest.raises(InvalidConfiguration, match="send source"):
        await worker.packages.renew(current, Settings(runtime="python3.13"))
