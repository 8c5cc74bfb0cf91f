"""Where an invocation of a component begins: a seat, a guest, and what surrounds it.

Neighbours: `sandbox/runtime.py` asks.
"""

from edge.host.calls import HostCalls
from edge.host.wasi2.context import Context
from edge.host.wasi2.exchange import IncomingHttp
from edge.sandbox.component.execution import ComponentExecution, HttpExecution
from edge.sandbox.component.instance import ComponentInstance
from edge.sandbox.component.loaded import LoadedComponent
from edge.sandbox.execution import Work
from edge.sandbox.seats import Seats


class ComponentStarts:
    """Begins executions of components on this worker."""

    def __init__(self, seats: Seats, calls: HostCalls) -> None:
        self._seats = seats
        self._calls = calls

    def begin(self, component: LoadedComponent, work: Work) -> ComponentExecution | None:
        """An execution that nobody advanced yet; None when no seat is free."""
        seat = self._seats.take()
        if seat is None:
            return None
        surroundings = Context(work.session, self._calls)
        instance = ComponentInstance(component, seat, surroundings, work.allowance)
        if isinstance(work.data, IncomingHttp):
            return HttpExecution(instance, self._seats, work.data)
        return ComponentExecution(instance, self._seats, work.data)
