"""Start the workers, replace one that dies, stop them all.

Neighbours: `serve.py` runs it; `worker.py` is what it starts.
Invariant: there are as many workers as were asked for, or the host is stopping.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import structlog

from edge.config import Address, Settings
from edge.invoke.occupancy import Occupancy
from edge.model.errors import EdgeError, Unsupported

_log = structlog.get_logger(__name__)

READY = b"ready\n"
START_TIMEOUT_S = 60
DEATHS_MAX = 5
DEATHS_WINDOW_S = 10.0
_OCCUPANCY = "occupancy"


class Supervisor:
    """Watches `settings.workers` processes from the main thread of this one."""

    def __init__(self, settings: Settings, bound: tuple[Address, ...]) -> None:
        http, control = bound
        self._settings = replace(settings, http=http, control=control)
        self._occupancy = Occupancy.fresh(
            settings.data / _OCCUPANCY, settings.host.functions_max, settings.workers
        )
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._deaths: list[float] = []
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping = False

    def run(self, *, on_ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT. Raises Unsupported when workers keep dying."""
        previous = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        }
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            for worker in range(self._settings.workers):
                self._start(worker)
            for worker in list(self._workers):
                self._await_ready(self._workers[worker])
            on_ready()
            self._watch()
        finally:
            self._stop_all()
            signal.set_wakeup_fd(-1)
            for number, handler in previous.items():
                signal.signal(number, handler)
            self._occupancy.close()

    def _on_signal(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._stopping = True

    def _start(self, worker: int) -> None:
        document = json.dumps({"worker": worker, "settings": asdict(self._settings)}, default=str)
        process = subprocess.Popen(
            [sys.executable, "-m", "edge.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the supervisor, which passes it on
        )
        assert process.stdin is not None
        # The pipe stays open: when it closes, the supervisor is gone and the worker stops.
        process.stdin.write(document.encode() + b"\n")
        process.stdin.flush()
        self._workers[worker] = process

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.select(START_TIMEOUT_S)
            if process.stdout.readline() != READY:
                raise Unsupported("a worker did not start; its error stands above")

    def _watch(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            while not self._stopping:
                selector.select(1.0)
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
                self._replace_dead()

    def _replace_dead(self) -> None:
        for worker, process in list(self._workers.items()):
            if self._stopping or process.poll() is None:
                continue
            _log.error("worker_died", worker=worker, status=process.returncode)
            _close_pipes(process)
            self._occupancy.clear(worker)
            now = time.monotonic()
            self._deaths = [death for death in self._deaths if now - death < DEATHS_WINDOW_S]
            self._deaths.append(now)
            if len(self._deaths) > DEATHS_MAX:
                raise Unsupported(
                    f"workers died {len(self._deaths)} times in {DEATHS_WINDOW_S:.0f} s: stopping"
                )
            self._start(worker)

    def _stop_all(self) -> None:
        for process in self._workers.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        until = time.monotonic() + self._settings.host.grace_s + 5
        for process in self._workers.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close_pipes(process)
        os.close(self._wake_read)
        os.close(self._wake_write)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError, EdgeError):
                pipe.close()
