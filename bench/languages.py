"""A fresh request to `hello` of each language, as its SDK and `edge build` make it.

Started for each request, and for components also found waiting. Beside them: a process that starts
Python, and workerd, which answers over HTTP from one isolate that all its requests share.

Neighbours: `guests/LANGUAGE/hello`; `starts.py` measures; `components.py` has engines without SDKs.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

from bench import peers, starts
from bench.client import Connection, request_head
from bench.line import Line, absent, spread
from bench.machine import ROOT
from bench.process import all_cores
from edge.build.languages import language_named
from edge.build.project import Project
from edge.model.errors import MissingToolchain

PROCESS_STARTS = 20
PEER_REQUESTS = 2_000


class Row(NamedTuple):
    """A language, and what was asked for in ms: started for the request, and found waiting."""

    name: str
    fresh_ms: float
    waiting_ms: float | None = None


ROWS = (
    Row("c", 0.08),
    Row("zig", 0.08),
    Row("rust", 0.08),
    Row("assemblyscript", 0.08),
    Row("go", 0.08),
    Row("javascript", 0.6, 0.35),
    Row("python", 2.5, 1.2),
)


async def measure() -> list[Line]:
    """One or two lines for each language, and two of what stands beside them."""
    lines = []
    for row in ROWS:
        title = f"fresh request, {row.name}"
        try:
            module = _build(row.name)
        except MissingToolchain as missing:
            lines.append(absent(title, missing.message))
            continue
        lines.append(_line(title, await starts.fresh(module), row.fresh_ms))
        if row.waiting_ms is not None:
            lines.append(_line("  found waiting", await starts.waiting(module), row.waiting_ms))
    lines.append(_line("  beside `python -c ''`", _python_starts(), None))
    lines.append(await _workerd())
    return lines


def _build(name: str) -> bytes:
    """`hello` in a language. Raises MissingToolchain, BuildFailed."""
    language = language_named(name)
    assert language is not None, name
    language.check_toolchain()
    folder = ROOT / "guests" / name / "hello"
    source = language.find_source(folder)
    assert source is not None, folder
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        output = Path(directory, "hello.wasm")
        language.compile(Project("hello", source, folder), output)
        return output.read_bytes()


def _python_starts() -> list[float]:
    """Milliseconds of processes that start Python and do nothing."""
    samples = []
    for _ in range(PROCESS_STARTS):
        began = perf_counter_ns()
        subprocess.run([sys.executable, "-c", ""], check=True)
        samples.append((perf_counter_ns() - began) / 1e6)
    return samples


async def _workerd() -> Line:
    """Milliseconds of requests over one connection, one after the other."""
    title = "  beside workerd, over HTTP, in a shared isolate"
    if why := peers.missing("workerd"):
        return absent(title, why)
    samples = []
    with peers.running("workerd", "constant", all_cores()) as url:
        address, request = request_head(url)
        async with Connection(address) as connection:
            for _ in range(PEER_REQUESTS):
                began = perf_counter_ns()
                await connection.ask(request)
                samples.append((perf_counter_ns() - began) / 1e6)
    return _line(title, samples, None)


def _line(name: str, samples: list[float], bound_ms: float | None) -> Line:
    """Microseconds below a millisecond."""
    seen = spread(samples)
    scale, unit = (1_000, "µs") if seen.p50 < 1 else (1, "ms")
    if bound_ms is None:
        return Line(name, seen.p50 * scale, unit, seen.p99 * scale)
    bound = f"p50 ≤ {bound_ms} ms"
    met = seen.p50 <= bound_ms
    return Line(name, seen.p50 * scale, unit, seen.p99 * scale, bound=bound, met=met)
