"""Fixtures that every room's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running import Server


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
