"""Aliases in the registry: as quick as versions, never out of date, split as they say."""

from collections import Counter
from dataclasses import replace
from math import sqrt

import pytest

from edge.model.alias import Alias
from edge.model.errors import NotFound
from edge.model.function import Settings
from edge.registry.registry import Registry
from tests.registry.conftest import CountingFunctions
from tests.storage.versions import ARTIFACT

DRAWS = 4_000
SIGMAS = 6
LIVE = Alias("hello", "live", "1", "")


@pytest.fixture(autouse=True)
def versions(registry: Registry) -> None:
    """Versions 1 and 2 of `hello`."""
    for number in (1, 2):
        registry.put("hello", ARTIFACT, Settings(handler=str(number)))
        registry.publish("hello")


def test_an_alias_is_its_version(registry: Registry, store: CountingFunctions) -> None:
    """What resolves is the version's own object, and the database is asked once."""
    version = registry.resolve("hello", "1")
    registry.aliases.create(LIVE)
    version = registry.resolve("hello", "1")
    assert registry.resolve("hello", "live") is version
    store.reads = 0
    assert registry.resolve("hello", "live", "2") is version
    assert store.reads == 0


def test_a_neighbour_s_shift_is_in_force_at_once(registry: Registry, neighbour: Registry) -> None:
    """Creation, change and removal elsewhere are followed by the next event here."""
    with pytest.raises(NotFound):
        registry.resolve("hello", "live")
    neighbour.aliases.create(LIVE)
    assert registry.resolve("hello", "live").version == "1"
    neighbour.aliases.update("hello", "live", lambda stands: replace(stands, version="2"))
    assert registry.resolve("hello", "live").version == "2"
    neighbour.aliases.delete("hello", "live")
    with pytest.raises(NotFound):
        registry.resolve("hello", "live")


def test_a_split_alias_draws_for_each_event(registry: Registry, store: CountingFunctions) -> None:
    """Both versions answer, in proportion, without the database; a pin takes one of them."""
    registry.aliases.create(replace(LIVE, also="2", also_weight=0.3))
    registry.resolve("hello", "live", "1")
    registry.resolve("hello", "live", "2")
    store.reads = 0
    counts = Counter(registry.resolve("hello", "live").version for _ in range(DRAWS))
    assert abs(counts["2"] - 0.3 * DRAWS) <= SIGMAS * sqrt(DRAWS * 0.3 * 0.7)
    assert counts["1"] + counts["2"] == DRAWS
    assert {registry.resolve("hello", "live", "2").version for _ in range(20)} == {"2"}
    assert store.reads == 0
    assert registry.primary("hello", "live").version == "1"


def test_every_change_gives_an_alias_a_new_revision(registry: Registry) -> None:
    """A reader can tell by the revision that an alias is another."""
    made = registry.aliases.create(LIVE)
    changed = registry.aliases.update("hello", "live", lambda stands: stands)
    assert made.revision_id != changed.revision_id
    assert registry.aliases.get("hello", "live") == changed
