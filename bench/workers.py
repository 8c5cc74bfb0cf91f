"""Two workers against one: requests per second for each second of CPU the host may use.

The load generator shares the machine's cores with the host, so on two cores two workers can never
have both to themselves. What is compared is therefore requests per CPU second of the host: if it
stays the same with two workers, they do not stand in each other's way, and a machine with cores to
spare serves twice as much. Requests per second as they came are in the note.

Each worker has the same number of connections: the more one has, the more of its answers leave
together (`front/door/outbox.py`), so that one worker with all of them would be quicker for that
alone. What two workers make of one's connections is in the note, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench import process
from bench.app import FUNCTION
from bench.guests import sample
from bench.line import Line
from bench.load import saturate
from bench.process import all_cores
from bench.server import Server

SPEEDUP_MIN = 1.8
ROUNDS = 7
SECONDS = 1
CONNECTIONS = 32
"""Of each worker."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second, and per CPU second of the host."""

    per_s: float
    per_cpu_s: float


async def measure() -> list[Line]:
    """One line: two workers, by CPU time and as they came."""
    with Server(all_cores()) as one, Server(all_cores(), workers=2) as two:
        cases = ((one, 1), (two, 2), (two, 1))  # and how many times the connections
        urls = [server.deploy(FUNCTION, sample(FUNCTION), memoryMb=64) for server, _ in cases]
        rounds = [
            [_rate(server, url, times) for (server, times), url in zip(cases, urls, strict=True)]
            for _ in range(ROUNDS)
        ]
    alone, both, _ = (_middle(rates) for rates in zip(*rounds, strict=True))
    # Within a round, since the machine's own pace changes from one to the next.
    speedup = median(_speedup(two, one) for one, two, _ in rounds)
    speedup_with_half = median(_speedup(half, one) for one, _, half in rounds)
    return [
        Line(
            "two workers, at equal CPU each",
            both.per_cpu_s,
            "req/CPU s",
            ratio=speedup,
            against="one worker",
            bound=f"≥ {SPEEDUP_MIN} × one",
            met=speedup >= SPEEDUP_MIN,
            note=f"as they came, generator on the same cores: {both.per_s:,.0f} req/s,"
            f" one {alone.per_s:,.0f}; with one's connections {speedup_with_half:.2f} ×",
        )
    ]


def _speedup(two: Rate, one: Rate) -> float:
    return 2 * two.per_cpu_s / one.per_cpu_s


def _middle(rates: Sequence[Rate]) -> Rate:
    return Rate(median(rate.per_s for rate in rates), median(rate.per_cpu_s for rate in rates))


def _rate(server: Server, url: str, times: int) -> Rate:
    pids = server.worker_pids()
    before = sum(process.cpu_s(pid) for pid in pids)
    load = saturate(url, all_cores(), seconds=SECONDS, connections=CONNECTIONS * times)
    used_s = sum(process.cpu_s(pid) for pid in pids) - before
    return Rate(load.requests_per_s, load.requests_per_s * SECONDS / used_s)
