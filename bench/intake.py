"""Async events that one worker accepts a second, each on disk before its 202, while it runs them.

They come through the data plane by its header, and through Lambda's own Invoke on the control
plane. How many share a commit depends on how many come at once; the disk says how long one takes.

Neighbours: `load.py` makes the load; `async_events.py` asks whether any event is lost.
"""

from statistics import median

from bench.line import Line
from bench.load import Load, Post, saturate
from bench.process import SERVER_CORE, load_cores
from bench.server import Server
from tests import wat

EVENTS_PER_S_MIN = 1_500
CONNECTIONS = 64
SECONDS = 2
ROUNDS = 3
_BODY = b'{"order": 4711, "items": [{"sku": "a-1", "count": 2}], "note": "of usual size"}'
_POST = Post(_BODY, {"x-edge-invocation-type": "Event", "x-amz-invocation-type": "Event"})


async def measure() -> list[Line]:
    """One line for each plane."""
    with Server({SERVER_CORE}) as server:
        data_url = server.deploy("taken", wat.HELLO)
        control_url = f"{server.control_url}/2015-03-31/functions/taken/invocations"
        rounds = [(_load(data_url), _load(control_url)) for _ in range(ROUNDS)]
    data, control = zip(*rounds, strict=True)
    return [
        _line("async events accepted, data plane", data),
        _line("  by Lambda's Invoke, control plane", control),
    ]


def _load(url: str) -> Load:
    return saturate(url, load_cores(), seconds=SECONDS, connections=CONNECTIONS, post=_POST)


def _line(name: str, loads: tuple[Load, ...]) -> Line:
    rate = median(load.requests_per_s for load in loads)
    p50_ms, p99_ms = (median(getattr(load, key) for load in loads) for key in ("p50_ms", "p99_ms"))
    return Line(
        name,
        rate,
        "events/s",
        bound=f"≥ {EVENTS_PER_S_MIN:,}",
        met=rate >= EVENTS_PER_S_MIN,
        note=f"{CONNECTIONS} connections; answered in {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms",
    )
