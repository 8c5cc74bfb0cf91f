"""The sandbox's door: run this module on this input, within this allowance, until then.

Neighbours: `invoke/` calls `start`, and `finish` for what did not end at once; everything else in
this room is behind it.
Invariant: there is an ending for whatever a guest did; only a missing compiled file raises.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter_ns

from edge.config import SandboxSettings
from edge.host.calls import HostCalls
from edge.model.limits import MIB
from edge.model.outcome import Failure, Outcome
from edge.model.readiness import Readiness
from edge.sandbox.component.loaded import LoadedComponent
from edge.sandbox.component.ready import Recipe
from edge.sandbox.component.starts import ComponentStarts
from edge.sandbox.engine import Engine, PoolPlan
from edge.sandbox.execution import Ending, Execution, Work, end_at_once
from edge.sandbox.first_slice import FirstSlice
from edge.sandbox.imports import Imports
from edge.sandbox.instance import Instance
from edge.sandbox.memories import Kept
from edge.sandbox.modules import Modules
from edge.sandbox.scheduler import Scheduler, Turn
from edge.sandbox.seats import Seats

_NO_SEAT = Ending(
    Outcome.OVERLOADED, None, Failure("Overloaded", "no sandbox is free"), 0, 0, 0, 0, 0
)
_SWEEPS_PER_IDLE = 4


class Sandbox:
    """Engine, seats, modules and scheduler of one worker process. Made inside its event loop."""

    def __init__(
        self, plan: PoolPlan, compiled: Path, settings: SandboxSettings, calls: HostCalls
    ) -> None:
        self._settings = settings
        kept = Kept(settings.memory_kept_mb * MIB, settings.memory_kept_each_mb * MIB)
        self.engine = Engine(plan, kept)
        self._seats = Seats(plan.slots)
        self._imports = Imports(self.engine, self._seats, calls)
        first_slice = FirstSlice.load(
            self.engine.pointer, settings.close_inline_bytes_max, settings.close_at_once_bytes_max
        )
        self.modules = Modules(
            self.engine, self._imports, compiled, settings.loaded_max, first_slice
        )
        self._scheduler = scheduler = Scheduler(settings, calls)
        self._components = ComponentStarts(settings, self._seats, calls, lambda: scheduler.is_idle)
        self._stall_ns = settings.stall_us * 1_000

    @property
    def live(self) -> int:
        """How many guests are alive now."""
        ahead = self._components.ready.seats_held
        return self._seats.taken - ahead - self._scheduler.ended

    def readiness(self, function: str) -> Readiness:
        """How many guests of a component wait for their event, and how often that helped."""
        return self._components.ready.readiness(function)

    def keep_ready(self, recipe: Recipe, count: int) -> None:
        """Keep a module mapped, and `count` guests waiting if it is a component, for some seconds.

        Raises NotFound when the module has no usable compiled file.
        """
        module = self.modules.get(recipe.image)
        module.used_ns = perf_counter_ns()
        if isinstance(module, LoadedComponent):
            self._components.ready.keep(module, recipe, count)

    def start(self, work: Work) -> Ending | Execution:
        """Run a guest's first slice: its ending, or an execution for `finish`.

        Raises NotFound when the module has no usable compiled file.
        """
        module = self.modules.get(work.image)
        began_ns = perf_counter_ns()
        module.used_ns = began_ns
        if isinstance(module, LoadedComponent):
            begun = self._components.begin(module, work)
            return _NO_SEAT if begun is None else self._advance(begun, work, began_ns)
        seats = self._seats
        seat = seats.take() or self._components.ready.give_up_seat()
        if seat is None:
            return _NO_SEAT
        if module.stalls:
            module.first_slice = None
        first_slice = module.first_slice
        instance = Instance(module, seat, work.session, work.allowance)
        answer = None if first_slice is None else first_slice.run(instance, work.data)
        if answer is None:
            execution = Execution(instance, seats, work.data, began_ns)
            return self._advance(execution, work, began_ns)
        ending = end_at_once(instance, answer, began_ns)
        if instance.is_open:
            self._scheduler.close_soon(Execution(instance, seats, None, began_ns, ending))
        else:
            seats.give_back(seat)
        elapsed_ns = perf_counter_ns() - began_ns
        self._scheduler.started(work.session.function, ending.fuel, elapsed_ns)
        return ending

    def _advance(self, execution: Execution, work: Work, began_ns: int) -> Ending | Execution:
        """Run the first slice of an execution."""
        scheduler = self._scheduler
        if execution.instance.module.stalls:
            return execution
        ended = execution.advance()
        elapsed_ns = perf_counter_ns() - began_ns
        if elapsed_ns > self._stall_ns:
            scheduler.note_stall(execution, 1)
        ending = execution.ending
        if not ended or ending is None:
            scheduler.started(work.session.function, work.allowance.first_slice_fuel, elapsed_ns)
            return execution
        scheduler.started(work.session.function, ending.fuel, elapsed_ns)
        scheduler.close_soon(execution)
        return ending

    def must_wait(self, function: str) -> bool:
        """Whether a guest of `function` has to wait for a turn before it is started."""
        return self._scheduler.must_wait(function)

    def await_turn(self, turn: Turn) -> bool:
        """Have `turn.begin` called when the function's turn comes; False when too many wait."""
        return self._scheduler.await_turn(turn)

    async def finish(self, execution: Execution, deadline_s: float) -> Ending:
        """Run a started guest to its end, at the latest `deadline_s` on the loop's clock.

        Cancelling this ends the guest, and raises GuestCanceled.
        """
        return await self._scheduler.finish(execution, deadline_s)

    async def sweep(self) -> None:
        """Let idle modules go, for as long as the worker lives."""
        idle_s = self._settings.idle_unload_s
        while True:
            await asyncio.sleep(idle_s / _SWEEPS_PER_IDLE)
            self.modules.let_go_idle(idle_s)
            self._components.ready.let_go_idle(idle_s)

    def forget(self, images: Iterable[str]) -> None:
        """Unmap modules that no function uses any more."""
        for image in images:
            self.modules.forget(image)
            self._components.ready.forget(image)

    def stop(self) -> None:
        """End the background thread, after the guests are gone."""
        self._components.ready.stop()
        self._scheduler.stop()
