"""The contract of a FunctionStore, over every backend."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from edge.model.errors import Conflict, InvalidRequest, NotFound, StorageFailure
from edge.model.function import Artifact, Census, Change, Package, Settings, SharedSettings
from edge.model.ids import LATEST
from edge.model.route import Route
from edge.storage.functions import FunctionStore
from edge.storage.members import FORMAT
from edge.storage.sqlite.functions import SqliteFunctions
from tests.storage.versions import ARTIFACT, artifacts, draft, settings

FUNCTIONS_MAX = 8


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FunctionStore]:
    """An empty store with room for a few functions."""
    opened = SqliteFunctions(tmp_path / "registry.db", functions_max=FUNCTIONS_MAX)
    yield opened
    opened.close()


def test_what_was_put_is_got(store: FunctionStore) -> None:
    """A version comes back as it was stored, with the slot it was given."""
    stored = store.put(draft())
    assert stored == replace(draft(), slot=0)
    assert store.get("hello") == stored


def test_unknown_names_and_versions_are_none(store: FunctionStore) -> None:
    """Absence is an answer, not an error."""
    store.put(draft())
    assert store.get("nobody") is None
    assert store.get("hello", "7") is None


def test_an_update_keeps_the_slot(store: FunctionStore) -> None:
    """A function's slot is its own for as long as it exists."""
    store.put(draft("first"))
    before = store.put(draft("second", "r1"))
    after = store.put(draft("second", "r2"))
    assert (before.slot, after.slot) == (1, 1)
    assert store.get("second") == after


def test_a_freed_slot_is_the_next_one_given(store: FunctionStore) -> None:
    """Slots stay small: the lowest free one goes to the next function."""
    for name in ("a", "b", "c"):
        store.put(draft(name))
    assert store.delete("b")
    assert store.put(draft("d")).slot == 1
    assert store.put(draft("e")).slot == 3
    assert store.delete("a")
    assert store.put(draft("f")).slot == 0


