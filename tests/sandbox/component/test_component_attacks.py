"""Hostile components: each ends in its own outcome, and the worker goes on as before."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator

import pytest

from edge.model.errors import InvalidModule
from edge.model.event import Event
from edge.model.function import Settings
from edge.model.limits import MIB, Limits
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.worker import Worker
from tests.components import (
    ANSWER,
    CONFUSED,
    EXIT,
    HELLO,
    HOST,
    LOOP,
    LYING,
    RANDOM,
    SLEEP,
    SOCKET,
    STDOUT,
    component,
    sleeper,
)

LIMITS = Limits(timeout_ms=300, memory_mb=8)
PATIENCE_S = 10.0
PAGES = LIMITS.memory_mb * MIB // 65_536
FOREVER = "(loop {} (br 0))"
WRITE = "(call $write (call $stdout) (i32.const 0) (i32.const {}) (i32.const 512))"
BIG_LINE = WRITE.format(1 << 16)

FILLS_A_TABLE = "sleep_again_and_again"
"""Traps when no handle is left, if that comes before its deadline: not on a busy machine."""

# What each guest does, with what, and how it must end.
ATTACKS = {
    "sleep_past_the_deadline": (sleeper(3_600), Outcome.TIMEOUT, "Timeout"),
    "sleep_for_ages": (
        component("(call $block (call $subscribe (i64.const -1)))", SLEEP),
        Outcome.TIMEOUT,
        "Timeout",
    ),
    "sleep_again_and_again": (
        component(FOREVER.format("(call $block (call $subscribe (i64.const 1)))"), SLEEP),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "loop": (LOOP, Outcome.CPU_EXCEEDED, "CpuExceeded"),
    "recurse": (
        component("(call $down)", more="(func $down (call $down) (call $down))"),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "unreachable": (component("unreachable"), Outcome.GUEST_TRAP, "Trap"),
    "grow_to_the_limit": (
        component(
            "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))"
            f"(if (i32.ne (memory.size) (i32.const {PAGES})) (then unreachable))"
        ),
        Outcome.OK,
        "",
    ),
    "say_so_when_memory_is_out": (
        component(
            WRITE.format(42).replace("(i32.const 0)", "(i32.const 2048)", 1) + " unreachable",
            STDOUT,
            more='(data (i32.const 2048) "memory allocation of 1048576 bytes failed\\n")',
        ),
        Outcome.OUT_OF_MEMORY,
        "OutOfMemory",
    ),
    "a_megabyte_of_log": (
        component(
            f"(local.set $a (i32.const 16)) (loop {BIG_LINE}"
            "(br_if 0 (local.tee $a (i32.sub (local.get $a) (i32.const 1)))))",
            STDOUT,
        ),
        Outcome.OK,
        "",
    ),
    "log_forever": (component(FOREVER.format(BIG_LINE), STDOUT), Outcome.TIMEOUT, ""),
    "log_lines_forever": (
        component(FOREVER.format("(call $log (i32.const 2) (i32.const 0) (i32.const 64))"), HOST),
        Outcome.CPU_EXCEEDED,
        "CpuExceeded",
    ),
    "call_garbage_forever": (
        component(FOREVER.format("(call $call (i32.const 0) (i32.const 9) (i32.const 512))"), HOST),
        Outcome.CPU_EXCEEDED,
        "",
    ),
    "a_socket_is_refused": (
        component(
            "(call $socket (i32.const 0) (i32.const 512))"
            # An error, and it is access-denied.
            "(if (i32.ne (i32.load8_u (i32.const 512)) (i32.const 1)) (then unreachable))"
            "(if (i32.ne (i32.load8_u (i32.const 516)) (i32.const 1)) (then unreachable))",
            SOCKET,
        ),
        Outcome.OK,
        "",
    ),
    "ask_for_nothing_forever": (
        component(
            FOREVER.format("(drop (call $stdout)) (global.set $n (i32.const 1))"),
            STDOUT,
            more="(global $n (mut i32) (i32.const 0))",
        ),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "draw_nothing_forever": (
        component(FOREVER.format("(call $random (i64.const 0) (i32.const 512))"), RANDOM),
        Outcome.CPU_EXCEEDED,
        "CpuExceeded",
    ),
    "exit_in_the_middle": (
        component("(call $exit (i32.const 1))", EXIT),
        Outcome.GUEST_ERROR,
        "Exit",
    ),
    "exit_as_if_all_were_well": (
        component("(call $exit (i32.const 0))", EXIT),
        Outcome.GUEST_ERROR,
        "Exit",
    ),
    "exit_while_starting": (
        component("", EXIT, start="(call $exit (i32.const 0))"),
        Outcome.GUEST_ERROR,
        "Exit",
    ),
    "hoard_handles": (
        component(FOREVER.format("(drop (call $subscribe (i64.const 1)))"), SLEEP),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "poll_nothing": (
        component("(call $poll (i32.const 0) (i32.const 0) (i32.const 512))", SLEEP),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "a_handle_of_nothing": (
        component("(call $block (i32.const 7))", SLEEP),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "all_the_randomness_there_is": (
        component("(call $random (i64.const -1) (i32.const 512))", RANDOM),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "a_negative_length": (
        component("(call $random (i64.const -9999999) (i32.const 512))", LYING),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "resources_of_two_kinds": (
        component("(call $block (call $subscribe (i64.const 1)))", CONFUSED),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "an_answer_out_of_bounds": (
        component(
            "(i32.store (i32.const 0) (i32.const -9)) (i32.store (i32.const 4) (i32.const 100))"
            "(return (i32.const 0))"
        ),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "an_answer_that_is_no_text": (
        component("(i32.store8 (i32.const 1024) (i32.const 255))"),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "an_answer_too_large": (
        component(
            "(drop (memory.grow (i32.const 110)))"
            "(i32.store (i32.const 0) (i32.const 2048))"
            "(i32.store (i32.const 4) (i32.const 7000000)) (return (i32.const 0))"
        ),
        Outcome.GUEST_ERROR,
        "Function.ResponseSizeTooLarge",
    ),
    "two_megabytes_at_once": (
        component("(drop (memory.grow (i32.const 100)))" + WRITE.format(2 << 20), STDOUT),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "poll_a_crowd": (
        component(
            "(local.set $b (call $subscribe (i64.const 0)))"
            "(loop (i32.store (i32.add (i32.const 4096) (i32.mul (local.get $a) (i32.const 4)))"
            " (local.get $b)) (local.set $a (i32.add (local.get $a) (i32.const 1)))"
            " (br_if 0 (i32.lt_u (local.get $a) (i32.const 5000))))"
            "(call $poll (i32.const 4096) (i32.const 5000) (i32.const 512))",
            SLEEP,
        ),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
    "a_list_longer_than_memory": (
        component(WRITE.format(-1), STDOUT),
        Outcome.GUEST_TRAP,
        "Trap",
    ),
}


@pytest.fixture
async def watched(worker: Worker) -> AsyncIterator[Worker]:
    """A worker with a good function, which still answers after the test."""
    await worker.deployer.deploy("hello", HELLO, Settings())
    yield worker
    assert (await worker.invoker.invoke(Event("hello", {}, "r"))).value == "hello"
    async with asyncio.timeout(PATIENCE_S):
        while worker.sandbox.live:  # large guests are closed in the background
            await asyncio.sleep(0.001)


async def ending(worker: Worker, module: bytes) -> Result:
    """Deploy and invoke; but for the one in the background, no thread is made for it."""
    await worker.deployer.deploy("f", module, Settings(limits=LIMITS))
    threads = threading.active_count()
    result = await worker.invoker.invoke(Event("f", {}, "r"))
    assert threading.active_count() <= threads + 1
    return result


@pytest.mark.parametrize("name", ATTACKS)
async def test_attack(watched: Worker, name: str) -> None:
    """It ends in the right outcome and harms nobody."""
    module, outcome, kind = ATTACKS[name]
    result = await ending(watched, module)
    allowed = {outcome, Outcome.CPU_EXCEEDED, Outcome.TIMEOUT}
    if outcome in (Outcome.CPU_EXCEEDED, Outcome.TIMEOUT) or name == FILLS_A_TABLE:
        assert result.outcome in allowed
    else:
        assert result.outcome is outcome, result.failure
        if kind:
            assert result.failure is not None
            assert result.failure.type == kind
    assert 0 < result.usage.fuel <= 2 * LIMITS.timeout_ms * 5_000_000


async def test_more_memory_than_its_limit(watched: Worker) -> None:
    """A component that cannot even start within its limit is refused at deploy."""
    module = component("", more="(memory $own 200)")
    with pytest.raises(InvalidModule, match="needs more memory"):
        await ending(watched, module)


GET = '{"op":"kv.get","key":"k"}'


async def test_a_guest_that_stalls_goes_to_the_background(watched: Worker) -> None:
    """Off the loop it sleeps, logs, calls the host, and ends as on it."""
    fill = "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 100000000))"
    busy = component(
        f"(drop (memory.grow (i32.const 1600))) {fill} {fill}"
        "(call $block (call $subscribe (i64.const 1000000)))"
        "(call $log (i32.const 2) (i32.const 1024) (i32.const 14))"
        f"(call $call (i32.const 4096) (i32.const {len(GET)}) (i32.const 512)) {fill}",
        SLEEP,
        HOST,
        more=f"(data (i32.const 4096) {json.dumps(GET)})",
    )
    settings = Settings(limits=Limits(timeout_ms=20_000, memory_mb=128))
    version = await watched.deployer.deploy("f", busy, settings)
    watched.sandbox.modules.get(version.artifact.image).stalls = True
    results = [await watched.invoker.invoke(Event("f", {}, "r")) for _ in range(2)]
    assert [result.value for result in results] == ["hello", "hello"]
    assert [line.message for line in results[1].log] == [ANSWER]
    assert results[1].usage.calls == {"kv.get": 1}


async def test_a_log_is_cut(watched: Worker) -> None:
    """Of a megabyte the bound is kept, and the owner is told that there was more."""
    result = await ending(watched, ATTACKS["a_megabyte_of_log"][0])
    assert sum(len(line.message) for line in result.log) < 300 * 1024
    assert "cut here" in result.log[-1].message


async def test_a_hundred_sleepers_hold_no_thread(watched: Worker) -> None:
    """They all sleep at once, on the threads there were."""
    await watched.deployer.deploy("f", sleeper(0.05), Settings())
    await watched.invoker.invoke(Event("f", {}, "r"))
    threads = threading.active_count()
    sleeping = [
        asyncio.create_task(watched.invoker.invoke(Event("f", {}, f"r{number}")))
        for number in range(100)
    ]
    await asyncio.sleep(0.02)
    assert threading.active_count() <= threads
    results = await asyncio.gather(*sleeping)
    assert {result.outcome for result in results} == {Outcome.OK}


async def test_a_storm_of_failures_stays_each_with_its_own(watched: Worker) -> None:
    """Guests that trap, exit and answer at once never get each other's ending."""
    kinds = {"trap": "unreachable", "exit": "exit_in_the_middle", "denied": "a_socket_is_refused"}
    for name, attack in kinds.items():
        await watched.deployer.deploy(name, ATTACKS[attack][0], Settings(limits=LIMITS))
    expected = {
        "trap": Outcome.GUEST_TRAP,
        "exit": Outcome.GUEST_ERROR,
        "denied": Outcome.OK,
        "hello": Outcome.OK,
    }
    names = list(expected) * 50
    results = await asyncio.gather(
        *(watched.invoker.invoke(Event(name, {}, name)) for name in names)
    )
    assert [result.outcome for result in results] == [expected[name] for name in names]


async def test_callers_that_go_away_leave_nothing(watched: Worker) -> None:
    """A guest cancelled in its sleep is gone, with what it held."""
    await watched.deployer.deploy("f", sleeper(60), Settings(limits=Limits(timeout_ms=60_000)))
    tasks = [
        asyncio.create_task(watched.invoker.invoke(Event("f", {}, f"r{number}")))
        for number in range(50)
    ]
    await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)
