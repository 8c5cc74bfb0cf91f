"""A fresh request to a component, in process: started for it, and found waiting.

Each engine's least handler, without an SDK, answers one event after the other.

Neighbours: `toolchains.py` builds the components; `languages.py` measures what the SDKs make.
"""

from typing import NamedTuple

from bench import starts, toolchains
from bench.line import Line, absent, spread
from bench.toolchains import PYTHON, QUICKJS, STARLING_MONKEY, Toolchain
from tests.components import HELLO


class Language(NamedTuple):
    """What is measured, and what was asked for in ms, without the pool."""

    name: str
    toolchain: Toolchain | None
    fresh_ms: float | None = None


LANGUAGES = (
    Language("by hand, 1 KB", None),
    Language("JavaScript (QuickJS)", QUICKJS),
    Language("fetch event (StarlingMonkey)", STARLING_MONKEY, 1.5),
    Language("Python", PYTHON),
)


async def measure() -> list[Line]:
    """Two lines for each."""
    lines = []
    for language in LANGUAGES:
        title = f"fresh request, {language.name}"
        why = toolchains.missing(language.toolchain) if language.toolchain else ""
        if why:
            lines.append(absent(title, why))
            continue
        module = toolchains.build(language.toolchain) if language.toolchain else HELLO
        fresh, ready = await starts.fresh(module), await starts.waiting(module)
        lines.append(_line(title, fresh, language.fresh_ms))
        lines.append(_line("  found waiting", ready, None))
    return lines


def _line(name: str, samples: list[float], bound_ms: float | None) -> Line:
    seen = spread(samples)
    if bound_ms is None:
        return Line(name, seen.p50, "ms", seen.p99)
    met = seen.p50 <= bound_ms
    return Line(name, seen.p50, "ms", seen.p99, bound=f"p50 ≤ {bound_ms} ms", met=met)
