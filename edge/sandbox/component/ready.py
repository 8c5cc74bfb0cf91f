"""Guests of components started ahead of demand, each for one event that has not come yet.

Instantiating a Python component is half of what a fresh request costs. So while the worker has
nothing else to do, some are started for functions that were called lately, and wait just before
their handler. A guest is handed out once and thrown away after its event, like any other; its fuel
counts from its start, so the bill is the same whether it waited or not.

Neighbours: `starts.py` takes guests from here; `scheduler.py` says when the worker is idle.
Invariant: what waits is within `ready_max` guests and `ready_memory_mb` in all, and within
`ready_per_function_max` and `ready_memory_per_function_mb` for each function, unless more is
provisioned for it. A start that would do anything but compute a little and log (wait, call the
host, exit) is never made ahead.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Generator
from time import monotonic
from typing import NamedTuple

import structlog

from edge.config import SandboxSettings
from edge.host.calls import HostCalls
from edge.host.grants import GrantSet
from edge.host.log import LogBuffer
from edge.host.session import Session
from edge.host.wasi2.context import Context, Misuse
from edge.model.limits import MIB
from edge.model.readiness import Readiness
from edge.sandbox.component.instance import ComponentInstance
from edge.sandbox.component.loaded import LoadedComponent
from edge.sandbox.execution import Work
from edge.sandbox.instance import Allowance
from edge.sandbox.seats import Seat, Seats
from edge.sandbox.stop import GuestStopped

LINES_MAX = 1_024
IDLE_PROBE_S = 0.001
BUSY_PROBE_S = 0.005
KEPT_S = 10.0
START_FUEL_MAX = 50_000_000
"""10 ms: nobody is billed for a guest that waits until it is used, so none costs much more."""

_log = structlog.get_logger(__name__)


class Recipe(NamedTuple):
    """All that a guest's start depends on."""

    function: str
    image: str
    allowance: Allowance
    environment: tuple[tuple[str, str], ...]
    grants: GrantSet


class _NoCalls(HostCalls):
    """A start that calls the host is not made ahead."""

    def begin(self, session: Session, request: bytes) -> bytes | Awaitable[bytes]:
        """End the guest."""
        raise Misuse("a guest that waits for its event calls nobody")


class Line:
    """The guests that wait for one recipe."""

    def __init__(self, component: LoadedComponent) -> None:
        self.component = component
        self.waiting: deque[ComponentInstance] = deque()
        self.wanted = 1
        self.memory_each = 0  # of the last that was started
        self.memory_bytes = 0
        self.unfit = False
        self.used_s = monotonic()
        self.kept = 0  # provisioned, as of `kept_s`
        self.kept_s = 0.0
        self.hits = 0
        self.misses = 0


