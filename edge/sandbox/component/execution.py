"""One invocation of a component, as the scheduler sees it.

Neighbours: `starts.py` makes it, `scheduler.py` advances it as any other execution.
Invariant: as of `sandbox/execution.py`; its instance has what the scheduler touches of one.
"""

from collections.abc import Generator
from time import perf_counter_ns

from edge.host.wasi2.exchange import Exchange, IncomingHttp
from edge.host.wasi2.http_server import IncomingRequest, ResponseOutparam
from edge.sandbox import stop
from edge.sandbox.component.envelope import over_limit, read_text_answer
from edge.sandbox.component.http import read_exchange
from edge.sandbox.component.instance import ComponentInstance
from edge.sandbox.execution import Execution
from edge.sandbox.seats import Seats


class ComponentExecution(Execution):
    """A component guest, its steps, and its ending once there is one."""

    instance: ComponentInstance  # type: ignore[assignment]

    __slots__ = ()

    def __init__(self, instance: ComponentInstance, seats: Seats, data: bytes) -> None:
        super().__init__(instance, seats, data, perf_counter_ns())  # type: ignore[arg-type]

    def _drive(self) -> Generator[None, None, bytes]:
        instance = self.instance
        if not instance.started:
            yield from instance.start()
        instance.restored()
        return (yield from instance.call_text(self._data))

    def _conclude(self, data: bytes) -> None:
        outcome, value, failure = read_text_answer(data)
        most = self.instance.allowance.answer_bytes_max
        size = over_limit(data, outcome, value, most)
        if size is not None:
            stopped = stop.too_large(size, most)
            outcome, value, failure = stopped.outcome, None, stopped.failure
        self.conclude(outcome, value, failure, len(data))


class HttpExecution(ComponentExecution):
    """The same of a `wasi:http` guest."""

    __slots__ = ()

    def __init__(self, instance: ComponentInstance, seats: Seats, request: IncomingHttp) -> None:
        super().__init__(instance, seats, b"")
        instance.surroundings.exchange = Exchange(request)

    def _drive(self) -> Generator[None, None, bytes]:
        instance = self.instance
        exchange = instance.surroundings.exchange
        assert exchange is not None
        if not instance.started:
            yield from instance.start()
        instance.restored()
        yield from instance.call_resources(IncomingRequest(exchange), ResponseOutparam(exchange))
        return b""

    def _conclude(self, _data: bytes) -> None:
        surroundings = self.instance.surroundings
        assert surroundings.exchange is not None
        outcome, failure = read_exchange(surroundings.exchange, surroundings.session.response)
        self.conclude(outcome, None, failure, 0)
