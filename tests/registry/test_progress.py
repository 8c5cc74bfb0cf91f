"""Changes under way: one at a time, told to every worker, and none that outlives its process."""

import pytest

from edge.model.errors import Conflict, NotFound
from edge.model.function import Settings
from edge.model.progress import Reason
from edge.registry import progress as module
from edge.registry.registry import Registry
from tests.storage.versions import ARTIFACT, draft


@pytest.fixture
def lapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every lease is over as soon as it was given."""
    monkeypatch.setattr(module, "LEASE_MS", -1_000)


def test_a_creation_is_told_until_it_is_there(registry: Registry, neighbour: Registry) -> None:
    """Another worker knows of it, refuses another one, and forgets it when the version is there."""
    token = registry.progress.begin("hello", latest=None, draft=draft())
    told = neighbour.progress.find("hello", None)
    assert told is not None
    assert told.draft == draft()
    assert told.failed is None
    for refused in (
        lambda: neighbour.progress.begin("hello", latest=None, draft=draft()),
        lambda: neighbour.progress.check_idle("hello"),
        lambda: neighbour.delete("hello"),
    ):
        with pytest.raises(Conflict):
            refused()
    made = registry.put("hello", ARTIFACT, Settings(), must_exist=False)
    assert neighbour.progress.find("hello", made) is None
    registry.progress.finish(token)
    with pytest.raises(Conflict, match="exists"):
        registry.progress.begin("hello", latest=None, draft=draft())


def test_what_is_not_there_is_not_updated(registry: Registry) -> None:
    """An update of nothing leaves nothing."""
    with pytest.raises(NotFound):
        registry.progress.begin("hello", latest=draft(), draft=None)
    assert registry.progress.find("hello", None) is None


def test_a_failure_stays_until_the_next_change(registry: Registry) -> None:
    """Its reason is told, it is in nobody's way, and it goes with the function."""
    latest = registry.put("hello", ARTIFACT, Settings())
    registry.progress.fail(
        registry.progress.begin("hello", latest=latest, draft=None), Reason.FUNCTION, "it broke"
    )
    told = registry.progress.find("hello", latest)
    assert told is not None
    assert (told.failed, told.message) == (Reason.FUNCTION, "it broke")
    registry.progress.finish(registry.progress.begin("hello", latest=latest, draft=None))
    assert registry.progress.find("hello", latest) is None


@pytest.mark.usefixtures("lapsed")
def test_a_dead_process_s_creation_has_failed(registry: Registry) -> None:
    """It can be deleted, or made anew."""
    registry.progress.begin("hello", latest=None, draft=draft())
    told = registry.progress.find("hello", None)
    assert told is not None
    assert told.failed is Reason.INTERNAL
    registry.progress.begin("hello", latest=None, draft=draft())
    registry.delete("hello")
    with pytest.raises(NotFound):
        registry.delete("hello")


@pytest.mark.usefixtures("lapsed")
def test_a_dead_process_s_update_has_failed_unless_it_went_live(registry: Registry) -> None:
    """What tells them apart is the revision that it began from."""
    latest = registry.put("hello", ARTIFACT, Settings())
    registry.progress.begin("hello", latest=latest, draft=None)
    told = registry.progress.find("hello", latest)
    assert told is not None
    assert told.failed is Reason.INTERNAL
    assert registry.progress.find("hello", registry.put("hello", ARTIFACT, Settings())) is None
