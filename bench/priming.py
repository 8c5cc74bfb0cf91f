"""What priming saves: a router, a template engine and Markdown from PyPI, started for each request.

Neighbours: `guests/python/pages`, with the sample events that its manifest names; `starts.py`
measures.
"""

import tempfile
from pathlib import Path

from bench import starts
from bench.line import Line, absent, spread
from bench.machine import ROOT
from edge.build.project import Project
from edge.build.python import Python
from edge.cli.manifest import read_manifest
from edge.model.errors import MissingToolchain
from edge.model.prime import Prime

SAMPLE = ROOT / "guests" / "python" / "pages"
RATIO_MAX = 0.4
EVENT = {"rawPath": "/notes/2", "requestContext": {"http": {"method": "GET"}}}


async def measure() -> list[Line]:
    """The same request, unprimed and primed."""
    title = "fresh request, Jinja2 + Markdown + Werkzeug"
    (declared,) = read_manifest(SAMPLE / "edge.toml")
    try:
        plain = spread(await starts.fresh(_build(()), EVENT))
    except MissingToolchain as missing:
        return [absent(title, missing.message)]
    primed = spread(await starts.fresh(_build(declared.settings.primes), EVENT))
    ratio = primed.p50 / plain.p50
    return [
        Line(title, plain.p50, "ms", plain.p99),
        Line(
            "  primed",
            primed.p50,
            "ms",
            primed.p99,
            ratio=ratio,
            against="unprimed",
            bound=f"≤ {RATIO_MAX} ×",
            met=ratio <= RATIO_MAX,
        ),
    ]


def _build(primes: tuple[Prime, ...]) -> bytes:
    """The sample's component. Raises MissingToolchain, BuildFailed."""
    language = Python()
    language.check_toolchain()
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        output = Path(directory, "pages.wasm")
        language.compile(Project("pages", SAMPLE, SAMPLE, primes=primes), output)
        return output.read_bytes()
