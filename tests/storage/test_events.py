"""The contract of async events, on the SQLite backend."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.model.async_event import AsyncEvent, Condition, DeadLetter, EventConfig
from edge.model.errors import StorageFailure, TooManyEvents
from edge.storage.events import AsyncEvents, EventBounds
from edge.storage.sqlite.events import SqliteEvents


def event(number: int, *, accepted_ms: int = 0, size: int = 1) -> AsyncEvent:
    """An event of function f."""
    return AsyncEvent(f"r-{number}", "f", b"x" * size, accepted_ms)


def letter(given: AsyncEvent) -> DeadLetter:
    """An event given up."""
    return DeadLetter(given, Condition.RETRIES_EXHAUSTED, "it failed", b"record", 9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the events are."""
    return tmp_path / "events.db"


@pytest.fixture
def store(path: Path) -> Iterator[AsyncEvents]:
    """An empty store of four events and a hundred bytes."""
    opened = SqliteEvents(path, EventBounds(events_max=4, bytes_max=100))
    yield opened
    opened.close()


async def test_an_event_outlives_the_process(path: Path) -> None:
    """What `add` answered for is there when the file is opened again."""
    first = SqliteEvents(path)
    await first.add(event(1))
    second = SqliteEvents(path)  # the first is not closed: it may have been killed
    assert await second.claim("o", 0, 10, 5) == (event(1),)
    second.close()
    first.close()


async def test_two_owners_share_the_work(store: AsyncEvents) -> None:
    """No event is claimed twice while its claim holds; those due longest come first."""
    for number in range(4):
        await store.add(event(number, accepted_ms=number))
    mine = await store.claim("a", 10, 100, 2)
    rest = await store.claim("b", 10, 100, 5)
    assert {each.request_id for each in mine} == {"r-0", "r-1"}
    assert {each.request_id for each in rest} == {"r-2", "r-3"}
    assert not store.is_due(99)


async def test_a_lost_claim_comes_back(store: AsyncEvents) -> None:
    """When the lease ends another owner takes it, and the first can change nothing any more."""
    await store.add(event(1))
    await store.claim("killed", 0, 100, 1)
    assert await store.claim("other", 99, 200, 1) == ()
    assert store.is_due(100)
    assert await store.claim("other", 100, 200, 1) == (event(1),)
    assert not await store.settle("killed", "r-1", None)
    assert not await store.put_off("killed", event(1), 0)
    assert await store.settle("other", "r-1", None)
    assert store.counts() == (0, 0)


async def test_claims_are_renewed_and_given_back(store: AsyncEvents) -> None:
    """A long run keeps its claim; a worker that stops leaves nothing behind."""
    await store.add(event(1))
    await store.claim("a", 0, 100, 1)
    assert await store.renew("a", 500) == 1
    assert not store.is_due(499)
    assert await store.give_back("a", 5) == 1
    assert await store.claim("b", 5, 100, 1) == (event(1),)


async def test_an_event_that_is_put_off_waits_with_its_counts(store: AsyncEvents) -> None:
    """It is due when it was said, and remembers its attempts."""
    await store.add(event(1))
    await store.claim("a", 0, 100, 1)
    later = replace(event(1), attempts=1, waits=2)
    assert await store.put_off("a", later, 60)
    assert await store.claim("a", 59, 100, 1) == ()
    assert await store.claim("a", 60, 100, 1) == (later,)


async def test_what_follows_comes_in_the_same_commit(store: AsyncEvents) -> None:
    """An event for the destination, or a dead letter, in the settled one's place."""
    await store.add(event(1))
    await store.claim("a", 0, 100, 1)
    assert await store.settle("a", "r-1", event(2))
    await store.claim("a", 0, 100, 1)
    assert await store.settle("a", "r-2", letter(event(2)))
    assert store.counts() == (0, 1)
    assert store.dead_letter("r-2") == letter(event(2))


async def test_a_follower_that_cannot_be_kept_keeps_the_event(store: AsyncEvents) -> None:
    """A settlement is all or nothing."""
    await store.add(event(1))
    await store.add(event(2, accepted_ms=50))
    await store.claim("a", 0, 100, 1)
    with pytest.raises(StorageFailure):
        await store.settle("a", "r-1", event(2))  # its id is taken
    assert store.counts() == (2, 0)
    assert await store.settle("a", "r-1", None)


async def test_the_store_is_bounded_in_events_and_bytes(store: AsyncEvents) -> None:
    """Dead letters count too; room comes back with what is removed."""
    with pytest.raises(TooManyEvents, match="may keep 4"):
        await store.add(event(0, size=101))
    for number in range(4):
        await store.add(event(number))
    with pytest.raises(TooManyEvents, match="edge dead list"):
        await store.add(event(4))
    (claimed,) = await store.claim("a", 0, 100, 1)
    await store.settle("a", claimed.request_id, letter(claimed))
    with pytest.raises(TooManyEvents):
        await store.add(event(4))
    assert await store.remove_dead(claimed.request_id)
    await store.add(event(4))


async def test_dead_letters_are_listed_redriven_and_removed(store: AsyncEvents) -> None:
    """A redriven one begins anew; what is not there is told."""
    for number in range(3):
        await store.add(event(number))
    for claimed in await store.claim("a", 0, 100, 3):
        await store.settle("a", claimed.request_id, letter(replace(claimed, attempts=3)))
    page = store.dead_letters("f", "", 2)
    assert [each.event.request_id for each in page] == ["r-0", "r-1"]
    assert [each.event.request_id for each in store.dead_letters(None, "r-1", 9)] == ["r-2"]
    assert store.dead_letters("other", "", 9) == ()
    assert await store.redrive("r-1", 70)
    assert await store.claim("a", 70, 100, 9) == (event(1, accepted_ms=70),)
    assert not await store.redrive("r-1", 70)
    assert await store.remove_dead("r-0")
    assert not await store.remove_dead("r-0")
    assert store.counts() == (1, 1)


async def test_configs_are_kept_by_qualifier(store: AsyncEvents) -> None:
    """The last one put holds, until it is removed."""
    first = EventConfig("f", "$LATEST", 0, 60, None, "arn:x", 5)
    second = EventConfig("f", "live")
    for each in (EventConfig("f"), first, second, EventConfig("g")):
        await store.put_config(each)
    assert store.config("f", "$LATEST") == first
    assert store.configs("f", "", 9) == (first, second)
    assert store.configs("f", "$LATEST", 9) == (second,)
    assert await store.remove_config("f", "live")
    assert not await store.remove_config("f", "live")
    assert store.config("f", "live") is None
