"""The registry: durable changes, and a cache that is never out of date nor filled by strangers."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.model.errors import Conflict, InvalidRequest, NotFound
from edge.model.function import Settings
from edge.model.ids import LATEST
from edge.registry import registry as module
from edge.registry.registry import UNKNOWN_CACHED_MAX, VERSIONS_CACHED_MAX, Registry
from edge.storage.generation import Generation
from edge.storage.sqlite.functions import SqliteFunctions
from tests.registry.conftest import CountingFunctions
from tests.storage.processes import start_python
from tests.storage.versions import ARTIFACT


def test_a_version_is_read_once_and_then_known(
    registry: Registry, store: CountingFunctions
) -> None:
    """The hot path asks memory, not the database."""
    stored = registry.put("hello", ARTIFACT, Settings())
    assert registry.resolve("hello", LATEST) == stored
    store.reads = 0
    for _ in range(100):
        assert registry.resolve("hello", LATEST) == stored
    assert store.reads == 0


def test_a_neighbour_s_deploy_is_live_here_at_once(registry: Registry, neighbour: Registry) -> None:
    """Once another worker has answered a deploy, this one runs the new version."""
    registry.put("hello", ARTIFACT, Settings())
    for number in range(5):
        registry.resolve("hello", LATEST)
        changed = neighbour.put("hello", ARTIFACT, Settings(description=str(number)))
        assert registry.resolve("hello", LATEST) == changed


def test_a_neighbour_s_creation_ends_not_found(registry: Registry, neighbour: Registry) -> None:
    """That a name is unknown is remembered no longer than it is true."""
    with pytest.raises(NotFound):
        registry.resolve("hello", LATEST)
    neighbour.put("hello", ARTIFACT, Settings())
    assert registry.resolve("hello", LATEST).function == "hello"


def test_a_neighbour_s_deletion_is_not_found(registry: Registry, neighbour: Registry) -> None:
    """A deleted function is not called again."""
    registry.put("hello", ARTIFACT, Settings())
    registry.resolve("hello", LATEST)
    neighbour.delete("hello")
    with pytest.raises(NotFound, match="hello"):
        registry.resolve("hello", LATEST)


_DEPLOY = """
import sys
from pathlib import Path
from edge.model.function import Settings
from edge.registry.registry import Registry
from edge.storage.generation import Generation
from edge.storage.sqlite.functions import SqliteFunctions
from tests.storage.versions import ARTIFACT
data = Path(sys.argv[1])
registry = Registry(SqliteFunctions(data / "registry.db"), Generation(data / "generation"))
for line in sys.stdin:
    version = registry.put("hello", ARTIFACT, Settings(description=line.strip()))
    print(version.revision_id, flush=True)
