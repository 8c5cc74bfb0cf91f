"""The contract of an AliasStore, over every backend."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.model.alias import Alias
from edge.model.errors import Conflict, NotFound
from edge.model.function import SharedSettings, Version
from edge.model.url import AuthType, UrlConfig
from edge.storage.functions import FunctionStore
from edge.storage.sqlite.functions import SqliteFunctions
from tests.storage.versions import draft

LIVE = Alias("hello", "live", "1", "a1")


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FunctionStore]:
    """A store with versions 1 and 2 of `hello`."""
    opened = SqliteFunctions(tmp_path / "registry.db")
    for number in (1, 2):
        opened.put(replace(draft(), revision_id=f"r{number}"))
        opened.publish(changed(number))
    yield opened
    opened.close()


def changed(number: int) -> Version:
    """A draft that runs unlike the others."""
    made = draft()
    return replace(made, settings=replace(made.settings, handler=str(number)))


def test_what_was_added_is_got(store: FunctionStore) -> None:
    """An alias comes back whole, its weight to the last bit."""
    alias = replace(LIVE, description="ü", also="2", also_weight=0.1)
    assert store.aliases.add(alias) == alias
    assert store.aliases.get("hello", "live") == alias
    assert store.aliases.get("hello", "other") is None


def test_aliases_are_listed_by_name_in_pages(store: FunctionStore) -> None:
    """Pages follow each other without a gap, and other functions' aliases stay out."""
    store.put(draft("other"))
    store.aliases.add(Alias("other", "a", "$LATEST", "r"))
    for name in ("c", "a", "b"):
        store.aliases.add(replace(LIVE, name=name))
    assert [each.name for each in store.aliases.list("hello", "", 2)] == ["a", "b"]
    assert [each.name for each in store.aliases.list("hello", "b", 2)] == ["c"]


def test_an_alias_is_added_once(store: FunctionStore) -> None:
    """A second one of the name is a conflict, and changes nothing."""
    store.aliases.add(LIVE)
    with pytest.raises(Conflict, match="live"):
        store.aliases.add(replace(LIVE, version="2"))
    assert store.aliases.get("hello", "live") == LIVE


@pytest.mark.parametrize(
    "alias",
    [replace(LIVE, function="nobody"), replace(LIVE, version="3"), replace(LIVE, also="3")],
)
def test_every_version_of_an_alias_is_there(store: FunctionStore, alias: Alias) -> None:
    """An alias leads nowhere that is not there, neither at first nor after a change."""
    with pytest.raises(NotFound):
        store.aliases.add(alias)
    store.aliases.add(LIVE)
    if alias.function == "hello":
        with pytest.raises(NotFound):
            store.aliases.update("hello", "live", lambda _: alias)
    assert store.aliases.get("hello", "live") == LIVE


def test_a_version_with_an_alias_stays(store: FunctionStore) -> None:
    """Neither of an alias's versions can be deleted before the alias leaves it."""
    store.aliases.add(replace(LIVE, also="2", also_weight=0.0))
    for version in ("1", "2"):
        with pytest.raises(Conflict, match="live"):
            store.delete_version("hello", version)
    store.aliases.update("hello", "live", lambda stands: replace(stands, also=""))
    assert store.delete_version("hello", "2")


def test_an_alias_goes_with_its_function(store: FunctionStore) -> None:
    """A new function of an old name has none of its aliases."""
    store.aliases.add(LIVE)
    store.delete("hello")
    store.put(draft())
    assert store.aliases.get("hello", "live") is None


def test_an_alias_takes_its_url_with_it(store: FunctionStore) -> None:
    """A new alias of the name does not inherit who may call the old one."""
    url = UrlConfig("live", AuthType.NONE, 0, 0)
    other = replace(url, qualifier="$LATEST")
    store.aliases.add(LIVE)
    store.share("hello", lambda _: SharedSettings(urls=(other, url)))
    assert store.aliases.delete("hello", "live")
    assert not store.aliases.delete("hello", "live")
    found = store.get("hello")
    assert found is not None
    assert found.shared.urls == (other,)
