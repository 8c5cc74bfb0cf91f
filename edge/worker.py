"""One worker: every object built and wired, visibly, and the two doors served until told to stop.

Neighbours: `supervise/process.py` starts it, in a process of its own; nothing imports it.
Invariant: only here and in `keyring.py` are storage backends named.
"""

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import structlog

from edge.access.authority import Authority
from edge.config import (
    EDGE_DOOR,
    Address,
    DoorSettings,
    HostSettings,
    SandboxSettings,
    Settings,
    TlsSettings,
)
from edge.deploy.deployer import Deployer
from edge.deploy.packages import Packages
from edge.deploy.sweep import sweep_artifacts
from edge.deploy.updates import Updates
from edge.front.authorizer import Authorizer
from edge.front.control import control_plane
from edge.front.data import DataPlane
from edge.front.door.asgi import AppConnection
from edge.front.door.functions import FunctionConnection
from edge.front.door.server import Door
from edge.front.door.terms import hypercorn_config
from edge.front.lambda_api.joins import Joins
from edge.front.peers import Peers
from edge.front.services import Bounds, Services
from edge.host.calls import HostCalls
from edge.host.fetch.calls import FetchCalls
from edge.host.fetch.fetcher import Fetcher
from edge.host.flow import StreamLimits
from edge.host.kv import KvCalls
from edge.host.response import ResponseCalls
from edge.invoke.intake import Intake
from edge.invoke.invoker import Admission, Invoker, Metering
from edge.invoke.occupancy import Occupancy
from edge.invoke.posts import Posts
from edge.invoke.prepared import Preparations
from edge.invoke.provisions import Provisioning
from edge.invoke.runner import Runner
from edge.invoke.throttle import Throttle
from edge.keyring import open_keyring
from edge.meter.bill import Tariff
from edge.meter.journal import Journal
from edge.meter.ledger import Ledger
from edge.meter.logs import LogStore
from edge.model.errors import EdgeError, StorageFailure
from edge.model.limits import MIB
from edge.registry.registry import Registry
from edge.sandbox.builder import Builder
from edge.sandbox.engine import plan_for_machine
from edge.sandbox.runtime import Sandbox
from edge.storage.audit import AUDIT, AuditLog
from edge.storage.buckets import Buckets
from edge.storage.events import EventBounds
from edge.storage.files import FileArtifacts
from edge.storage.generation import Generation
from edge.storage.keys import KEYS_MAX_DEFAULT
from edge.storage.sqlite.events import SqliteEvents
from edge.storage.sqlite.functions import SqliteFunctions
from edge.storage.sqlite.kv import SqliteKv
from edge.storage.sqlite.usage import SqliteUsage
from edge.supervise.lines import send_to_stderr
from edge.supervise.listeners import BACKLOG
from edge.supervise.lock import TEMPORARY
from edge.supervise.process import FAILED, READY
from edge.supervise.slot import COLUMNS, OCCUPANCY

INIT_MS_MAX = 10_000
"""CPU an initialiser may use, in billed milliseconds: Lambda's ten seconds."""
PEERS = "peers"
"""The directory of the workers' own sockets, under the data directory."""
RATES = "function-rates"
KEY_RATES = "key-rates"
"""The files of the token buckets, there."""
LEAVE_S = 2.0
"""How long tasks are given to end when all is closed."""
REFRESH_S = 1.0
ROLLUP_S = 60.0
ARTIFACT_SWEEP_S = 600.0

