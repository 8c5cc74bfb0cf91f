"""Components as functions: what they are handed, what they may do, what becomes of them."""

import asyncio
import json

import pytest
import wasmtime

from edge.host.charges import FUEL_PER_IMPORT
from edge.model.errors import InvalidModule
from edge.model.event import Event, Source
from edge.model.function import GuestKind, Settings, SnapshotState
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.sandbox.component.envelope import TextEnvelope
from edge.worker import Worker
from tests import wat
from tests.components import EXIT, HELLO, HOST, RANDOM, SLEEP, SOCKET, STDOUT, component, sleeper

LIMITS = Limits(timeout_ms=1_000, memory_mb=16)
# The answer is the envelope itself, so that a test sees it.
MIRROR = component(
    "(i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $size))"
    " (return (i32.const 0))"
)


async def deploy(worker: Worker, module: bytes, grants: tuple[str, ...] = ()) -> None:
    """Deploy as `f`."""
    await worker.deployer.deploy("f", module, Settings(limits=LIMITS, grants=grants))


async def invoke(worker: Worker, payload: object = None) -> Result:
    """Invoke `f`."""
    return await worker.invoker.invoke(Event("f", payload, "r"))


async def test_a_component_answers(worker: Worker) -> None:
    """It is recognised, built, run, metered, and reported for what it is."""
    await deploy(worker, HELLO)
    version = worker.registry.get("f")
    assert version.artifact.kind is GuestKind.COMPONENT
    assert version.artifact.snapshot.state is SnapshotState.UNNEEDED
    first, second = await invoke(worker), await invoke(worker)
    assert (first.outcome, first.value) == (Outcome.OK, "hello")
    assert first.usage.fuel == second.usage.fuel > 0
    assert first.usage.bytes_out == len('{"ok":"hello"}')


async def test_its_seat_serves_a_module_next(worker: Worker) -> None:
    """No call of a module trips over what a component left there, which ended the worker."""
    await deploy(worker, MIRROR)
    await worker.deployer.deploy("module", wat.sleeper(0.001), Settings())
    for function in ("f", "module"):  # so many that they meet
        event = Event(function, {"ok": 1}, "r")
        results = await asyncio.gather(*(worker.invoker.invoke(event) for _ in range(32)))
        assert function == "f" or {result.outcome for result in results} == {Outcome.OK}
        await asyncio.sleep(0.05)


async def test_the_envelope_is_lambdas(worker: Worker) -> None:
    """Event and context arrive as JSON; an answer that is neither ok nor error is told."""
    await deploy(worker, MIRROR)
    result = await invoke(worker, {"ok": [1, None, "é"]})
    assert result.failure is not None
    assert result.failure.type == "MalformedAnswer"
    version = worker.registry.get("f")
    sealed = json.loads(TextEnvelope(version, "arn").seal(Event("f", {"a": b"\0"}, "r-7"), 99))
    assert sealed["event"] == {"a": {"$bytes": "AA=="}}
    assert sealed["context"]["functionName"] == "f"
    assert sealed["context"]["requestId"] == "r-7"
    assert sealed["context"]["deadlineMs"] == 99
    assert sealed["context"]["memoryLimitMb"] == LIMITS.memory_mb


@pytest.mark.parametrize(
    ("body", "text", "base64"), [(b"h\xc3\xa9", "hé", False), (b"\xff\0", "/wA=", True)]
)
async def test_an_http_body_is_lambdas(
    worker: Worker, body: bytes, text: str, base64: bool
) -> None:
    """Text stays text, bytes become base64, as handlers written for Lambda expect."""
    await deploy(worker, HELLO)
    event = Event("f", {"body": body, "isBase64Encoded": False}, "r", Source.HTTP)
    sealed = json.loads(TextEnvelope(worker.registry.get("f"), "arn").seal(event, 1))["event"]
    assert (sealed["body"], sealed["isBase64Encoded"]) == (text, base64)


@pytest.mark.parametrize(
    ("answer", "outcome", "kind"),
    [
        ('{"error":{"errorType":"E","errorMessage":"m"}}', Outcome.GUEST_ERROR, "E"),
        ('{"error":{"errorType":"MemoryError"}}', Outcome.OUT_OF_MEMORY, "MemoryError"),
        ("{", Outcome.GUEST_ERROR, "MalformedAnswer"),
        ('{"ok":NaN}', Outcome.GUEST_ERROR, "MalformedAnswer"),
        ("[" * 5_000, Outcome.GUEST_ERROR, "MalformedAnswer"),
        ('{"ok":"\\ud800"}', Outcome.GUEST_ERROR, "MalformedAnswer"),
        ('{"ok":{"$bytes":"?"}}', Outcome.GUEST_ERROR, "MalformedAnswer"),
    ],
)
async def test_bad_answers(worker: Worker, answer: str, outcome: Outcome, kind: str) -> None:
    """An error is the guest's; text that is no plain JSON value is refused as such."""
    await deploy(worker, component(answer=answer))
    result = await invoke(worker)
    assert result.failure is not None
    assert (result.outcome, result.failure.type) == (outcome, kind)


