"""The benchmarks there are, by name, in the order of the table.

Neighbours: `__main__.py` runs each in a process of its own, by `run`.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from bench import (
    authorisation,
    bodies,
    components,
    crowds,
    deploys,
    door,
    idle,
    intake,
    invocation,
    languages,
    loops,
    priming,
    restore,
    shares,
    sleepers,
    workers,
)
from bench.line import Line

Measure = Callable[[], Awaitable[list[Line]]]

SUITE: dict[str, Measure] = {
    "restore": restore.measure,
    "invocation": invocation.measure,
    "languages": languages.measure,
    "components": components.measure,
    "priming": priming.measure,
    "deploys": deploys.measure,
    "door": door.measure,
    "bodies": bodies.measure,
    "crowds": crowds.measure,
    "authorisation": authorisation.measure,
    "workers": workers.measure,
    "intake": intake.measure,
    "sleepers": sleepers.measure,
    "loops": loops.measure,
    "shares": shares.measure,
    "idle": idle.measure,
}


def run(name: str) -> list[Line]:
    """Measure one benchmark in this process, on the loop a worker uses."""
    from edge.worker import new_event_loop

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(SUITE[name]())


if __name__ == "__main__":
    print(json.dumps([asdict(line) for line in run(sys.argv[1])]))