@settings_of_hypothesis(max_examples=25)
@given(names=st.lists(st.sampled_from("abcdefghij"), max_size=40))
def test_slots_are_unique_small_and_lowest_first(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    """Whatever is deployed and deleted, slots are distinct and below the most there ever were."""
    store = SqliteFunctions(tmp_path_factory.mktemp("slots") / "registry.db")
    slots: dict[str, int] = {}
    for name in names:
        if name in slots:
            store.delete(name)
            del slots[name]
        else:
            lowest = min(set(range(len(slots) + 1)) - set(slots.values()))
            slots[name] = store.put(draft(name)).slot
            assert slots[name] == lowest
    store.close()


def test_numbered_versions_stand_beside_the_latest(store: FunctionStore) -> None:
    """The schema holds published versions without a migration; they share the function's slot."""
    latest = store.put(draft())
    published = store.put(replace(draft(revision_id="r2"), version="1"))
    assert published.slot == latest.slot
    assert store.get("hello", "1") == published
    assert store.list("", 10) == (latest,)
    assert store.delete("hello")
    assert store.get("hello", "1") is None


def test_published_versions_are_numbered_and_stay(store: FunctionStore) -> None:
    """Numbers go up from 1, are never given twice, and a later deploy changes none of them."""
    store.put(draft())
    one = store.publish(draft(revision_id="p1"))
    assert (one.version, one.slot) == ("1", 0)
    assert store.publish(draft(revision_id="p2", description="said otherwise")) == one
    changed = replace(draft(revision_id="r2"), settings=Settings(handler="other"))
    store.put(changed)
    two = store.publish(replace(changed, revision_id="p3"))
    assert two.version == "2"
    assert store.get("hello", "1") == one
    assert store.delete_version("hello", "2")
    assert store.publish(replace(changed, revision_id="p4")).version == "3"
    assert not store.delete_version("hello", "2")
    assert not store.delete_version("hello", LATEST)
    assert store.get("hello") is not None


def test_publishing_needs_the_function_at_its_revision(store: FunctionStore) -> None:
    """What changed meanwhile is not numbered in place of what was meant."""
    with pytest.raises(NotFound):
        store.publish(draft())
    store.put(draft())
    with pytest.raises(Conflict):
        store.publish(draft(revision_id="p1"), revision_id="older")
    assert store.versions("hello", 0, 10) == ()


def test_versions_are_listed_by_number(store: FunctionStore) -> None:
    """10 comes behind 9, going on behind any number; the latest version is not among them."""
    for number in range(1, 12):
        each = replace(draft(revision_id=f"r{number}"), settings=Settings(handler=str(number)))
        store.put(each)
        store.publish(replace(each, revision_id=f"p{number}"))
    listed = [version.version for version in store.versions("hello", 0, 20)]
    assert listed == [str(number) for number in range(1, 12)]
    assert [version.version for version in store.versions("hello", 8, 2)] == ["9", "10"]


def test_shared_settings_are_the_functions(store: FunctionStore) -> None:
    """What is changed holds for the latest and every numbered version, and outlives a deploy."""
    store.put(draft(), change=lambda shared: replace(shared, tags=(("team", "a"),)))
    one = store.publish(draft(revision_id="p1"))
    changed = store.share("hello", lambda shared: replace(shared, concurrency_max=0))
    assert changed == SharedSettings(0, (("team", "a"),))
    assert store.put(draft(revision_id="r2")).shared == changed
    for version in (LATEST, one.version):
        found = store.get("hello", version)
        assert found is not None
        assert found.shared == changed
    store.delete("hello")
    assert store.put(draft()).shared == SharedSettings()


def test_a_change_that_is_refused_changes_nothing(store: FunctionStore) -> None:
    """Neither the shared settings nor the version that was to go with them."""

    def refuse(_shared: SharedSettings) -> SharedSettings:
        raise InvalidRequest("no")

    with pytest.raises(InvalidRequest):
        store.put(draft(), change=refuse)
    assert store.get("hello") is None
    with pytest.raises(NotFound):
        store.share("hello", lambda shared: shared)
    stored = store.put(draft())
    with pytest.raises(InvalidRequest):
        store.share("hello", refuse)
    assert store.get("hello") == stored


def test_the_census_counts_functions_code_and_reservations(store: FunctionStore) -> None:
    """Every stored version's code counts."""
    assert store.census() == Census(0, 0, 0)
    store.put(draft(), change=lambda shared: replace(shared, concurrency_max=7))
    store.publish(draft(revision_id="p1"))
    store.put(draft("other"))
    assert store.census() == Census(2, 3 * ARTIFACT.size_bytes, 7)


def test_creating_what_exists_is_a_conflict(store: FunctionStore) -> None:
    """`must_exist=False` never overwrites."""
    stored = store.put(draft(), must_exist=False)
    with pytest.raises(Conflict):
        store.put(draft(revision_id="r2"), must_exist=False)
    assert store.get("hello") == stored


def test_updating_what_is_not_there_is_not_found(store: FunctionStore) -> None:
    """`must_exist=True` never creates, and takes no slot."""
    with pytest.raises(NotFound):
        store.put(draft(), must_exist=True)
    assert store.get("hello") is None
    assert store.put(draft("other")).slot == 0


def test_a_revision_that_is_no_longer_current_is_a_conflict(store: FunctionStore) -> None:
    """Of two deployers who read the same revision, one wins."""
    store.put(draft(revision_id="r1"))
    won = store.put(draft(revision_id="r2"), revision_id="r1")
    with pytest.raises(Conflict):
        store.put(draft(revision_id="r3"), revision_id="r1")
    with pytest.raises(Conflict):
        store.put(draft("absent"), revision_id="r1")
    assert store.get("hello") == won
    assert store.get("absent") is None


def test_a_full_host_refuses_and_says_so(store: FunctionStore) -> None:
    """Functions are bounded; an update of one that is there still goes through."""
    for number in range(FUNCTIONS_MAX):
        store.put(draft(f"f{number}"))
    with pytest.raises(InvalidRequest, match="8 functions"):
        store.put(draft("one-too-many"))
    assert store.get("one-too-many") is None
    assert store.put(draft("f7", "r2")).slot == FUNCTIONS_MAX - 1


def test_listing_goes_on_behind_a_name(store: FunctionStore) -> None:
    """Pages in order of name, each function once."""
    for name in ("b", "a", "C", "d"):
        store.put(draft(name))
    first = store.list("", 3)
    assert [version.function for version in first] == ["C", "a", "b"]
    assert [version.function for version in store.list("b", 3)] == ["d"]
    assert store.list("", 0) == ()


def test_deleting_says_whether_there_was_one(store: FunctionStore) -> None:
    """Deleting twice is no error of the store's."""
    store.put(draft())
    assert store.delete("hello")
    assert not store.delete("hello")
    assert store.get("hello") is None


def test_digests_are_those_of_stored_versions(store: FunctionStore) -> None:
    """Modules and images, and only while a version refers to them."""
    store.put(draft("one"))
    store.put(replace(draft("two"), artifact=replace(ARTIFACT, digest="c" * 64)))
    assert store.digests() == {"a" * 64, "b" * 64, "c" * 64}
    store.delete("two")
    assert store.digests() == {"a" * 64, "b" * 64}
    zipped, source = Package("e" * 64, 9), Package("f" * 64, 9, is_source=True)
    store.put(replace(draft("two"), artifact=replace(ARTIFACT, package=zipped)))
    assert store.digests() == {"a" * 64, "b" * 64}
    store.put(replace(draft("two"), artifact=replace(ARTIFACT, package=source)))
    assert store.digests() == {"a" * 64, "b" * 64, "f" * 64}
    store.delete("two")
    store.put(replace(draft("one"), artifact=replace(ARTIFACT, digest="d" * 64, image="d" * 64)))
    assert store.digests() == {"d" * 64}


def test_the_change_count_tells_writes_of_others(store: FunctionStore, tmp_path: Path) -> None:
    """It stays while nothing happens, and moves when another process's store writes."""
    before = store.change_count()
    assert store.change_count() == before
    other = SqliteFunctions(tmp_path / "registry.db")
    other.put(draft())
    assert store.change_count() != before
    other.close()


def test_threads_take_turns(store: FunctionStore) -> None:
    """Of many deployers with the same revision, exactly one wins."""
    store.put(draft(revision_id="r0"))

    def update(number: int) -> bool:
        try:
            store.put(draft(revision_id=f"t{number}"), revision_id="r0")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(update, range(12))) == 1


