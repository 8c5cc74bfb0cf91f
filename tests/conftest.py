"""Fixtures that every room's tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edge.config import load
from edge.worker import Worker, open_worker
from tests.running import Server

# Here and not in `tests/languages`, because the process that prints collects no tests itself.
pytest_plugins = ["tests.languages.table"]


LONG_FIRST = frozenset(("languages", "component", "deploy", "supervise"))
"""Directories whose files take longest: they build, or restart."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With the short files last, no process waits long for another to end."""
    items.sort(key=lambda item: LONG_FIRST.isdisjoint(item.path.parts))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A host of one worker with nothing deployed."""
    with Server(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host of one worker that the tests of a module share."""
    with Server(tmp_path_factory.mktemp("host") / "data") as running:
        yield running


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    """One worker's objects in this process, without doors."""
    settings = load({"data": tmp_path / "data", "build_timeout_s": 60})
    async with open_worker(settings, 0) as opened:
        yield opened