async def test_host_calls_are_the_same(worker: Worker) -> None:
    """`call` goes through the grants of core modules, and its answer is JSON."""
    request = '{"op":"kv.put","key":"k","value":{"$bytes":"AAE="}}'
    put = component(
        f"(call $call (i32.const 2048) (i32.const {len(request)}) (i32.const 0))"
        " (return (i32.const 0))",
        HOST,
        more=f"(data (i32.const 2048) {json.dumps(request)})",
    )
    await deploy(worker, put)
    refused = await invoke(worker)
    assert refused.outcome is Outcome.GUEST_ERROR
    assert refused.usage.calls == {"kv.put": 1}
    await deploy(worker, put, grants=("kv",))
    result = await invoke(worker)
    assert (result.outcome, result.value) == (Outcome.OK, {"version": 1})


async def test_no_sandbox_is_used_twice(worker: Worker) -> None:
    """What one event leaves in memory or globals, no later one finds."""
    marked = component(
        "(if (i32.load (i32.const 600)) (then unreachable))"
        "(if (global.get $seen) (then unreachable))"
        "(i32.store (i32.const 600) (i32.const 1)) (global.set $seen (i32.const 1))",
        more="(global $seen (mut i32) (i32.const 0))",
    )
    await deploy(worker, marked)
    for _ in range(20):
        assert (await invoke(worker)).outcome is Outcome.OK
        await asyncio.sleep(0.003)
    assert worker.sandbox.readiness("f").hits > 0


async def test_a_sleeper_wakes(worker: Worker) -> None:
    """Sleep is waited for on the loop, and the bill has no time in it."""
    await deploy(worker, sleeper(0.02))
    first, second = await invoke(worker), await invoke(worker)
    assert first.outcome is second.outcome is Outcome.OK
    assert first.usage.fuel == second.usage.fuel


@pytest.mark.parametrize(
    ("imports", "reason"),
    [
        ('(import "wasi:keyvalue/store@0.2.0" (instance))', "wasi:keyvalue/store"),
        ('(import "wasi:io/poll@0.3.0" (instance))', "wasi:io/poll@0.3.0"),
        ('(import "lonely" (func))', "lonely"),
    ],
)
async def test_imports_nobody_answers_are_named(worker: Worker, imports: str, reason: str) -> None:
    """They are refused at deploy, by name."""
    handle = HELLO_TEXT.replace("(component", f"(component {imports}", 1)
    with pytest.raises(InvalidModule, match=reason):
        await deploy(worker, bytes(wasmtime.wat2wasm(handle)))


HELLO_TEXT = """(component
  (core module $m (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64)
    (func (export "handle") (param i32 i32) (result i32) i32.const 0))
  (core instance $i (instantiate $m))
  (func (export "handle") (param "envelope" string) (result string)
    (canon lift (core func $i "handle") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc")))))"""


@pytest.mark.parametrize(
    "module",
    [
        b"\0asm\x0d\0\x01\0",
        HELLO[:-20],
        HELLO_TEXT.replace('(param "envelope" string)', '(param "envelope" (list u8))').encode(),
    ],
)
async def test_what_is_no_function_is_refused(worker: Worker, module: bytes) -> None:
    """An empty component, half a one, and one with another handler are told so."""
    if module.startswith(b"("):
        module = bytes(wasmtime.wat2wasm(module.decode()))
    with pytest.raises(InvalidModule, match=r"component|export handle"):
        await deploy(worker, module)


CAPABILITIES = {"exit": EXIT, "random": RANDOM, "sleep": SLEEP, "socket": SOCKET, "out": STDOUT}


@pytest.mark.parametrize("name", CAPABILITIES)
async def test_capabilities_link(worker: Worker, name: str) -> None:
    """Importing a capability costs nothing as long as it is not used."""
    await deploy(worker, component("", CAPABILITIES[name]))
    assert (await invoke(worker)).outcome is Outcome.OK


async def test_every_import_is_charged(worker: Worker) -> None:
    """Also one that does next to nothing: a bill that left them out would be an invitation."""
    draw = "(call $random (i64.const 0) (i32.const 512))"
    await deploy(worker, component(draw, RANDOM))
    once = (await invoke(worker)).usage.fuel
    await deploy(worker, component(draw * 11, RANDOM))
    assert (await invoke(worker)).usage.fuel - once >= 10 * FUEL_PER_IMPORT
