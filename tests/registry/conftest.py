"""A registry on a real store, and a neighbour's on the same data directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.model.function import Version
from edge.model.ids import LATEST
from edge.registry.registry import Registry
from edge.storage.generation import Generation
from edge.storage.sqlite.functions import SqliteFunctions


class CountingFunctions(SqliteFunctions):
    """The real store, which also counts how often a version was read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reads = 0

    def get(self, name: str, version: str = LATEST) -> Version | None:
        """A version, counted."""
        self.reads += 1
        return super().get(name, version)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingFunctions]:
    """An empty store."""
    opened = CountingFunctions(tmp_path / "registry.db")
    yield opened
    opened.close()


@pytest.fixture
def generation(tmp_path: Path) -> Iterator[Generation]:
    """The data directory's generation."""
    opened = Generation(tmp_path / "generation")
    yield opened
    opened.close()


@pytest.fixture
def registry(store: CountingFunctions, generation: Generation) -> Registry:
    """This process's registry."""
    return Registry(store, generation)


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[Registry]:
    """Another worker's registry on the same data directory."""
    functions = SqliteFunctions(tmp_path / "registry.db")
    shared = Generation(tmp_path / "generation")
    yield Registry(functions, shared)
    functions.close()
    shared.close()
