"""Serve: the composition root. One process serves alone; several are started and watched.

Neighbours: `cli/` calls `run`; `worker.py` is one worker, `supervisor.py` watches many.
Invariant: one host at a time serves a data directory.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.config import Address, Settings
from edge.model.errors import Conflict, StorageFailure, Unsupported

OCCUPANCY = "occupancy"
TEMPORARY = "tmp"
_LOCK = "lock"
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Ready:
    """Where the doors are open."""

    http_url: str
    control_url: str


OnReady = Callable[[Ready], None]


def run(settings: Settings, *, on_ready: OnReady | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what runs, within `grace_s`.

    Raises Conflict when the data directory is being served already, Unsupported when an address
    cannot be had, StorageFailure when the directory cannot be used.
    """
    with hold_data(settings.data), Listeners(settings) as listeners:
        if settings.workers == 1:
            _run_alone(settings, listeners, on_ready)
        else:
            _run_many(settings, listeners, on_ready)


def _run_alone(settings: Settings, listeners: "Listeners", on_ready: OnReady | None) -> None:
    from edge.invoke.occupancy import Occupancy
    from edge.worker import new_event_loop, serve

    Occupancy.fresh(settings.data / OCCUPANCY, settings.host.functions_max, 1).close()

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await serve(
            settings,
            0,
            listeners.sockets,
            stop,
            on_ready=lambda: on_ready(listeners.ready) if on_ready else None,
        )

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())


def _run_many(settings: Settings, listeners: "Listeners", on_ready: OnReady | None) -> None:
    from edge.supervisor import Supervisor

    supervisor = Supervisor(settings, listeners.bound)
    supervisor.run(on_ready=lambda: on_ready(listeners.ready) if on_ready else None)


class Listeners:
    """The two doors' sockets. With several workers they only keep the ports: each worker binds
    its own beside them, since the kernel spreads connections over sockets, not over processes."""

    def __init__(self, settings: Settings) -> None:
        shared = settings.workers > 1
        self.sockets = tuple(
            bind_socket(address, shared=shared) for address in (settings.http, settings.control)
        )
        self.bound = tuple(
            Address(address.host, sock.getsockname()[1])
            for address, sock in zip((settings.http, settings.control), self.sockets, strict=True)
        )

    @property
    def ready(self) -> Ready:
        """The URLs, with the ports that were taken."""
        http, control = self.bound
        return Ready(http.url, control.url)

    def __enter__(self) -> "Listeners":
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self.sockets:
            sock.close()


def bind_socket(address: Address, *, shared: bool) -> socket.socket:
    """A bound TCP socket; `shared` lets other workers bind beside it. Raises Unsupported."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((address.host, address.port))
    except OSError as error:
        sock.close()
        raise Unsupported(f"cannot listen on {address.bind}: {error.strerror}") from None
    return sock


@contextlib.contextmanager
def hold_data(directory: Path) -> Iterator[None]:
    """Keep the data directory for this host alone. Raises Conflict or StorageFailure."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
        descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageFailure(f"cannot use {directory}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Conflict(
            f"another edge host serves {directory}: stop it, or give --data another directory"
        ) from None
    # What a host that was killed left of its builds.
    shutil.rmtree(directory / TEMPORARY, ignore_errors=True)
    try:
        yield
    finally:
        os.close(descriptor)