_log = structlog.get_logger(__name__)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it installs, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class Worker:
    """The objects of one worker process, in the order they depend on each other."""

    def __init__(self, settings: Settings, number: int) -> None:
        self.settings = settings
        data, host, sandbox = settings.data, settings.host, settings.sandbox
        self._compiled = data / "compiled"
        name = f"w{number}"
        self.functions = SqliteFunctions(
            data / "registry.db",
            functions_max=host.functions_max,
            versions_max=host.versions_max,
        )
        self.registry = Registry(self.functions, Generation(data / "generation"))
        self.artifacts = FileArtifacts(data / "artifacts")
        self.usage = SqliteUsage(data / "usage.db")
        self.tariff = Tariff(fuel_per_ms=sandbox.fuel_per_ms)
        self.journal = Journal(data / "journal", name)
        self.ledger = Ledger(data / "journal", self.usage, self.tariff)
        self.logs = LogStore(data / "logs", name)
        self.kv = SqliteKv(data / "kv.db")
        self.events = SqliteEvents(
            data / "events.db", EventBounds(host.async_events_max, host.async_bytes_max)
        )
        self._keys = contextlib.ExitStack()
        self.audit = AuditLog(data / AUDIT, bytes_max=host.audit_bytes_max)
        self.keyring = self._keys.enter_context(open_keyring(data))
        self.occupancy = Occupancy(
            data / OCCUPANCY, host.functions_max, settings.workers * COLUMNS, number
        )
        self.rates = Buckets(data / RATES, host.functions_max)
        self.key_rates = Buckets(data / KEY_RATES, KEYS_MAX_DEFAULT)
        plan = plan_for_machine(host.concurrency_max, sandbox.memory_mb_max)
        fetcher = Fetcher()
        streams = StreamLimits(
            host.stream_buffer_bytes_max, host.stream_bytes_max, host.payload_bytes_max
        )
        calls = HostCalls(
            {
                **KvCalls(self.kv).operations,
                **FetchCalls(fetcher).operations,
                **ResponseCalls(streams).operations,
            },
            fetcher=fetcher,
            streams=streams,
        )
        self.sandbox = Sandbox(plan, self._compiled, sandbox, calls)
        builder = Builder(
            plan, self._compiled, data / TEMPORARY, host, INIT_MS_MAX * sandbox.fuel_per_ms
        )
        self.deployer = Deployer(self.registry, self.artifacts, builder, self.logs, host)
        self.packages = Packages(self.artifacts, data / TEMPORARY, host)
        self.updates = Updates(self.registry.progress, host.deploy_wait_ms)
        preparations = Preparations(sandbox, host)
        throttle = Throttle(self.occupancy, self.rates, host.concurrency_max)
        self.invoker = Invoker(
            self.registry,
            self.sandbox,
            self.occupancy,
            Metering(self.journal, self.logs, self.tariff),
            Admission(host, preparations, self.deployer, throttle),
        )
        self.provisioning = Provisioning(self.registry, self.sandbox, preparations)
        posts = Posts(self.registry, preparations, fetcher)
        self.runner = Runner(self.events, self.invoker, posts.post, host)
        self.intake = Intake(self.events, self.runner.wake)
        # An answer may be base64, and has its header fields and a log's tail beside it.
        self.peers = Peers(data / PEERS, number, 2 * host.payload_bytes_max + 1 * MIB)
        self.joins = Joins(self.peers.ask, host.join_kept_s, host.join_kept_bytes_max)

    def services(self, *, is_local: bool) -> Services:
        """What the doors reach; `is_local`: only this machine can ask the control plane."""
        authority = Authority(self.keyring, self.key_rates, is_local=is_local)
        return Services(
            self.invoker,
            self.deployer,
            self.registry,
            self.logs,
            self.ledger,
            self.tariff,
            self.intake,
            self.events,
            self.packages,
            self.updates,
            self.joins,
            self.audit,
            authority,
            Authorizer(authority),
        )

    async def tend(self) -> None:
        """What is done now and then for as long as the worker lives."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sandbox.sweep())
            tasks.create_task(self.runner.run())
            tasks.create_task(self.peers.listen(self.joins.find))
            tasks.create_task(self.provisioning.run())
            tasks.create_task(_every(REFRESH_S, self._refresh))
            tasks.create_task(_every(ROLLUP_S, self.ledger.rollup))
            tasks.create_task(_every(ARTIFACT_SWEEP_S, self._sweep_artifacts))

    def _refresh(self) -> None:
        """Notice what a process changed that died before it could say so."""
        self.keyring.refresh(is_stale=self.registry.refresh())

    def _sweep_artifacts(self) -> None:
        sweep_artifacts(self.registry, self.artifacts, self._compiled)

    async def close(self) -> None:
        """Close everything, in the order opposite to building."""
        await self.updates.stop()
        self.peers.close()
        self.sandbox.stop()
        self.events.close()
        self._keys.close()
        self.kv.close()
        self.logs.close()
        self.journal.close()
        self.usage.close()
        self.functions.close()
        self.audit.close()
        self.key_rates.close()
        self.rates.close()
        self.occupancy.close()


async def _every(seconds: float, work: Callable[[], object]) -> None:
    """Run `work` on a thread again and again; a storage failure is told and tried anew."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await asyncio.to_thread(work)
        except StorageFailure as error:
            _log.error("upkeep_failed", work=work.__name__, cause=error.message)


