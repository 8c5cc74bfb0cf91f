"""The memories of components: each guest finds its own images, whoever starts beside it."""

import asyncio

import pytest
import wasmtime

from edge.model.event import Event
from edge.model.function import Settings
from edge.model.limits import MIB, Limits
from edge.model.outcome import Outcome
from edge.sandbox.snapshot.strip import MemoryContent, take_memories
from edge.worker import Worker

PAGE = 64 * 1024
LIMITS = Limits(timeout_ms=20_000, memory_mb=16)


def two_memories(tag: str, pages: int, turns: int = 300_000) -> bytes:
    """A component with memories of `pages` and of five. It computes for many slices between the
    making of one and of the other, writes to both, and answers with what each began with."""
    return bytes(
        wasmtime.wat2wasm(f"""
        (component
          (core module $First
            (memory (export "memory") {pages})
            (data (i32.const 70000) "{tag}")
            (func $turn (local $at i32)
              (loop $more
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $at) (i32.const {turns})))))
            (start $turn)
            (func (export "tag") (result i32)
              (i32.load (i32.const 70000))
              (i32.store (i32.const 70000) (i32.const -1))))
          (core instance $first (instantiate $First))
          (core module $Second
            (import "first" "tag" (func $tag (result i32)))
            (memory (export "memory") 5)
            (data (i32.const 1024) "{{\\22ok\\22:\\22----{tag}\\22}}")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
            (func (export "handle") (param i32 i32) (result i32)
              (i32.store (i32.const 1031) (call $tag))
              (drop (memory.grow (i32.const 2)))
              (memory.fill (i32.const 8192) (i32.const 255) (i32.const 400000))
              (i32.store (i32.const 0) (i32.const 1024))
              (i32.store (i32.const 4) (i32.const 17))
              (i32.const 0)))
          (core instance $second (instantiate $Second (with "first" (instance $first))))
          (func $handle (param "envelope" string) (result string)
            (canon lift (core func $second "handle") (memory (core memory $second "memory"))
              (realloc (core func $second "realloc"))))
          (export "handle" (func $handle)))
        """)
    )


@pytest.mark.parametrize("pages", [3, 5])
async def test_guests_that_start_beside_each_other_have_their_own(
    worker: Worker, pages: int
) -> None:
    """Between two memories of a guest those of others are made; sizes tell a guest's own apart, and
    where they do not, what they begin with stays in the component."""
    for tag in ("aaaa", "bbbb"):
        await worker.deployer.deploy(tag, two_memories(tag, pages), Settings(limits=LIMITS))
    for _ in range(3):
        tags = ("aaaa", "bbbb", "aaaa", "bbbb")
        results = await asyncio.gather(
            *(worker.invoker.invoke(Event(tag, None, "r")) for tag in tags)
        )
        assert [result.outcome for result in results] == [Outcome.OK] * 4, results[0].failure
        assert [result.value for result in results] == [tag * 2 for tag in tags]


async def test_its_memory_is_what_it_has(worker: Worker) -> None:
    """All of a component's memories count, and what they grew by."""
    if worker.sandbox.engine.memories is None:
        pytest.skip("the kernel does not tell what was written")
    await worker.deployer.deploy("f", two_memories("aaaa", 3), Settings(limits=LIMITS))
    result = await worker.invoker.invoke(Event("f", None, "r"))
    assert result.usage.memory_peak_bytes == (3 + 5 + 2) * PAGE < MIB


def test_what_is_taken_is_what_each_began_with() -> None:
    """Found in modules inside the component, one for each size."""
    component = two_memories("aaaa", 3)
    stripped, images = take_memories(component)
    assert len(stripped) < len(component)
    first, second = images
    assert first == MemoryContent(3 * PAGE, b"aaaa".rjust(70_004, b"\0"))
    assert (second.size_bytes, second.content[1024:]) == (5 * PAGE, b'{"ok":"----aaaa"}')
    assert take_memories(stripped)[1] == tuple(
        MemoryContent(image.size_bytes, b"") for image in images
    )


def test_memories_that_nobody_makes_cost_nothing() -> None:
    """A component may have modules that are never instantiated; it stays whole."""
    modules = "".join(f"(core module (memory {pages}))" for pages in range(60_000, 60_030))
    component = bytes(wasmtime.wat2wasm(f"(component {modules})"))
    assert take_memories(component) == (component, ())


def test_what_cannot_be_told_apart_stays() -> None:
    """Two memories of one size that begin differently."""
    component = two_memories("aaaa", 5)
    assert take_memories(component) == (component, ())
