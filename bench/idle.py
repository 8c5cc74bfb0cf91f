"""A thousand functions on one host: how long it takes to start, and what an idle one costs.

They are the same module with a number in it, so each has an image and a compiled file of its own.
They are deployed by the real deployer, but built in this process: a process for each build, which
is how a host does it, would take minutes. Memory is the worker's proportional share, after every
function was called once and let go again, against the same host before any was called.
"""

import asyncio
import tempfile
from pathlib import Path

from bench import process
from bench.client import Connection, request_head
from bench.guests import distinct, sample
from bench.line import Line
from bench.process import all_cores
from bench.server import Server
from edge.config import load
from edge.deploy.deployer import Deployer
from edge.model.function import Settings
from edge.model.limits import Limits
from edge.sandbox.build import BuildOrder, BuildReport, build
from edge.sandbox.builder import Builder
from edge.worker import open_worker

FUNCTIONS = 1_000
START_S_MAX = 3
IDLE_KIB_MAX = 60
IDLE_S = 4
INIT_FUEL = 1_000_000_000


class InsideBuilder(Builder):
    """Builds in this process, since it knows that its modules are harmless."""

    async def _run(self, order: BuildOrder) -> BuildReport:
        return build(order)


async def measure() -> list[Line]:
    """Start with a thousand functions; memory of each that is idle."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        data = Path(directory)
        await _deploy_all(data)
        settings = {"idle_unload_s": IDLE_S}
        with Server(all_cores(), settings=settings, data=data) as server:
            start_s = server.start_s
            await _call(server, range(2))
            before = process.pss_bytes(server.pid)
            await _call(server, range(FUNCTIONS))
            loaded = process.pss_bytes(server.pid)
            await asyncio.sleep(2 * IDLE_S)
            idle = process.pss_bytes(server.pid)
    each_kib = (idle - before) / FUNCTIONS / 1024
    loaded_kib = (loaded - before) / FUNCTIONS / 1024
    return [
        Line(
            f"start with {FUNCTIONS:,} functions",
            start_s,
            "s",
            bound=f"≤ {START_S_MAX} s",
            met=start_s <= START_S_MAX,
        ),
        Line(
            "  memory of an idle function",
            each_kib,
            "KiB",
            bound=f"≤ {IDLE_KIB_MAX} KiB",
            met=each_kib <= IDLE_KIB_MAX,
            note=f"{loaded_kib:.0f} KiB just after its call; the host alone {before >> 20} MiB",
        ),
    ]


async def _deploy_all(data: Path) -> None:
    """As a host deploys them, but for the process of each build."""
    settings = load({"data": data})
    module = sample("tiny")
    async with open_worker(settings, 0) as worker:
        builder = InsideBuilder(
            worker.sandbox.engine.plan, data / "compiled", data / "tmp", settings.host, INIT_FUEL
        )
        deployer = Deployer(worker.registry, worker.artifacts, builder, worker.logs, settings.host)
        for number in range(FUNCTIONS):
            limits = Limits(memory_mb=16)
            await deployer.deploy(f"f{number}", distinct(module, number), Settings(limits=limits))


async def _call(server: Server, numbers: range) -> None:
    address, _ = request_head(server.http_url)
    async with Connection(address) as connection:
        for number in numbers:
            answer = await connection.ask(request_head(f"{server.http_url}/f{number}")[1])
            if answer.status != 200:
                raise RuntimeError(f"f{number} answered {answer.status}: {answer.body!r}")
