"""Changes that outlast their requests: told once, and ended with the worker."""

import asyncio

import pytest

from edge.deploy.updates import Updates
from edge.model.errors import Conflict, InvalidModule
from edge.model.function import Version
from edge.model.progress import Reason
from edge.worker import Worker
from tests.storage.versions import draft


async def made() -> Version:
    """Work that is done at once."""
    return draft()


async def failing() -> Version:
    """Work that fails once it was waited for."""
    await asyncio.sleep(0.01)
    raise InvalidModule("it is none")


async def endless() -> Version:
    """Work that never ends by itself."""
    await asyncio.Event().wait()
    raise AssertionError


@pytest.fixture
def patient(worker: Worker) -> Updates:
    """Whose clients wait."""
    return Updates(worker.registry.progress, 60_000)


@pytest.fixture
def impatient(worker: Worker) -> Updates:
    """Whose clients do not."""
    return Updates(worker.registry.progress, 0)


async def test_what_ends_in_time_is_answered(worker: Worker, patient: Updates) -> None:
    """The version, or the error; nothing of either is kept."""
    assert await patient.run("f", made, latest=None, draft=draft("f")) == draft()
    with pytest.raises(InvalidModule):
        await patient.run("f", failing, latest=None, draft=draft("f"))
    assert worker.registry.progress.find("f", None) is None


async def test_what_takes_longer_is_told_as_state(worker: Worker, impatient: Updates) -> None:
    """The failure is kept for those who ask, and another change may follow."""
    assert await impatient.run("f", failing, latest=None, draft=draft("f")) is None
    async with asyncio.timeout(10):
        while (told := worker.registry.progress.find("f", None)) is None or told.failed is None:
            await asyncio.sleep(0)
    assert (told.failed, told.message) == (Reason.FUNCTION, "it is none")
    assert await impatient.run("f", endless, latest=None, draft=draft("f")) is None
    with pytest.raises(Conflict):
        await impatient.run("f", made, latest=None, draft=draft("f"))
    await impatient.stop()
    told = worker.registry.progress.find("f", None)
    assert told is not None
    assert told.failed is Reason.INTERNAL


async def test_a_client_that_leaves_ends_nothing(worker: Worker, patient: Updates) -> None:
    """The change goes on, and its failure is kept, as nobody was told."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> Version:
        begun.set()
        await go_on.wait()
        raise InvalidModule("it is none")

    client = asyncio.create_task(patient.run("f", work, latest=None, draft=draft("f")))
    await begun.wait()
    client.cancel()
    await asyncio.gather(client, return_exceptions=True)
    go_on.set()
    async with asyncio.timeout(10):
        while (told := worker.registry.progress.find("f", None)) is None or told.failed is None:
            await asyncio.sleep(0)
    assert told.message == "it is none"
