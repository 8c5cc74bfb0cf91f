"""What is collected: everything that nothing can reach any more, and nothing else."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge.deploy.sweep import SETTLED_S, sweep_artifacts
from edge.model.alias import Alias
from edge.model.event import Event
from edge.model.function import Settings, Version
from edge.model.outcome import Outcome
from edge.worker import Worker
from tests import wat


def module(text: str) -> bytes:
    """A guest that answers with five letters."""
    return wat.HELLO.replace(b"hello", text.encode())


async def put(worker: Worker, text: str) -> Version:
    """Deploy it as `f`."""
    return await worker.deployer.deploy("f", module(text), Settings())


def sweep(worker: Worker) -> set[str]:
    """Collect at once what is unused, however young."""
    compiled = worker.settings.data / "compiled"
    return sweep_artifacts(worker.registry, worker.artifacts, compiled, settled_s=-1)


def digests(version: Version) -> set[str]:
    """What a version is made of."""
    return {version.artifact.digest, version.artifact.image}


async def answer(worker: Worker, qualifier: str) -> object:
    """What one qualifier of `f` answers."""
    return (await worker.invoker.invoke(Event("f", {}, "r", qualifier=qualifier))).value


async def test_versions_and_aliases_keep_what_they_need(worker: Worker) -> None:
    """Numbered versions stay, whichever is the latest; what is neither goes; a deleted one goes."""
    first = await put(worker, "first")
    worker.registry.publish("f")
    second = await put(worker, "other")
    worker.registry.publish("f")
    unpublished = await put(worker, "third")
    await put(worker, "hello")
    worker.registry.aliases.create(Alias("f", "live", "1", "", also="2", also_weight=0.5))
    assert sweep(worker) == digests(unpublished)
    assert sweep(worker) == set()
    for qualifier, text in (("1", "first"), ("2", "other"), ("$LATEST", "hello")):
        assert await answer(worker, qualifier) == text
    assert await answer(worker, "live") in ("first", "other")
    worker.registry.aliases.delete("f", "live")
    worker.registry.delete_version("f", "2")
    assert sweep(worker) == digests(second)
    assert await answer(worker, "1") == "first"
    await worker.deployer.delete("f")
    assert sweep(worker) >= digests(first)
    assert worker.artifacts.digests() == set()


async def test_what_was_shared_stays(worker: Worker) -> None:
    """An artifact of two functions goes with the last of them."""
    first = await put(worker, "hello")
    await worker.deployer.deploy("g", module("hello"), Settings())
    await worker.deployer.delete("f")
    assert sweep(worker) == set()
    await worker.deployer.delete("g")
    assert sweep(worker) == digests(first)


async def test_an_invocation_in_flight_ends_on_what_it_began_with(worker: Worker) -> None:
    """A version that is replaced and collected while it runs is still there for that event."""
    slow = await worker.deployer.deploy("f", wat.sleeper(0.5), Settings())
    running = asyncio.create_task(worker.invoker.invoke(Event("f", {}, "r")))
    while not worker.occupancy.function(slow.slot):
        await asyncio.sleep(0.01)
    await put(worker, "after")
    assert sweep(worker) == digests(slow)
    result = await running
    assert result.outcome is Outcome.OK
    assert result.value == "hello"
    assert await answer(worker, "$LATEST") == "after"


async def test_what_a_deploy_just_wrote_is_left_alone(worker: Worker) -> None:
    """An artifact that was put again while the sweep looked at it is not deleted."""
    made = await put(worker, "hello")
    digest = made.artifact.digest
    written = worker.artifacts.path(digest).stat().st_mtime
    assert not worker.artifacts.delete(digest, written_before=written)
    assert worker.artifacts.get(digest) == module("hello")
    assert worker.artifacts.delete(digest, written_before=written + 1)
    assert not worker.artifacts.delete(digest)


def age(worker: Worker) -> None:
    """Let every artifact and compiled file look as if it had been there for long."""
    then = time.time() - 2 * SETTLED_S
    for directory in ("artifacts", "compiled"):
        for path in (worker.settings.data / directory).glob("*/*"):
            os.utime(path, (then, then))


@contextmanager
def sweeping(worker: Worker) -> Iterator[set[str]]:
    """Collect again and again on a thread of its own; what went."""
    compiled, stop, gone = worker.settings.data / "compiled", threading.Event(), set[str]()

    def sweep_on() -> None:
        while not stop.wait(0.005):
            gone.update(sweep_artifacts(worker.registry, worker.artifacts, compiled))

    thread = threading.Thread(target=sweep_on)
    thread.start()
    try:
        yield gone
    finally:
        stop.set()
        thread.join()


async def test_a_sweep_beside_deploys_takes_nothing_that_lives(worker: Worker) -> None:
    """Deploys that come back to what is old and unused, each while a sweep is at it: every version
    answers that answered before, and what is dead goes."""
    await put(worker, "first")
    worker.registry.publish("f")
    dead: set[str] = set()
    for text in ("other", "third", "other", "third", "other"):
        age(worker)
        with sweeping(worker) as gone:
            made = await put(worker, text)
            assert await answer(worker, "$LATEST") == text
            assert await answer(worker, "1") == "first"
        dead |= gone
        assert worker.artifacts.digests() >= digests(made)
    assert len(dead) >= 2
    assert digests(worker.registry.resolve("f", "1")) <= worker.artifacts.digests()