@given(artifact=artifacts, chosen=settings)
@settings_of_hypothesis(max_examples=25)
def test_any_version_comes_back(
    tmp_path_factory: pytest.TempPathFactory, artifact: Artifact, chosen: Settings
) -> None:
    """Whatever a deployer may write survives the round through the columns."""
    store = SqliteFunctions(tmp_path_factory.mktemp("any") / "registry.db")
    stored = store.put(replace(draft(), artifact=artifact, settings=chosen))
    assert stored == store.get("hello")
    store.close()


def test_a_store_that_is_closed_fails_as_storage(tmp_path: Path) -> None:
    """The backend's own errors do not leak."""
    store = SqliteFunctions(tmp_path / "registry.db")
    store.close()
    with pytest.raises(StorageFailure):
        store.get("hello")


def test_a_row_this_edge_cannot_read_is_a_storage_failure(tmp_path: Path) -> None:
    """A newer edge's document, read by an older one, is named as that."""
    store = SqliteFunctions(tmp_path / "registry.db")
    store.put(draft())
    with closing(sqlite3.connect(tmp_path / "registry.db", isolation_level=None)) as connection:
        newer = json.dumps({"format": FORMAT + 1})
        connection.execute("UPDATE version SET settings = ?", (newer,))
    with pytest.raises(StorageFailure, match="upgrade"):
        store.get("hello")
    store.close()