"""


def test_another_process_s_deploy_is_live_when_it_was_answered(
    registry: Registry, tmp_path: Path
) -> None:
    """Across processes, no resolve after a deployer's answer gives an older version."""
    registry.put("hello", ARTIFACT, Settings())
    with start_python(_DEPLOY, tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(30):
            registry.resolve("hello", LATEST)
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            # Resolving in between fills the cache again and again while the deploy is under way.
            for _ in range(50):
                registry.resolve("hello", LATEST)
            revision_id = process.stdout.readline().strip()
            resolved = registry.resolve("hello", LATEST)
            assert (resolved.revision_id, resolved.settings.description) == (
                revision_id,
                str(number),
            )
        process.stdin.close()


def test_a_deploy_that_died_before_its_bump_is_noticed(
    registry: Registry, store: CountingFunctions, tmp_path: Path
) -> None:
    """Commit without bump: the poll of the database finds it."""
    before = registry.put("hello", ARTIFACT, Settings())
    assert registry.resolve("hello", LATEST) == before
    with pytest.raises(NotFound):
        registry.resolve("other", LATEST)
    killed = SqliteFunctions(tmp_path / "registry.db")
    after = killed.put(replace(before, revision_id="after"))
    other = killed.put(replace(before, function="other"))
    killed.close()
    assert registry.resolve("hello", LATEST) == before
    registry.refresh()
    assert registry.resolve("hello", LATEST) == after
    assert registry.resolve("other", LATEST) == other
    store.reads = 0
    registry.refresh()
    registry.resolve("hello", LATEST)
    assert store.reads == 0


def test_unknown_names_are_looked_up_once(registry: Registry, store: CountingFunctions) -> None:
    """Asking for what is not there again and again costs no query."""
    for _ in range(10):
        with pytest.raises(NotFound):
            registry.resolve("nobody", LATEST)
        with pytest.raises(NotFound):
            registry.resolve("nobody", "7")
    assert store.reads == 2


def test_strangers_cannot_fill_memory_nor_evict(
    registry: Registry, store: CountingFunctions
) -> None:
    """Unknown names take bounded room, apart from the versions that are served."""
    stored = registry.put("hello", ARTIFACT, Settings())
    registry.resolve("hello", LATEST)
    for number in range(UNKNOWN_CACHED_MAX + 10):
        with pytest.raises(NotFound):
            registry.resolve(f"random-{number}", LATEST)
    assert len(registry._unknown) <= UNKNOWN_CACHED_MAX
    store.reads = 0
    assert registry.resolve("hello", LATEST) == stored
    assert store.reads == 0


@pytest.mark.parametrize(
    ("name", "qualifier"), [("x" * 65, LATEST), ("a/b", "1"), ("a", "q" * 999)]
)
def test_what_no_function_can_be_called_is_not_remembered(
    registry: Registry, store: CountingFunctions, name: str, qualifier: str
) -> None:
    """A name or qualifier of any length or shape takes no room and no query."""
    with pytest.raises(NotFound) as caught:
        registry.resolve(name, qualifier)
    assert store.reads == 0
    assert not registry._unknown
    assert len(caught.value.message) < 250


def test_cached_versions_are_bounded(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many versions are asked for, the cache keeps within its limit and stays right."""
    assert VERSIONS_CACHED_MAX >= 4_096
    monkeypatch.setattr(module, "VERSIONS_CACHED_MAX", 3)
    for number in range(8):
        registry.put(f"f{number}", ARTIFACT, Settings())
    for _ in range(2):
        for number in range(8):
            assert registry.resolve(f"f{number}", LATEST).function == f"f{number}"
            assert len(registry._versions) <= 3


def test_a_change_gives_a_new_revision(registry: Registry) -> None:
    """Every put is told apart from every other."""
    one = registry.put("hello", ARTIFACT, Settings())
    two = registry.put("hello", ARTIFACT, Settings(), revision_id=one.revision_id)
    assert one.revision_id != two.revision_id
    assert two.modified_ms >= one.modified_ms
    with pytest.raises(Conflict):
        registry.put("hello", ARTIFACT, Settings(), revision_id=one.revision_id)
    assert registry.get("hello") == two


def test_creation_and_update_can_be_insisted_on(registry: Registry) -> None:
    """Lambda's CreateFunction never updates, and its updates never create."""
    with pytest.raises(NotFound):
        registry.put("hello", ARTIFACT, Settings(), must_exist=True)
    registry.put("hello", ARTIFACT, Settings(), must_exist=False)
    with pytest.raises(Conflict):
        registry.put("hello", ARTIFACT, Settings(), must_exist=False)


def test_a_refused_change_leaves_the_caches_alone(
    registry: Registry, generation: Generation
) -> None:
    """Only what changed something makes every worker read again."""
    registry.put("hello", ARTIFACT, Settings())
    before = generation.current()
    with pytest.raises(Conflict):
        registry.put("hello", ARTIFACT, Settings(), must_exist=False)
    with pytest.raises(NotFound):
        registry.delete("nobody")
    assert generation.current() == before


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "é"])
def test_a_bad_name_is_refused(registry: Registry, name: str) -> None:
    """A stored name is safe in a path, a URL and an ARN."""
    with pytest.raises(InvalidRequest):
        registry.put(name, ARTIFACT, Settings())


def test_functions_are_listed_in_pages(registry: Registry) -> None:
    """In order of name, going on behind the last one seen."""
    for name in ("c", "a", "b"):
        registry.put(name, ARTIFACT, Settings())
    assert [version.function for version in registry.list(limit=2)] == ["a", "b"]
    assert [version.function for version in registry.list(after="b", limit=2)] == ["c"]


def test_getting_and_deleting_what_is_not_there(registry: Registry) -> None:
    """Both say that there is no such function."""
    with pytest.raises(NotFound):
        registry.get("nobody")
    with pytest.raises(NotFound):
        registry.delete("nobody")


def test_artifacts_in_use_follow_the_versions(registry: Registry) -> None:
    """What a deleted function alone needed may be collected."""
    registry.put("hello", ARTIFACT, Settings())
    assert registry.artifacts_in_use() == {ARTIFACT.digest, ARTIFACT.image}
    registry.delete("hello")
    assert registry.artifacts_in_use() == set()


def test_a_published_version_outlives_later_deploys(
    registry: Registry, neighbour: Registry
) -> None:
    """Every process runs a number as it was published, and the latest as it is."""
    with pytest.raises(NotFound):
        registry.resolve("hello", "1")
    first = neighbour.put("hello", ARTIFACT, Settings(handler="first"))
    published = neighbour.publish("hello", description="kept", revision_id=first.revision_id)
    neighbour.put("hello", ARTIFACT, Settings(handler="second"))
    assert registry.resolve("hello", "1") == published
    assert (published.version, published.settings.description) == ("1", "kept")
    assert published.revision_id != first.revision_id
    assert registry.resolve("hello", LATEST).settings.handler == "second"
    with pytest.raises(Conflict):
        registry.publish("hello", revision_id=first.revision_id)
    neighbour.delete_version("hello", "1")
    with pytest.raises(NotFound):
        registry.resolve("hello", "1")
    with pytest.raises(NotFound):
        registry.delete_version("hello", "1")


def test_published_versions_keep_their_artifacts(registry: Registry) -> None:
    """An artifact is collected when the last version that needs it is gone, and not before."""
    registry.put("hello", ARTIFACT, Settings())
    registry.publish("hello")
    registry.put("hello", replace(ARTIFACT, digest="c" * 64, image="d" * 64), Settings())
    assert {ARTIFACT.digest, ARTIFACT.image} < registry.artifacts_in_use()
    registry.delete_version("hello", "1")
    assert registry.artifacts_in_use() == {"c" * 64, "d" * 64}
