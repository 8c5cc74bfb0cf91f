"""The one call of C in which a short guest runs: what a guest on a fiber does, whatever it does."""

import asyncio

import pytest

from edge.model.event import Event
from edge.model.function import Settings
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.sandbox.first_slice import FirstSlice
from edge.sandbox.memories import LIBRARY
from edge.worker import Worker
from tests import wat

LOG = '(import "edge" "log" (func $log (param i32 i32 i32)))'
CALL = '(import "edge" "call" (func $call (param i32 i32) (result i32)))'
ALLOC = '(func (export "edge_alloc") (param i32) (result i32) {})'


def allocating(body: str, pages: int = 1) -> bytes:
    """A guest whose `edge_alloc` is `body`."""
    text = f'(module (memory (export "memory") {pages}) {wat.ANSWER} {ALLOC.format(body)}'
    return bytes(wat.wasmtime.wat2wasm(f"{text} {wat.HANDLE} {wat.POINT}))"))


def pointing(pointer: int, length: int) -> str:
    """A handler's body that answers with `length` bytes at `pointer`."""
    return f"(i64.or (i64.shl (i64.const {pointer}) (i64.const 32)) (i64.const {length}))"


GUESTS = {
    "answers": wat.HELLO,
    "answers_at_length": wat.guest(
        # {"ok": 100,000 zeros}
        "(i64.store (i32.const 70000) (i64.const 0x01005a6b6f62a1)) (i32.store (i32.const 70007)"
        f" (i32.const 0xa086)) {pointing(70_000, 9 + 100_000)}",
        pages=4,
    ),
    "holds_much_memory": wat.guest(pages=300),
    "grows": wat.guest(f"(drop (memory.grow (i32.const 9))) {wat.POINT}"),
    "traps": wat.guest("unreachable"),
    "traps_in_alloc": allocating("unreachable"),
    "has_no_room": allocating("i32.const 0"),
    "takes_outside": allocating("i32.const 65530"),
    "grows_for_the_event": allocating("(i32.mul (memory.grow (i32.const 1)) (i32.const 65536))"),
    "answers_outside": wat.guest(pointing(65_530, 10)),
    "answers_far_outside": wat.guest(pointing(0xFFFF_FFFF, 10)),
    "answers_too_much": wat.guest(pointing(100, 0xFFFF_FFFF)),
    "logs": wat.guest(
        f"(call $log (i32.const 2) (i32.const 100) (i32.const 10)) {wat.POINT}", imports=LOG
    ),
    "logs_outside": wat.guest(
        f"(call $log (i32.const 2) (i32.const -1) (i32.const 10)) {wat.POINT}", imports=LOG
    ),
    "computes_for_long": wat.guest(
        "(local $n i32) (loop (br_if 0 (i32.lt_u (local.tee $n (i32.add (local.get $n)"
        f" (i32.const 1))) (i32.const 200000)))) {wat.POINT}"
    ),
}


@pytest.mark.parametrize("name", GUESTS)
async def test_a_guest_cannot_tell_how_it_was_started(worker: Worker, name: str) -> None:
    """Outcome, answer, failure, log, memory and fuel are those of the same guest on a fiber."""
    settings = Settings(limits=Limits(memory_mb=64, timeout_ms=2_000))
    version = await worker.deployer.deploy(name, GUESTS[name], settings)
    module = worker.sandbox.modules.get(version.artifact.image)
    assert module.first_slice is not None, "built with edge wherever there is a C compiler"
    first = await _invoke(worker, name)
    again = await _invoke(worker, name)
    module.first_slice = None
    fiber = await _invoke(worker, name)
    assert _shown(first) == _shown(again) == _shown(fiber)
    while worker.sandbox.live:  # a large one is closed by a thread
        await asyncio.sleep(0.01)


WAITERS = {
    "waits_for_the_host": wat.guest(
        f"(drop (call $call (i32.const 0) (i32.const 0))) {wat.POINT}", imports=CALL
    ),
    "sleeps": wat.sleeper(0.01),
}


@pytest.mark.parametrize("name", WAITERS)
async def test_a_guest_that_waits_goes_to_a_fiber(worker: Worker, name: str) -> None:
    """It is started again there, and cannot tell; the next ones start there at once."""
    version = await worker.deployer.deploy(name, WAITERS[name], Settings())
    module = worker.sandbox.modules.get(version.artifact.image)
    assert module.first_slice is not None
    first = await _invoke(worker, name)
    assert module.first_slice is None
    assert first.outcome is Outcome.OK
    assert _shown(first) == _shown(await _invoke(worker, name))


async def test_a_guest_that_may_wait_and_does_not_needs_no_fiber(worker: Worker) -> None:
    """What it imports does not matter, only what it calls."""
    version = await worker.deployer.deploy("f", wat.guest(imports=CALL), Settings())
    module = worker.sandbox.modules.get(version.artifact.image)
    first = await _invoke(worker, "f")
    assert module.first_slice is not None
    module.first_slice = None
    assert _shown(first) == _shown(await _invoke(worker, "f"))


def test_without_the_library_there_is_no_first_slice() -> None:
    """Where edge was installed without a C compiler, guests start on fibers."""
    assert LIBRARY.exists()
    assert FirstSlice.load(0, 0, 0, LIBRARY.with_name("absent.so")) is None


async def _invoke(worker: Worker, name: str) -> Result:
    return await worker.invoker.invoke(Event(name, {"n": 1}, "request"))


def _shown(result: Result) -> tuple[object, ...]:
    usage = result.usage
    lines = [line.message for line in result.log]
    figures = (usage.fuel, usage.billed_ms, usage.memory_peak_bytes, usage.bytes_out)
    return (result.outcome, result.value, result.failure, lines, figures)
