"""HTTP: requests per second with a fresh sandbox for each, beside servers that have nothing to do.

One server at a time is asked, all on one core, the generator on another; all of them in turns, in
several rounds, of which medians count. What is asked for is edge as it is served, against Hypercorn
with a constant; the others show how far there is to go.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench import peers
from bench.app import FUNCTION
from bench.guests import sample
from bench.line import Line, absent
from bench.load import CONNECTIONS, Load, generator_name, saturate
from bench.process import SERVER_CORE, load_cores
from bench.server import Server

RATIO_MIN = 0.75
ROUNDS = 3
COMPARED_SECONDS = 2
PEER_SECONDS = 1
EDGE = "edge serve, fresh sandbox"
BASELINE = "Hypercorn, constant"
PEERS = (
    ("hypercorn", "constant", BASELINE),
    ("hypercorn", "edge", "Hypercorn, fresh sandbox (--set door=hypercorn)"),
    ("uvicorn", "constant", "uvicorn + httptools, constant"),
    ("uvicorn", "edge", "uvicorn + httptools, fresh sandbox"),
    ("granian", "constant", "Granian, constant"),
    ("granian", "edge", "Granian, fresh sandbox"),
    ("workerd", "constant", "workerd, constant, one shared isolate"),
)


@dataclass(frozen=True, slots=True)
class Door:
    """Something that answers at `url`."""

    name: str
    url: str
    seconds: int


async def measure() -> list[Line]:
    """edge and its baseline, then the others that are installed."""
    gone = {server: why for server, _, _ in PEERS if (why := peers.missing(server))}
    with ExitStack() as stack:
        server = stack.enter_context(Server({SERVER_CORE}))
        url = server.deploy(FUNCTION, sample(FUNCTION), memoryMb=64)
        doors = [Door(EDGE, url, COMPARED_SECONDS)]
        for kind, app, name in PEERS:
            if kind not in gone:
                url = stack.enter_context(peers.running(kind, app, {SERVER_CORE}))
                compared = name == BASELINE
                doors.append(Door(name, url, COMPARED_SECONDS if compared else PEER_SECONDS))
        loads = ask_in_turns(doors)
    lines = [_line(name, loads[name], loads[BASELINE]) for name in loads]
    return lines + [absent(f"  {name}", gone[kind]) for kind, _, name in PEERS if kind in gone]


def ask_in_turns(doors: list[Door]) -> dict[str, Load]:
    """The load each door took, the median of its rounds, after a first one that does not count."""
    for door in doors:
        saturate(door.url, load_cores(), seconds=1)
    seen: dict[str, list[Load]] = {door.name: [] for door in doors}
    for _ in range(ROUNDS):
        for door in doors:
            seen[door.name].append(saturate(door.url, load_cores(), seconds=door.seconds))
    return {name: middle(loads) for name, loads in seen.items()}


def middle(loads: list[Load]) -> Load:
    """The median of each figure."""
    return Load(
        median(load.requests_per_s for load in loads),
        median(load.p50_ms for load in loads),
        median(load.p99_ms for load in loads),
        median(load.generator_cpu_s for load in loads),
    )


def _line(name: str, load: Load, baseline: Load) -> Line:
    ratio = load.requests_per_s / baseline.requests_per_s
    judged = name == EDGE
    return Line(
        f"HTTP, one core: {name}" if judged else f"  {name}",
        load.p50_ms,
        "ms",
        load.p99_ms,
        ratio=ratio,
        against="Hypercorn",
        bound=f"≥ {RATIO_MIN} × {BASELINE}" if judged else "",
        met=ratio >= RATIO_MIN if judged else None,
        note=f"{load.requests_per_s:,.0f} req/s"
        + (f" ({generator_name()}, {CONNECTIONS} connections)" if judged else ""),
    )
