"""Where an invocation of a component begins: a seat, a guest, and what surrounds it.

Neighbours: `sandbox/runtime.py` asks.
"""

import asyncio
from collections.abc import Callable

from edge.config import SandboxSettings
from edge.host.calls import HostCalls
from edge.host.wasi2.context import Context
from edge.host.wasi2.exchange import IncomingHttp
from edge.host.wasi2.tree import Quota, Tree
from edge.model.limits import MIB
from edge.sandbox.component.execution import ComponentExecution, HttpExecution
from edge.sandbox.component.instance import ComponentInstance
from edge.sandbox.component.loaded import LoadedComponent
from edge.sandbox.component.ready import ReadyGuests
from edge.sandbox.execution import Work
from edge.sandbox.seats import Seats


class ComponentStarts:
    """Begins executions of components on this worker."""

    def __init__(
        self,
        settings: SandboxSettings,
        seats: Seats,
        calls: HostCalls,
        is_idle: Callable[[], bool],
    ) -> None:
        self._seats = seats
        self._calls = calls
        self._quota_bytes = settings.tmp_mb * MIB
        self._loop = asyncio.get_running_loop()
        self.ready = ReadyGuests(settings, seats, is_idle)

    def begin(self, component: LoadedComponent, work: Work) -> ComponentExecution | None:
        """An execution that nobody advanced yet; None when no seat is free."""
        instance = self.ready.take(component, work)
        if instance is None:
            seat = self._seats.take() or self.ready.give_up_seat()
            if seat is None:
                return None
            tree = Tree(Quota(self._quota_bytes))
            surroundings = Context(work.session, self._calls, tree, component.package)
            instance = ComponentInstance(component, seat, surroundings, work.allowance)
        else:
            surroundings = instance.surroundings
            surroundings.calls = self._calls
            surroundings.tree.quota.bytes_left = self._quota_bytes
        surroundings.loop = self._loop
        if isinstance(work.data, IncomingHttp):
            return HttpExecution(instance, self._seats, work.data)
        return ComponentExecution(instance, self._seats, work.data)
