"""A Python component as componentize-py makes it: its whole standard library on our WASI."""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.config import load
from edge.model.event import Event
from edge.model.function import Settings
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.worker import Worker, open_worker

pytest.importorskip("componentize_py")

ROOT = Path(__file__).resolve().parents[3]
SOURCE = Path(__file__).with_name("python_guest.py")
WIT = ROOT / "sdk" / "wit" / "edge.wit"
LIMITS = Limits(timeout_ms=2_000, memory_mb=64)
FUEL_PER_MS = 1_000_000
"""A fifth of the usual: a loop is out of fuel well before its deadline, on a busy machine too."""


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    """One worker's objects in this process, without doors."""
    settings = {"data": tmp_path / "data", "build_timeout_s": 60, "fuel_per_ms": FUEL_PER_MS}
    async with open_worker(load(settings), 0) as opened:
        yield opened


@pytest.fixture(scope="module")
def module() -> bytes:
    """The component of `python_guest.py`, built once for each content of it."""
    version = importlib.metadata.version("componentize-py")
    inputs = version.encode() + SOURCE.read_bytes() + WIT.read_bytes()
    cache = Path(os.environ.get("EDGE_TEST_CACHE", Path.home() / ".cache" / "edge-guests"))
    built = cache / f"python-{hashlib.sha256(inputs).hexdigest()[:20]}.wasm"
    if not built.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            output = Path(scratch, "guest.wasm")
            tool = str(Path(sys.executable).with_name("componentize-py"))
            command = [tool, "-d", str(WIT), "-w", "function"]
            command += ["componentize", SOURCE.stem, "-p", str(SOURCE.parent), "-o", str(output)]
            subprocess.run(command, cwd=scratch, check=True, capture_output=True, timeout=120)
            output.replace(built)
    return built.read_bytes()


# Each case, and what it must come to: a value, or the name of the error.
CASES: dict[str, tuple[Outcome, object]] = {
    "hello": (Outcome.OK, "hello"),
    "files": (Outcome.OK, ["hi", ["d", "f"], 2]),
    "outside": (Outcome.GUEST_ERROR, "FileNotFoundError"),
    "upwards": (Outcome.GUEST_ERROR, "PermissionError"),
    "fill": (Outcome.GUEST_ERROR, "OSError"),
    "sockets": (Outcome.GUEST_ERROR, "PermissionError"),
    "memory": (Outcome.OUT_OF_MEMORY, "MemoryError"),
    "loop": (Outcome.CPU_EXCEEDED, "CpuExceeded"),
    "sleep": (Outcome.OK, "slept"),
    "oversleep": (Outcome.TIMEOUT, "Timeout"),
    "exit": (Outcome.GUEST_ERROR, "Exit"),
    "raise": (Outcome.GUEST_ERROR, "ValueError"),
    "environment": (Outcome.OK, {"GREETING": "hi"}),
    "storm": (Outcome.OK, 2_000),
}


async def test_every_case(worker: Worker, module: bytes) -> None:
    """Files, sockets, memory, time, exit and errors of a real Python, each as it must end."""
    settings = Settings(limits=LIMITS, environment=(("GREETING", "hi"),))
    await worker.deployer.deploy("f", module, settings)
    endings = {}
    for case in CASES:
        result = await worker.invoker.invoke(Event("f", {"case": case}, "r"))
        endings[case] = (result.outcome, _content(result))
    assert endings == CASES
    assert worker.sandbox.live == 0


async def test_randomness_is_fresh(worker: Worker, module: bytes) -> None:
    """Guests that waited ready draw different bytes, and print to the log."""
    await worker.deployer.deploy("f", module, Settings(limits=LIMITS))
    drawn = set()
    for _ in range(5):
        result = await worker.invoker.invoke(Event("f", {"case": "random"}, "r"))
        drawn.add(result.value)
        assert [line.message for line in result.log] == ["drawn"]
    assert len(drawn) == 5


def _content(result: Result) -> object:
    return result.value if result.failure is None else result.failure.type
