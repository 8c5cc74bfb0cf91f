"""One thread at the lowest priority, for guests whose slices would hold the event loop.

It polls with the GIL given away, so the loop goes on beside it; each slice is long, since getting
the GIL back may take as long as a switch interval.

Neighbours: `scheduler.py` hands guests over and gets them back on the loop.
Invariant: while the thread holds a guest nobody else touches its store; an abandoned guest is
closed here, after the slice it is in.
"""

import asyncio
import contextlib
import os
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.model.outcome import Failure, Outcome
from edge.sandbox.execution import Ending, Execution

if TYPE_CHECKING:
    from edge.sandbox.scheduler import Guest

_LOWEST_PRIORITY = 19


class Background:
    """The thread, started when first needed. Holds at most as many guests as there are seats."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        slice_fuel: int,
        hand_back: "Callable[[Guest], None]",
    ) -> None:
        self._loop = loop
        self._slice_fuel = slice_fuel
        self._hand_back = hand_back
        self._work: queue.SimpleQueue[Guest | Execution | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def take(self, guest: "Guest") -> None:
        """Run a guest from now on; called on the loop, with the guest between slices."""
        instance = guest.execution.instance
        instance.off_loop = True
        instance.set_slice(self._slice_fuel)
        self._put(guest)

    def close(self, execution: Execution) -> None:
        """Close an ended execution whose memory is large."""
        self._put(execution)

    def account(self, guest: "Guest", outcome: Outcome, failure: Failure) -> Ending:
        """The ending of a guest that is inside a slice: what is known without asking its store."""
        instance = guest.execution.instance
        fuel = guest.slices * self._slice_fuel + instance.session.host_fuel
        return Ending(
            outcome,
            None,
            failure,
            min(fuel, instance.allowance.fuel_max),
            0,
            instance.session.host_ns // 1_000,
            instance.allowance.memory_bytes_max,
            0,
        )

    def stop(self) -> None:
        """End the thread after what is queued."""
        if self._thread is not None:
            self._work.put(None)
            self._thread.join()

    def _put(self, item: "Guest | Execution") -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="edge-background", daemon=True)
            self._thread.start()
        self._work.put(item)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        while (item := self._work.get()) is not None:
            if isinstance(item, Execution):
                item.close(released=True)
            elif item.answered:
                item.execution.close(released=True)
            else:
                self._advance(item)

    def _advance(self, guest: "Guest") -> None:
        ended = guest.execution.advance()
        guest.slices += 1
        if guest.answered:  # abandoned during the slice
            guest.execution.close(released=True)
        elif ended or guest.execution.instance.pending is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._loop.call_soon_threadsafe(self._hand_back, guest)
        else:
            self._work.put(guest)
