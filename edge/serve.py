"""Serve: the composition root. A supervisor in this process, and the workers that it watches.

Neighbours: `cli/` calls `run`; `worker.py` is one worker, `supervise/` all that surrounds them.
Invariant: what a former version of this process handed over is taken over whole, or not at all.
"""

import importlib
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from edge.config import Settings
from edge.model.errors import Unsupported
from edge.supervise.descriptors import fit_connections
from edge.supervise.handover import Handover
from edge.supervise.lines import send_to_stderr
from edge.supervise.listeners import Listeners, Ready
from edge.supervise.lock import DataLock
from edge.supervise.supervisor import LEAVE_S, Supervisor
from edge.supervise.systemd import take_sockets

__all__ = ["OnReady", "Ready", "run"]

OnReady = Callable[[Ready], None]


def run(settings: Settings, *, on_ready: OnReady | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what runs, within `grace_s`.

    Raises Conflict when the data directory is being served already, Unsupported when an address
    cannot be had or no worker starts, StorageFailure when the directory cannot be used.
    """
    send_to_stderr()
    settings = replace(settings, connections=fit_connections(settings.connections))
    handover = Handover.take(os.environ)
    passed = take_sockets(os.environ)
    if handover is None:
        lock = DataLock.take(settings.data, settings.host.grace_s + LEAVE_S)
        with closing(lock), closing(Listeners.open(settings, passed)) as listeners:
            supervisor = Supervisor(settings, listeners, lock, None)
            _supervise(supervisor, listeners.ready(settings.tls), on_ready)
        return
    if len(handover.workers) != settings.workers:
        raise Unsupported(
            f"the running host has {len(handover.workers)} worker(s), this version would have"
            f" {settings.workers}: restart it"
        )
    if handover.is_rehearsal:
        importlib.import_module("edge.worker")
        return
    lock = DataLock.inherit(settings.data, handover.locks)
    sockets = [worker.sockets for worker in handover.workers]
    with closing(lock), closing(Listeners.inherit(sockets)) as listeners:
        supervisor = Supervisor(settings, listeners, lock, handover)
        _supervise(supervisor, listeners.ready(settings.tls), on_ready)


def _supervise(supervisor: Supervisor, ready: Ready, on_ready: OnReady | None) -> None:
    supervisor.run(on_ready=lambda: on_ready(ready) if on_ready else None)
