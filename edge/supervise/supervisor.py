"""Start the workers, replace one that dies, restart them in turn, become a new version, stop.

Neighbours: `serve.py` runs it; `slot.py` is a worker's place, `process.py` what holds it.
Invariants: every slot has a process that serves or starts, or the host is stopping; at most one
worker more than was asked for is there on purpose.

SIGTERM, SIGINT stop the host · SIGHUP restarts the workers in turn · SIGUSR2 upgrades in place.
"""

import contextlib
import math
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator

import structlog

from edge.config import Settings
from edge.invoke.occupancy import Occupancy
from edge.model.errors import Unsupported
from edge.supervise.handover import HANDLED, Handed, Handover
from edge.supervise.listeners import Listeners
from edge.supervise.lock import DataLock
from edge.supervise.process import Order, WorkerProcess
from edge.supervise.slot import COLUMNS, OCCUPANCY, Slot
from edge.supervise.systemd import notify, notify_reloading

_log = structlog.get_logger(__name__)

LEAVE_S = 5
"""What a worker may need to leave beyond the grace time of what it runs."""
DEATHS_MAX = 5
DEATHS_WINDOW_S = 10.0
_TICK_S = 1.0
_POLL_S = 0.02
_WAKES_MAX = 4_096


class Supervisor:
    """Watches `settings.workers` processes from the main thread of this one."""

    def __init__(
        self, settings: Settings, listeners: Listeners, lock: DataLock, handover: Handover | None
    ) -> None:
        """With a `handover`, its workers go on until each is replaced by one of this version."""
        self._settings = settings
        self._lock = lock
        self._slots = [Slot(i, pair) for i, pair in enumerate(listeners.descriptors)]
        if handover is not None:
            for slot, handed in zip(self._slots, handover.workers, strict=True):
                slot.serving = WorkerProcess(handed.pid, handed.column, handed.lifeline)
        self._occupancy = _open_counters(settings, self._slots, handover)
        self._selector = selectors.DefaultSelector()
        self._rolling = deque(self._slots if handover else ())
        self._rehearsal: int | None = None
        self._asked: set[int] = set()
        self._deaths: list[float] = []
        self._is_open = handover is not None
        self._has_terminal = _sees_terminal()

    def run(self, *, on_ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT. Raises Unsupported when workers do not start, or keep
        dying."""
        with self._signals():
            try:
                if not self._is_open:
                    for slot in self._slots:
                        self._start(slot)
                self._advance_until(lambda: self._is_settled and not self._rolling)
                self._is_open = True
                if signal.SIGTERM not in self._asked:
                    on_ready()
                    notify("READY=1", f"MAINPID={os.getpid()}", "STATUS=serving")
                while signal.SIGTERM not in self._asked:
                    self._advance()
                    self._begin_what_was_asked()
            finally:
                notify("STOPPING=1")
                self._stop_all()
                self._occupancy.close()

    # What happens by itself

    def _advance_until(self, done: Callable[[], bool]) -> None:
        while signal.SIGTERM not in self._asked and not done():
            self._advance()

    def _advance(self) -> None:
        """Wait for something to happen, and do what follows from it."""
        for key, _ in self._selector.select(_TICK_S):
            if isinstance(key.data, Slot):
                self._hear(key.data)
            else:
                os.read(key.fd, _WAKES_MAX)
        for slot in self._slots:
            for process in slot.processes:
                if time.monotonic() >= process.due_s:
                    process.signal(signal.SIGKILL)
                status = process.poll()
                if status is not None:
                    self._bury(slot, process, status)
        if self._rolling and self._is_settled:
            self._start(self._rolling.popleft())

    def _hear(self, slot: Slot) -> None:
        """The process that starts has said how it went."""
        process = slot.starting
        assert process is not None
        self._selector.unregister(process.answer)
        if not process.read_answer():
            return  # it ends, and is buried then
        process.due_s = math.inf
        slot.promote()
        if slot.leaving is not None:
            slot.leaving.due_s = time.monotonic() + self._settings.host.grace_s + LEAVE_S
            slot.leaving.signal(signal.SIGTERM)

    def _bury(self, slot: Slot, process: WorkerProcess, status: int) -> None:
        """A process is gone: give back what it held, and see to it that another serves."""
        started = process is not slot.starting
        if process.answer >= 0:
            self._selector.unregister(process.answer)
            process.read_answer()
        if not started:
            _log.error("worker_did_not_start", worker=slot.number, cause=process.failure)
            self._rolling.clear()  # the others go on as they are
        elif status:
            _log.error("worker_died", worker=slot.number, pid=process.pid, status=status)
        slot.remove(process)
        process.close()
        self._occupancy.clear(process.column)
        if slot.serving is None and slot.starting is None:
            if not started and not self._is_open:
                raise Unsupported(process.failure)
            self._note_death()
            self._start(slot)

    def _note_death(self) -> None:
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < DEATHS_WINDOW_S]
        self._deaths.append(now)
        if len(self._deaths) > DEATHS_MAX:
            raise Unsupported(
                f"workers died {len(self._deaths)} times in {DEATHS_WINDOW_S:.0f} s: stopping"
            )

    def _start(self, slot: Slot) -> None:
        order = Order(self._settings, slot.free_column(), slot.sockets, self._lock.workers)
        process = slot.starting = WorkerProcess.start(order)
        process.due_s = time.monotonic() + self._settings.host.start_timeout_s
        self._selector.register(process.answer, selectors.EVENT_READ, slot)

    @property
    def _is_settled(self) -> bool:
        return all(slot.is_settled for slot in self._slots)

    # What is asked for

    def _begin_what_was_asked(self) -> None:
        """One thing at a time, and only while nothing else moves."""
        if not self._is_settled or self._rolling:
            return
        if self._rehearsal is not None:
            self._end_rehearsal(self._rehearsal)
        elif signal.SIGUSR2 in self._asked:
            self._asked -= {signal.SIGUSR2, signal.SIGHUP}  # an upgrade restarts them, too
            notify_reloading("rehearsing an upgrade")
            try:
                self._rehearsal = self._handover().rehearse()
            except OSError as error:
                self._note_failed_upgrade(str(error))
        elif signal.SIGHUP in self._asked:
            self._asked.discard(signal.SIGHUP)
            notify_reloading("restarting the workers")
            self._rolling.extend(self._slots)
            self._advance_until(lambda: self._is_settled and not self._rolling)
            notify("READY=1", "STATUS=serving")

    def _end_rehearsal(self, pid: int) -> None:
        done, status = os.waitpid(pid, os.WNOHANG)
        if not done:
            return
        self._rehearsal = None
        if status != 0:
            self._note_failed_upgrade("its rehearsal ended with an error")
            return
        notify_reloading("upgrading")
        try:
            self._handover().execute()
        except OSError as error:
            self._note_failed_upgrade(str(error))

    def _note_failed_upgrade(self, cause: str) -> None:
        _log.error("upgrade_failed", cause=cause, next="this version goes on")
        notify("READY=1", "STATUS=serving; an upgrade failed")

    def _handover(self) -> Handover:
        workers = [(slot.serving, slot.sockets) for slot in self._slots]
        return Handover(
            pid=os.getpid(),
            locks=(self._lock.host, self._lock.workers),
            counters=_counters(self._settings),
            workers=tuple(
                Handed(process.pid, process.column, process.lifeline, sockets)
                for process, sockets in workers
                if process is not None
            ),
        )

    def _stop_all(self) -> None:
        until = time.monotonic() + self._settings.host.grace_s + LEAVE_S
        left = [process for slot in self._slots for process in slot.processes]
        for process in left:
            process.signal(signal.SIGTERM)
        while left:
            for process in left:
                if time.monotonic() > until:
                    process.signal(signal.SIGKILL)
            gone = [process for process in left if process.poll() is not None]
            for process in gone:
                process.close()
            left = [process for process in left if process not in gone]
            time.sleep(_POLL_S if left else 0)
        if self._rehearsal is not None:
            os.kill(self._rehearsal, signal.SIGKILL)
            os.waitpid(self._rehearsal, 0)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Hear the signals, those that waited during an upgrade first."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = {number: signal.signal(number, self._on_signal) for number in HANDLED}
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._selector.register(wake_read, selectors.EVENT_READ)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(wake_read)
            os.close(wake_write)

    def _on_signal(self, number: int, _frame: object) -> None:
        if number == signal.SIGHUP and self._has_terminal and not _sees_terminal():
            number = signal.SIGTERM  # it was closed: who started this host in it is gone
        self._asked.add(signal.SIGTERM if number == signal.SIGINT else number)


def _open_counters(settings: Settings, slots: list[Slot], handover: Handover | None) -> Occupancy:
    """The counters of a host that starts, or of one that goes on, if they are the same."""
    path, (functions, columns) = settings.data / OCCUPANCY, _counters(settings)
    if handover is None or handover.counters != (functions, columns):
        return Occupancy.fresh(path, functions, columns)
    return Occupancy(path, functions, columns, slots[0].free_column())


def _counters(settings: Settings) -> tuple[int, int]:
    return settings.host.functions_max, settings.workers * COLUMNS


def _sees_terminal() -> bool:
    return any(os.isatty(stream) for stream in (0, 1, 2))