def test_a_database_from_before_shared_settings_is_migrated(tmp_path: Path) -> None:
    """The latest version's concurrency and tags become the function's."""
    path = tmp_path / "registry.db"
    store = SqliteFunctions(path)
    store.put(draft())
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP INDEX routed")
        connection.execute("ALTER TABLE function DROP COLUMN shared")
        connection.execute("ALTER TABLE version DROP COLUMN package")
        connection.execute("""UPDATE version SET settings =
            json_set(settings, '$.limits.concurrencyMax', 7, '$.tags',
            json('[["team","a"]]'), '$.format', 2)""")
        connection.execute("INSERT INTO function (name, slot) VALUES ('empty', 1)")
        connection.execute("DROP TABLE alias")
        connection.execute("DROP TABLE progress")
        connection.execute("PRAGMA user_version=2")
    store = SqliteFunctions(path)
    assert store.get("hello") == replace(
        draft(), slot=0, shared=SharedSettings(7, (("team", "a"),))
    )
    assert store.share("empty", lambda shared: shared) == SharedSettings()
    store.close()


def test_versions_survive_a_restart(tmp_path: Path) -> None:
    """What was answered is on disk."""
    first = SqliteFunctions(tmp_path / "registry.db")
    stored = first.put(draft())
    first.close()
    second = SqliteFunctions(tmp_path / "registry.db")
    assert second.get("hello") == stored
    second.close()


def test_numbered_versions_are_bounded(tmp_path: Path) -> None:
    """A full function publishes again once a version is deleted, under a number never used."""
    store = SqliteFunctions(tmp_path / "registry.db", versions_max=2)
    store.put(draft())
    drafts = [replace(draft(), settings=Settings(handler=str(number))) for number in range(3)]
    for each in drafts[:2]:
        store.publish(each)
    with pytest.raises(InvalidRequest, match="versions_max"):
        store.publish(drafts[2])
    assert store.delete_version("hello", "1")
    assert store.publish(drafts[2]).version == "3"
    store.close()


def with_routes(*routes: Route) -> Change:
    """A change of nothing but the routes."""
    return lambda shared: replace(shared, routes=routes)


def test_routes_are_kept_with_their_function(store: FunctionStore) -> None:
    """They come with every version, go with the function, and are listed without it."""
    routes = (Route("/hi/{name}", ("GET",)), Route("/all", host="a.example", qualifier="1"))
    store.put(draft("first"), change=with_routes(*routes))
    store.put(draft("second"))
    found = store.get("first")
    assert found is not None
    assert found.shared.routes == routes
    assert store.routed() == (("first", routes),)
    store.delete("first")
    assert store.routed() == ()


def test_a_route_is_one_function_s(store: FunctionStore) -> None:
    """Neither a deploy nor a change takes another's, and what failed left nothing."""
    store.put(draft("first"), change=with_routes(Route("/hi/{name}")))
    with pytest.raises(Conflict, match=r"first has ANY /hi/\{name\}"):
        store.put(draft("second"), change=with_routes(Route("/hi/{other}")))
    assert store.get("second") is None
    store.put(draft("second"), change=with_routes(Route("/hi")))
    with pytest.raises(Conflict):
        store.share("second", with_routes(Route("/hi"), Route("/hi/{x}")))
    assert store.routed()[1] == ("second", (Route("/hi"),))
    store.share("first", with_routes())
    store.share("second", with_routes(Route("/hi/{x}")))
    assert store.routed() == (("second", (Route("/hi/{x}"),)),)


def test_a_route_to_a_version_goes_with_it(store: FunctionStore) -> None:
    """Nothing leads to what is gone."""
    store.put(draft())
    store.publish(draft())
    store.share("hello", with_routes(Route("/one", qualifier="1"), Route("/latest")))
    assert store.delete_version("hello", "1")
    assert store.routed() == (("hello", (Route("/latest"),)),)
