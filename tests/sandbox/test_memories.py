"""Memories of our own: each guest finds its image, and nothing that another guest left."""

import gc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import wasmtime

from edge.model.event import Event
from edge.model.function import Settings
from edge.model.limits import MIB
from edge.model.outcome import Outcome
from edge.sandbox.engine import Engine, plan_pool
from edge.sandbox.memories import LIBRARY, Images, Kept, Memories, encode_images
from edge.sandbox.modules import memories_path
from edge.sandbox.snapshot.strip import MemoryContent, take_memories
from edge.worker import Worker
from tests import wat

PAGE = 64 * 1024
MODULE = '(module (memory (export "memory") {pages}) {data})'
BEGIN, COUNT, STEP = 1 << 20, 700, 4096
# Writes more pages than are kept, finds each as its image has it, and grows.
SCRIBBLER = wat.guest(
    f"""(local $at i32)
    (local.set $at (i32.const {BEGIN}))
    (loop $each
      (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 7)) (then unreachable))
      (if (i32.load8_u offset=9 (local.get $at)) (then unreachable))
      (i64.store8 (local.get $at) (i64.const 9))
      (i64.store8 offset=9 (local.get $at) (i64.const 9))
      (local.set $at (i32.add (local.get $at) (i32.const {STEP})))
      (br_if $each (i32.lt_u (local.get $at) (i32.const {BEGIN + COUNT * STEP}))))
    (local.set $at (i32.shl (memory.grow (i32.const 3)) (i32.const 16)))
    (if (i32.load (local.get $at)) (then unreachable))
    (i32.store (local.get $at) (i32.const -1))
    {wat.POINT}""",
    pages=64,
    more="\n".join(f'(data (i32.const {BEGIN + page * STEP}) "\\07")' for page in range(COUNT)),
)
Start = Callable[..., tuple[wasmtime.Store, wasmtime.Memory]]


@pytest.fixture
def engine() -> Engine:
    """An engine with one slot, where this machine can have memories of its own."""
    made = Engine(replace(plan_pool(8, 128 * MIB), slots=1, memories_per_slot=1))
    if made.memories is None:
        pytest.skip("the kernel does not tell what was written")
    return made


@pytest.fixture
def start(engine: Engine, tmp_path: Path) -> Start:
    """Start a module over an image that begins with some bytes."""
    return starter(engine, tmp_path)


def starter(engine: Engine, tmp_path: Path) -> Start:
    """The same in an engine of one's own."""
    opened: dict[tuple[bytes, int], Images] = {}

    def begin(content: bytes, pages: int = 2) -> tuple[wasmtime.Store, wasmtime.Memory]:
        gc.collect()  # an instance ends with its store
        assert engine.memories is not None
        images = opened.get((content, pages))
        if images is None:
            path = tmp_path / f"{len(opened)}.memories"
            path.write_bytes(encode_images([MemoryContent(pages * PAGE, content)]))
            images = opened[content, pages] = engine.memories.open_images(path)
        module = wasmtime.Module(engine.wasmtime, MODULE.format(pages=pages, data=""))
        images.use()
        store = wasmtime.Store(engine.wasmtime)
        store.set_fuel(1_000_000)
        memory = wasmtime.Instance(store, module, []).exports(store)["memory"]
        assert isinstance(memory, wasmtime.Memory)
        return store, memory

    return begin


async def test_each_guest_finds_its_image(worker: Worker) -> None:
    """Whatever those before it wrote, kept or not, and however far they grew."""
    await worker.deployer.deploy("f", SCRIBBLER, Settings())
    for _ in range(12):
        result = await worker.invoker.invoke(Event("f", {}, "r"))
        assert result.outcome is Outcome.OK, result.failure


def _harm(path: Path, harm: str) -> None:
    if harm == "removed":
        path.unlink()
        Path(f"{path}.sha256").unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"\0")


