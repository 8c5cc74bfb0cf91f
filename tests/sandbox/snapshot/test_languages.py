"""Real toolchains: what their guests set up at initialisation is there in the snapshot."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.model.errors import SnapshotRefused
from edge.sandbox.snapshot.image import PAGE_BYTES
from tests.sandbox.snapshot.guests import Guest, answers, snapshot
from tests.toolchain import (
    FREESTANDING_FLAGS,
    REACTOR_FLAGS,
    build_guest,
    build_source,
    guest_names,
)

SOURCES = Path(__file__).parent / "sources"
MIB = 1024 * 1024
GO_BUILD_TIMEOUT_S = 110
WASI_FLAGS = ("-target", "wasm32-wasi", "-O2")
ABI_GUESTS = ("counter", "echo", "hello", "primes", "proxy", "text", "tiny")


def test_c_with_a_large_table() -> None:
    """8 MB built at initialisation are in the image, and each instance starts from them."""
    module = build_source(SOURCES / "table.c").read_bytes()
    taken = snapshot(module)
    assert taken.image_bytes > 8 * MIB
    assert taken.warnings == ()
    assert [line.text for line in taken.log] == [f"{2 * MIB} entries"]
    found = answers(module, taken, [b"0", b"77", b"2097151"])
    # The counter says 1 each time: no instance sees another's calls.
    assert [answer.split()[1] for answer in found] == [b"1"] * 3
    assert len(set(found)) == 3


def test_cpp_static_constructors() -> None:
    """Maps, strings and virtual tables made by constructors work, and are made once."""
    flags = (*WASI_FLAGS, "-mexec-model=reactor", "-fno-exceptions", "-lc++")
    module = build_source(SOURCES / "constructors.cpp", flags).read_bytes()
    found = answers(module, snapshot(module), [b"key8", b"key4999", b"absent"])
    assert found == [b"number 8 of 5001", b"twice 9998 of 5001", b"none of 5001"]


def test_c_linked_as_a_command_is_refused() -> None:
    """wasm-ld's wrappers would run the constructors again at each call; the reason says so."""
    with pytest.raises(SnapshotRefused, match="linked as a command"):
        snapshot(build_source(SOURCES / "command.c", FREESTANDING_FLAGS).read_bytes())
    taken = snapshot(build_source(SOURCES / "command.c", REACTOR_FLAGS).read_bytes())
    assert Guest(taken.module).handle(b"x") == b"\x01"


@pytest.mark.skipif(shutil.which("go") is None, reason="needs the go toolchain")
def test_stock_go(tmp_path: Path) -> None:
    """Go's runtime, its heap and its goroutines survive, and its clock does not run backwards."""
    output = tmp_path / "guest.wasm"
    command = ["go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", str(output), "."]
    environment = {**os.environ, "GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-mod=mod"}
    subprocess.run(
        command, cwd=SOURCES / "go", env=environment, check=True, timeout=GO_BUILD_TIMEOUT_S
    )
    module = output.read_bytes()
    taken = snapshot(module)
    assert any("entropy" in warning for warning in taken.warnings)
    assert [line.text for line in taken.log] == ["ready"]
    for event, number in ((b"find key123 please", 123), (b"key9999", 9999)):
        answer = json.loads(Guest(taken.module).handle(event))
        assert answer == {"key": f"key{number}", "number": number, "size": 10_000, "later": True}


@pytest.mark.parametrize("name", ABI_GUESTS)
def test_sample_guests(name: str) -> None:
    """Each sample that is no command can be snapshotted, and its memory begins where init ended."""
    assert name in guest_names()
    module = build_guest(name).read_bytes()
    taken = snapshot(module)
    plain, restored = Guest(module).initialise(), Guest(taken.module).initialise()
    assert plain.bytes_of() == restored.bytes_of()
    assert taken.image_bytes < len(plain.bytes_of()) + PAGE_BYTES