@contextlib.asynccontextmanager
async def open_worker(settings: Settings, number: int) -> AsyncIterator[Worker]:
    """A worker with its upkeep running, closed afterwards."""
    worker = Worker(settings, number)
    upkeep = asyncio.create_task(worker.tend())
    try:
        yield worker
    finally:
        upkeep.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await upkeep
        await worker.close()


async def serve(
    settings: Settings,
    number: int,
    sockets: tuple[socket.socket, ...],
    stop: asyncio.Event,
    *,
    on_ready: Callable[[], object],
) -> None:
    """Serve both doors on bound sockets until `stop`, then finish what runs, within `grace_s`."""
    async with open_worker(settings, number) as worker:
        host = settings.host
        bounds = Bounds(host.payload_bytes_max, host.module_bytes_max, host.concurrency_max)
        http, control = sockets
        http_address, control_address = (Address(*sock.getsockname()[:2]) for sock in sockets)
        services = worker.services(is_local=control_address.is_loopback)
        door, tls = settings.connections, settings.tls
        config = hypercorn_config(door, host.grace_s, tls.http)
        control_config = hypercorn_config(door, host.grace_s, tls.control)
        data_plane = DataPlane(services, bounds)
        data_url = settings.connections.public_url or http_address.url_over(tls=config.ssl_enabled)
        private_plane = control_plane(services, bounds, data_url)
        async with asyncio.TaskGroup() as doors:
            if settings.door == EDGE_DOOR:
                functions = Door(
                    data_plane,
                    lambda door: FunctionConnection(door, services, bounds.payload_bytes_max),
                    settings.connections,
                    config,
                    keeps_bodies=True,
                )
                private = Door(
                    private_plane,
                    lambda door: AppConnection(door, private_plane),
                    settings.connections.of_control,
                    control_config,
                    keeps_bodies=False,
                )
                doors.create_task(functions.serve(http.dup(), stop, BACKLOG))
                doors.create_task(private.serve(control.dup(), stop, BACKLOG))
            else:
                doors.create_task(_hypercorn(data_plane, config, http, stop))
                doors.create_task(_hypercorn(private_plane, control_config, control, stop))
            await asyncio.sleep(0)
            gc.collect()
            gc.freeze()  # what is there now stays: no collection walks it again
            on_ready()


async def _hypercorn(
    app: Any, config: hypercorn.config.Config, sock: socket.socket, stop: asyncio.Event
) -> None:
    config.backlog = BACKLOG
    config.bind = [f"fd://{os.dup(sock.fileno())}"]  # a copy: Hypercorn closes what it is given
    await hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait, mode="asgi")


def _main(order: dict[str, Any]) -> None:
    """One worker: its order on stdin, an answer on stdout when it serves, until stdin closes."""
    send_to_stderr()
    settings = _settings(order["settings"])

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        stdin = sys.stdin.fileno()

        def orphaned() -> None:  # end of file: the supervisor is gone
            loop.remove_reader(stdin)
            stop.set()

        loop.add_reader(stdin, orphaned)
        sockets = tuple(socket.socket(fileno=number) for number in order["sockets"])
        await serve(settings, order["column"], sockets, stop, on_ready=lambda: _answer(READY))
        await _leave()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())


async def _leave() -> None:
    """End what still runs, all of it past its grace; what does not end is left with the process."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest and (await asyncio.wait(rest, timeout=LEAVE_S))[1]:
        os._exit(0)  # everything is closed; a connection of Hypercorn's may wait for its peer


def _answer(text: str) -> None:
    """Tell the supervisor; from then on what is printed goes where errors go."""
    os.write(sys.stdout.fileno(), text.encode())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _settings(document: dict[str, Any]) -> Settings:
    return Settings(
        data=Path(document["data"]),
        http=Address(**document["http"]),
        control=Address(**document["control"]),
        workers=document["workers"],
        door=document["door"],
        sandbox=SandboxSettings(**document["sandbox"]),
        host=HostSettings(**document["host"]),
        connections=DoorSettings(**document["connections"]),
        tls=TlsSettings(**document["tls"]),
    )


if __name__ == "__main__":
    try:
        _main(json.loads(sys.stdin.buffer.readline()))
    except EdgeError as error:
        _answer(FAILED + error.message)
        sys.exit(1)
