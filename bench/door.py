"""HTTP: requests per second with a fresh sandbox for each, beside servers that have nothing to do.

One server at a time is asked, all on one core, the generator on another; all of them in turns, in
several rounds, of which medians count. Each of the others stands with how many times its requests
edge serves as it is served to users, and with what is asked for where something is.
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

P99_MS_MAX = 2.0
ROUNDS = 3
COMPARED_SECONDS = 2
PEER_SECONDS = 1
EDGE = "edge serve, fresh sandbox"
HYPERCORN = "Hypercorn, constant"
HYPERCORN_DOOR = "Hypercorn, fresh sandbox (--door hypercorn)"
UVICORN = "uvicorn + httptools, fresh sandbox"
WORKERD = "workerd, constant, one shared isolate"
RATIOS_MIN = {HYPERCORN: 0.75, HYPERCORN_DOOR: 4.0, UVICORN: 1.3, WORKERD: 1.2}
PEERS = (
    ("hypercorn", "constant", HYPERCORN),
    ("hypercorn", "edge", HYPERCORN_DOOR),
    ("uvicorn", "constant", "uvicorn + httptools, constant"),
    ("uvicorn", "edge", UVICORN),
    ("granian", "constant", "Granian, constant"),
    ("granian", "edge", "Granian, fresh sandbox"),
    ("workerd", "constant", WORKERD),
)


@dataclass(frozen=True, slots=True)
class Door:
    """Something that answers at `url`."""

    name: str
    url: str
    seconds: int


async def measure() -> list[Line]:
    """edge, then the others that are installed."""
    gone = {server: why for server, _, _ in PEERS if (why := peers.missing(server))}
    with ExitStack() as stack:
        server = stack.enter_context(Server({SERVER_CORE}))
        url = server.deploy(FUNCTION, sample(FUNCTION), memoryMb=64)
        doors = [Door(EDGE, url, COMPARED_SECONDS)]
        for kind, app, name in PEERS:
            if kind not in gone:
                url = stack.enter_context(peers.running(kind, app, {SERVER_CORE}))
                compared = name in RATIOS_MIN
                doors.append(Door(name, url, COMPARED_SECONDS if compared else PEER_SECONDS))
        loads = ask_in_turns(doors)
    ours = loads.pop(EDGE)
    lines = [_own(ours), *[_other(name, load, ours) for name, load in loads.items()]]
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


def _own(load: Load) -> Line:
    return Line(
        f"HTTP, one core: {EDGE}",
        load.p50_ms,
        "ms",
        load.p99_ms,
        bound=f"p99 ≤ {P99_MS_MAX:.0f} ms",
        met=load.p99_ms <= P99_MS_MAX,
        note=f"{load.requests_per_s:,.0f} req/s ({generator_name()}, {CONNECTIONS} connections)",
    )


def _other(name: str, load: Load, ours: Load) -> Line:
    ratio, least = ours.requests_per_s / load.requests_per_s, RATIOS_MIN.get(name)
    return Line(
        f"  {name}",
        load.p50_ms,
        "ms",
        load.p99_ms,
        ratio=ratio,
        against="edge over it",
        bound=f"≥ {least} ×" if least else "",
        met=ratio >= least if least else None,
        note=f"{load.requests_per_s:,.0f} req/s",
    )
