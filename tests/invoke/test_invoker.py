"""One event to its result: what is recorded, refused, logged and handed over."""

from dataclasses import replace

import pytest

from edge.deploy.sweep import sweep_artifacts
from edge.invoke.throttle import THROTTLED
from edge.meter.journal import read_records
from edge.model.errors import InvalidConfiguration, InvalidRequest, NotFound, PayloadTooLarge
from edge.model.event import Event
from edge.model.function import Settings, SnapshotState
from edge.model.ids import LATEST
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.worker import Worker
from tests import wat
from tests.toolchain import build_guest, build_hostile


async def deploy(worker: Worker, name: str, settings: Settings | None = None) -> None:
    """Deploy a sample guest under its own name."""
    await worker.deployer.deploy(name, build_guest(name).read_bytes(), settings or Settings())


async def test_result_and_record_agree(worker: Worker) -> None:
    """What the caller is told is what the journal has."""
    await deploy(worker, "echo")
    result = await worker.invoker.invoke(Event("echo", {"a": [1, b"\x00"]}, "r-1", bytes_in=7))
    assert result.outcome is Outcome.OK
    assert result.usage.fuel > 0
    assert result.usage.billed_ms == 1
    assert result.usage.bytes_in == 7
    records = list(read_records(worker.settings.data / "journal"))
    assert records == [result.usage]


async def test_unknown_function_and_qualifier(worker: Worker) -> None:
    """What does not exist is NotFound, and leaves no record."""
    await deploy(worker, "tiny")
    for event in (Event("other", {}, "r"), Event("tiny", {}, "r", qualifier="7")):
        with pytest.raises(NotFound):
            await worker.invoker.invoke(event)
    assert not list(read_records(worker.settings.data / "journal"))


async def test_an_event_that_was_refused_is_not_run(worker: Worker) -> None:
    """Its body was never read: that there is room again by the time it is told changes nothing."""
    await deploy(worker, "echo")
    worker.registry.share("echo", lambda shared: replace(shared, concurrency_max=0))
    refusal = worker.invoker.refuses(worker.registry.resolve("echo", LATEST))
    worker.registry.share("echo", lambda shared: replace(shared, concurrency_max=None))
    assert refusal is THROTTLED
    result = worker.invoker.turn_away(Event("echo", {}, "r"), refusal)
    assert (result.outcome, result.usage.fuel) == (Outcome.THROTTLED, 0)


@pytest.mark.parametrize("payload", [1 << 70, {"deep": None}, {1: "key"}, object()])
async def test_a_payload_that_is_no_plain_value(worker: Worker, payload: object) -> None:
    """What CBOR cannot carry to a guest is the caller's error, told as such."""
    await deploy(worker, "tiny")
    if payload == {"deep": None}:
        for _ in range(100):
            payload = [payload]
    with pytest.raises(InvalidRequest, match="cannot be handed"):
        await worker.invoker.invoke(Event("tiny", payload, "r"))
    assert worker.occupancy.host() == 0


async def test_randomness_is_fresh_in_every_instance(worker: Worker) -> None:
    """Two requests from one snapshot draw different bytes."""
    module = build_hostile("wasi_everywhere")
    version = await worker.deployer.deploy("random", module, Settings())
    assert version.artifact.snapshot.state is SnapshotState.TAKEN
    drawn = set()
    for _ in range(5):
        result = await worker.invoker.invoke(Event("random", {}, "r"))
        assert isinstance(result.value, dict)
        drawn.add(result.value["random"])
    assert len(drawn) == 5


async def test_snapshot_and_plain_start_agree(worker: Worker) -> None:
    """The same function gives the same answers with its snapshot and without."""
    for name, query in (("primes", "n=1000003"), ("text", ""), ("hello", "name=Ada")):
        module = build_guest(name).read_bytes()
        limits = Limits(timeout_ms=10_000)
        taken = await worker.deployer.deploy(name, module, Settings(limits=limits))
        await worker.deployer.deploy("plain", module, Settings(limits=limits, snapshot=False))
        assert taken.artifact.snapshot.state is SnapshotState.TAKEN
        pairs = dict(pair.split("=") for pair in query.split("&") if pair)
        event = {"rawPath": "/", "queryStringParameters": pairs, "body": b"Some words. More."}
        first = await worker.invoker.invoke(Event(name, event, "r"))
        second = await worker.invoker.invoke(Event("plain", event, "r"))
        assert first.outcome is Outcome.OK
        assert _without_name(first.value) == _without_name(second.value)


def _without_name(value: object) -> object:
    """The answer without the function's own name in it."""
    return {k: v for k, v in value.items() if k != "function"} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (Settings(grants=("teleport",)), InvalidConfiguration),
        (Settings(environment=(("A=B", "x"),)), InvalidConfiguration),
        (Settings(environment=(("A", "x" * 5000),)), PayloadTooLarge),
    ],
)
async def test_bad_settings_are_refused_before_building(
    worker: Worker, settings: Settings, error: type[Exception]
) -> None:
    """A deploy that cannot succeed says so and changes nothing."""
    with pytest.raises(error):
        await worker.deployer.deploy("tiny", wat.HELLO, settings)
    with pytest.raises(NotFound):
        worker.registry.get("tiny")


async def test_the_log_tells_the_owner_what_went_wrong(worker: Worker) -> None:
    """A trap's reason and frames are in the function's log, not in what a stranger gets."""
    await worker.deployer.deploy("trap", wat.guest("unreachable"), Settings())
    result = await worker.invoker.invoke(Event("trap", {}, "r-9"))
    assert result.outcome is Outcome.GUEST_TRAP
    lines, _ = worker.logs.read("trap", None, 10)
    assert [line.request_id for line in lines] == ["r-9"]
    assert "unreachable" in lines[0].message


async def test_sweep_keeps_what_is_in_use(worker: Worker) -> None:
    """Artifacts of deleted functions go, those of live ones stay and still run."""
    await deploy(worker, "tiny")
    await deploy(worker, "primes")
    gone = worker.registry.get("primes").artifact
    await worker.deployer.delete("primes")
    compiled = worker.settings.data / "compiled"
    swept = sweep_artifacts(worker.registry, worker.artifacts, compiled, settled_s=-1)
    assert swept == {gone.digest, gone.image}
    assert (await worker.invoker.invoke(Event("tiny", {}, "r"))).outcome is Outcome.OK
    assert len(list(compiled.glob("*/*.cwasm"))) == 1


async def test_idle_modules_are_let_go_and_come_back(worker: Worker) -> None:
    """A function nobody calls holds no mapping, and answers again when it is called."""
    await deploy(worker, "tiny")
    for _ in range(2):
        assert (await worker.invoker.invoke(Event("tiny", {}, "r"))).outcome is Outcome.OK
        assert worker.sandbox.modules.let_go_idle(-1) == 1