@pytest.mark.parametrize("harm", ["removed", "damaged"])
async def test_an_image_that_is_not_whole_is_made_again(worker: Worker, harm: str) -> None:
    """The function answers, from a memory that is as it was."""
    if worker.sandbox.engine.memories is None:
        pytest.skip("the kernel does not tell what was written")
    version = await worker.deployer.deploy("f", SCRIBBLER, Settings())
    image = version.artifact.image
    path = memories_path(worker.sandbox.modules.path(image))
    content = path.read_bytes()
    _harm(path, harm)
    worker.sandbox.modules.forget(image)
    result = await worker.invoker.invoke(Event("f", {}, "r"))
    assert result.outcome is Outcome.OK
    assert path.read_bytes() == content


def test_what_is_written_twice_is_kept(engine: Engine, start: Start) -> None:
    """Such pages stay mapped between guests, with the image's bytes in them."""
    assert engine.memories is not None
    for round_ in range(4):
        store, memory = start(b"image", pages=4)
        assert bytes(memory.read(store, 0, 6)) == b"image\0"
        memory.write(store, b"x" * 5_000, 0)
        memory.write(store, bytes([round_]) * 10, 3 * PAGE)
        del store, memory
    gc.collect()
    assert engine.memories.kept_bytes == 3 * 4096
    store, memory = start(b"image", pages=4)
    assert bytes(memory.read(store, 0, 4 * PAGE)) == b"image".ljust(4 * PAGE, b"\0")


def test_what_is_seldom_written_is_not_kept(engine: Engine, start: Start) -> None:
    """A page that two guests wrote, and hundreds did not, is given back."""
    assert engine.memories is not None
    for round_ in range(280):
        store, memory = start(b"image", pages=4)
        memory.write(store, b"often", 0)
        if round_ < 2:
            memory.write(store, b"seldom", PAGE)
        assert memory.read(store, PAGE + 6, PAGE + 7) == b"\0"
        del store, memory
        gc.collect()
        if round_ == 2:
            assert engine.memories.kept_bytes == 2 * 4096
    assert engine.memories.kept_bytes == 4096


def test_a_slot_changes_hands(start: Start) -> None:
    """The next image's guest sees that image, shorter or longer, and nothing of the last one's."""
    for content, pages in ((b"one", 4), (b"", 1), (b"two" * 9_000, 2), (b"one", 4), (b"", 9)):
        store, memory = start(content, pages)
        whole = bytes(memory.read(store, 0, pages * PAGE))
        assert whole == content.ljust(pages * PAGE, b"\0")
        memory.write(store, b"\xff" * len(whole), 0)
        memory.grow(store, 2)
        memory.write(store, b"\xff" * 2 * PAGE, len(whole))
        del store, memory


def test_a_file_that_is_gone_is_copied(start: Start, tmp_path: Path) -> None:
    """Also where no descriptor is free: guests are started from what is mapped already."""
    start(b"image", pages=2)
    (tmp_path / "0.memories").unlink()
    for round_ in range(3):
        start(b"other", pages=3)  # takes the slot
        store, memory = start(b"image", pages=2)
        assert bytes(memory.read(store, 0, 2 * PAGE)) == b"image".ljust(2 * PAGE, b"\0"), round_
        memory.write(store, b"\xff" * 2 * PAGE, 0)
        memory.grow(store, 1)
        del store, memory


def test_who_keeps_most_lets_go(tmp_path: Path) -> None:
    """Of what may be kept in all, one image's guests leave some to those of another."""
    plan = replace(plan_pool(8, 128 * MIB), slots=8, memories_per_slot=1)
    engine = Engine(plan, Kept(8 * 4096))
    if engine.memories is None:
        pytest.skip("the kernel does not tell what was written")
    start = starter(engine, tmp_path)
    for _ in range(3):
        stores = [start(b"greedy", pages=3) for _ in range(6)]
        for store, memory in stores:
            memory.write(store, b"x" * 2 * 4096, 0)
        del stores, store, memory
        gc.collect()
    assert engine.memories.kept_bytes == 8 * 4096
    for _ in range(3):
        store, memory = start(b"modest", pages=1)
        memory.write(store, b"x", 0)
        del store, memory
        gc.collect()
    assert engine.memories.kept_bytes <= 8 * 4096
    store, memory = start(b"modest", pages=1)
    memory.write(store, b"x", 0)
    del store, memory
    gc.collect()
    assert engine.memories.kept_bytes == 6 * 4096 + 4096