class ReadyGuests:
    """The guests that wait on this worker, refilled while `is_idle()`."""

    def __init__(
        self, settings: SandboxSettings, seats: Seats, is_idle: Callable[[], bool]
    ) -> None:
        self._settings = settings
        self._seats = seats
        self._is_idle = is_idle
        self._calls = _NoCalls({})
        self._lines: OrderedDict[Recipe, Line] = OrderedDict()
        self._loop = asyncio.get_running_loop()
        self._refill: asyncio.TimerHandle | None = None
        self._starting: tuple[Recipe, ComponentInstance, Generator[None, None, None]] | None = None
        self.count = 0
        self.memory_bytes = 0

    @property
    def seats_held(self) -> int:
        """Seats of guests that wait, or are being started for it."""
        return self.count + (self._starting is not None)

    # Handing out

    def take(self, component: LoadedComponent, work: Work) -> ComponentInstance | None:
        """A guest that waited for this; None when there is none, and then one is wanted."""
        if not self._settings.ready_max:
            return None
        session = work.session
        recipe = Recipe(
            session.function, work.image, work.allowance, session.environment, session.grants
        )
        line = self._line(recipe, component)
        line.used_s = monotonic()
        self._refill_soon(IDLE_PROBE_S)
        if not line.waiting:
            line.misses += 1
            line.wanted = min(line.wanted + 1, self._settings.ready_per_function_max)
            return None
        line.hits += 1
        guest = self._pop(line)
        guest.adopt(session)
        return guest

    def keep(self, component: LoadedComponent, recipe: Recipe, count: int) -> None:
        """Have `count` guests wait for this, called or not, for the next `KEPT_S`."""
        if not self._settings.ready_max:
            return
        line = self._line(recipe, component)
        line.used_s = line.kept_s = monotonic()
        line.kept = count
        self._refill_soon(IDLE_PROBE_S)

    def _line(self, recipe: Recipe, component: LoadedComponent) -> Line:
        line = self._lines.get(recipe)
        if line is None or line.component is not component:
            if line is not None:
                self._drop(recipe)
            line = self._lines[recipe] = Line(component)
            while len(self._lines) > LINES_MAX:
                self._drop(next(iter(self._lines)))
        else:
            self._lines.move_to_end(recipe)
        return line

    def _pop(self, line: Line) -> ComponentInstance:
        guest = line.waiting.popleft()
        line.memory_bytes -= guest.held_bytes
        self.memory_bytes -= guest.held_bytes
        self.count -= 1
        return guest

    def readiness(self, function: str) -> Readiness:
        """What waits for a function, and how often that helped."""
        lines = [line for recipe, line in self._lines.items() if recipe.function == function]
        return Readiness(
            sum(len(line.waiting) for line in lines),
            sum(line.hits for line in lines),
            sum(line.misses for line in lines),
            sum(line.memory_bytes for line in lines),
        )

    # Refilling

    def _refill_soon(self, delay_s: float) -> None:
        if self._refill is None:
            self._refill = self._loop.call_later(delay_s, self._run)

    def _run(self) -> None:
        """One slice of one start, if nobody else wants the worker."""
        self._refill = None
        if not self._is_idle():
            self._refill_soon(BUSY_PROBE_S)
            return
        if self._starting is None:
            self._starting = self._begin()
        if self._starting is not None:
            self._advance(*self._starting)
            self._refill = self._loop.call_later(0, self._run)

    def _begin(self) -> tuple[Recipe, ComponentInstance, Generator[None, None, None]] | None:
        for recipe in reversed(self._lines):
            line = self._lines[recipe]
            if line.unfit or not self._has_room(line):
                continue
            seat = self._seats.take()
            if seat is None:
                return None
            guest = self._make(recipe, line.component, seat)
            return recipe, guest, guest.start()
        return None

    def _has_room(self, line: Line) -> bool:
        settings = self._settings
        wanted = max(min(line.wanted, settings.ready_per_function_max), _kept(line))
        return (
            len(line.waiting) < wanted
            and self.count < settings.ready_max
            and self._within_memory(line, 1, line.memory_each)
        )

    def _within_memory(self, line: Line, guests: int, more: int) -> bool:
        """Whether there is memory for `guests` more that hold `more`; what is provisioned is
        bounded with all others only."""
        settings = self._settings
        return self.memory_bytes + more <= settings.ready_memory_mb * MIB and (
            line.memory_bytes + more <= settings.ready_memory_per_function_mb * MIB
            or len(line.waiting) + guests <= _kept(line)
        )

    def _make(self, recipe: Recipe, component: LoadedComponent, seat: Seat) -> ComponentInstance:
        session = Session(
            "", recipe.function, recipe.grants, recipe.environment, LogBuffer(), deadline_ns=0
        )
        surroundings = Context(session, self._calls, package=component.package)
        return ComponentInstance(component, seat, surroundings, recipe.allowance)

    def _advance(
        self, recipe: Recipe, guest: ComponentInstance, steps: Generator[None, None, None]
    ) -> None:
        line = self._lines.get(recipe)
        try:
            next(steps)
            fit = guest.pending is None and guest.fuel_used() <= START_FUEL_MAX
        except StopIteration:
            self._starting = None
            if line is None or guest.module is not line.component:
                self._close(guest)
                return
            self._add(line, guest)
            return
        except GuestStopped:
            fit = False
        if not fit or line is None:
            self._starting = None
            self._close(guest)
            if line is not None:
                line.unfit = True

    def _add(self, line: Line, guest: ComponentInstance) -> None:
        line.memory_each = guest.held_bytes
        line.waiting.append(guest)
        line.memory_bytes += guest.held_bytes
        self.memory_bytes += guest.held_bytes
        self.count += 1
        while line.waiting and not self._within_memory(line, 0, 0):  # it took more than others did
            self._close(self._pop(line))

    # Letting go

    def give_up_seat(self) -> Seat | None:
        """A seat for a guest whose event is here, from one that waits; None when none waits."""
        for line in self._lines.values():
            if line.waiting:
                self._close(self._pop(line))
                return self._seats.take()
        return None

    def let_go_idle(self, idle_s: float) -> None:
        """Close what waits for functions that were not called for `idle_s`."""
        horizon = monotonic() - idle_s
        for recipe in [key for key, line in self._lines.items() if line.used_s < horizon]:
            self._drop(recipe)

    def forget(self, image: str) -> None:
        """Close what waits for an image that no function uses any more."""
        for recipe in [recipe for recipe in self._lines if recipe.image == image]:
            self._drop(recipe)

    def stop(self) -> None:
        """Close everything."""
        if self._refill is not None:
            self._refill.cancel()
        if self._starting is not None:
            self._close(self._starting[1])
            self._starting = None
        for recipe in list(self._lines):
            self._drop(recipe)

    def _drop(self, recipe: Recipe) -> None:
        line = self._lines[recipe]
        while line.waiting:
            self._close(self._pop(line))
        del self._lines[recipe]

    def _close(self, guest: ComponentInstance) -> None:
        seat = guest.close()
        if seat is not None:
            self._seats.give_back(seat)


def _kept(line: Line) -> int:
    """How many are provisioned, as far as was said lately."""
    return line.kept if line.kept and monotonic() - line.kept_s < KEPT_S else 0