def test_what_was_grown_is_gone(start: Start) -> None:
    """The next guest begins with the image's size, and grows into zeros."""
    for _ in range(3):
        store, memory = start(b"a", pages=1)
        assert memory.data_len(store) == PAGE
        memory.grow(store, 5)
        assert not any(memory.read(store, PAGE, 6 * PAGE))
        memory.write(store, b"b" * 5 * PAGE, PAGE)
        del store, memory


def test_no_more_guests_than_slots(start: Start) -> None:
    """One too many is refused, and does not disturb the one that is there."""
    store, memory = start(b"a")
    with pytest.raises(wasmtime.WasmtimeError, match="no memory is free"):
        start(b"a")
    assert bytes(memory.read(store, 0, 2)) == b"a\0"


def test_without_the_library_the_pool_serves() -> None:
    """Where edge was installed without a C compiler."""
    assert Memories.open(1, 4 << 30, 1 << 20, path=LIBRARY.with_name("absent.so")) is None


@pytest.mark.parametrize(
    ("data", "taken"),
    [
        ("", b""),
        ('(data (i32.const 3) "abc") (data (i32.const 5) "x")', b"\0\0\0abx"),
        ('(data (i32.const 0x1fffe) "ab")', bytes(0x1FFFE) + b"ab"),
        ('(data "passive") (data (i32.const 1) "y")', b"\0y"),
    ],
)
def test_what_is_taken_is_what_was_there(data: str, taken: bytes) -> None:
    """The memory a module starts with is the bytes taken, and over those it has none of its own."""
    module = bytes(wasmtime.wat2wasm(MODULE.format(pages=2, data=data)))
    stripped, images = take_memories(module)
    assert images == (MemoryContent(2 * PAGE, taken),)
    for code, expected in ((module, taken), (stripped, b"")):
        engine = wasmtime.Engine()
        store = wasmtime.Store(engine)
        exports = wasmtime.Instance(store, wasmtime.Module(engine, code), []).exports(store)
        found = exports["memory"]
        assert isinstance(found, wasmtime.Memory)
        assert bytes(found.read(store, 0, 2 * PAGE)) == expected.ljust(2 * PAGE, b"\0")


def test_what_cannot_be_taken_stays() -> None:
    """Data that does not fit, and so traps at the start, does so still."""
    module = bytes(wasmtime.wat2wasm(MODULE.format(pages=1, data='(data (i32.const 65535) "ab")')))
    assert take_memories(module) == (module, (MemoryContent(PAGE, b""),))


async def test_what_stays_whole_runs(worker: Worker) -> None:
    """Where data goes to is computed: Wasmtime copies it into each guest's memory."""
    module = wat.guest(
        f"""(if (i32.ne (i32.load8_u (i32.const {BEGIN})) (i32.const 7)) (then unreachable))
        (i32.store8 (i32.const {BEGIN}) (i32.const 8))
        {wat.POINT}""",
        pages=64,
        more=f'(data (offset (i32.add (i32.const {BEGIN}) (i32.const 0))) "\\07")',
    )
    assert take_memories(module)[0] == module
    await worker.deployer.deploy("f", module, Settings())
    for _ in range(3):
        result = await worker.invoker.invoke(Event("f", {}, "r"))
        assert result.outcome is Outcome.OK, result.failure


def test_what_is_too_far_away_stays() -> None:
    """A file would hold all the zeros before it."""
    text = MODULE.format(pages=2_000, data='(data (i32.const 0x7000000) "ab")')
    module = bytes(wasmtime.wat2wasm(text))
    assert take_memories(module) == (module, (MemoryContent(2_000 * PAGE, b""),))


def test_what_is_sparse_stays() -> None:
    """A byte at the end of many zeros costs a byte."""
    text = MODULE.format(pages=400, data='(data (i32.const 0x1800000) "ab")')
    module = bytes(wasmtime.wat2wasm(text))
    assert take_memories(module) == (module, (MemoryContent(400 * PAGE, b""),))


def test_what_is_not_understood_stays() -> None:
    """A module that no snapshot is taken of is deployed all the same, whole."""
    for module in (b"\0asm\x01\0\0\0\x3f\0", b"\0asm\x0d\0\1\0\1\x7f"):
        assert take_memories(module) == (module, ())
