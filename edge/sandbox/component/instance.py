"""One component guest from its store to its end, as steps that yield whenever it is not finished.

The component's counterpart of `sandbox/instance.py`: the scheduler advances and wakes both alike.
It may be started ahead of demand, before the event it will answer has come (`ready.py`).

Neighbours: `caller.py` is the side of it that imports meet; `execution.py` drives it.
Invariant: the pending future is deleted before its store, and the store before its seat is free.
"""

import ctypes
from collections.abc import Generator
from time import perf_counter_ns
from typing import TYPE_CHECKING

from edge.host.wasi2.context import Context, Resource
from edge.sandbox import raw as core
from edge.sandbox import stop
from edge.sandbox.component import raw
from edge.sandbox.component.caller import Caller
from edge.sandbox.component.cells import set_kind
from edge.sandbox.component.envelope import text_bytes_max
from edge.sandbox.component.faults import read_fault
from edge.sandbox.component.raw import Kind
from edge.sandbox.component.touched import Touched
from edge.sandbox.engine import (
    CORE_INSTANCES_PER_COMPONENT_MAX,
    MEMORIES_PER_COMPONENT_MAX,
    RESIDENT_BYTES,
)
from edge.sandbox.instance import TABLE_ELEMENTS_MAX, Allowance
from edge.sandbox.seats import ERROR_WORD, FUEL_WORD, MEMORIES_WORD, Seat

if TYPE_CHECKING:
    from edge.sandbox.component.loaded import LoadedComponent

_RESULTS = 1


class ComponentInstance(Caller):
    """A live component on its seat. Made, advanced and closed by one execution."""

    __slots__ = (
        "_arguments",
        "_seat",
        "_store",
        "_touched",
        "future",
        "restored_ns",
        "slice_fuel",
        "started",
        "used_fuel",
    )

    def __init__(
        self, module: "LoadedComponent", seat: Seat, surroundings: Context, allowance: Allowance
    ) -> None:
        super().__init__(module, seat, surroundings, allowance)
        self.started = False
        self.used_fuel = 0
        self.restored_ns = 0
        self.slice_fuel = allowance.first_slice_fuel
        self.future = 0
        self._touched = Touched()
        self._arguments = 0
        self._seat = seat
        seat.component = self
        seat.words[MEMORIES_WORD] = seat.words[MEMORIES_WORD + 1] = 0
        self._store: int = core.store_new(module.engine, seat.number, None)
        self.context = core.store_context(self._store)
        core.store_limiter(
            self._store,
            allowance.memory_bytes_max,
            TABLE_ELEMENTS_MAX,
            CORE_INSTANCES_PER_COMPONENT_MAX,
            -1,
            MEMORIES_PER_COMPONENT_MAX,
        )

    # Steps

    def start(self) -> Generator[None, None, None]:
        """Instantiate, in slices."""
        seat = self._seat
        core.set_fuel(self.context, self.allowance.fuel_max)
        core.set_slice(self.context, self.slice_fuel)
        self.future = raw.instantiate(
            self.module.linked.pointer,
            self.context,
            self.module.pointer,
            seat.instance,
            seat.error,
        )
        yield from self._finish()
        self.started = True

    def call_text(self, text: bytes) -> Generator[None, None, bytes]:
        """Call the handler with one string (UTF-8); the string it answered."""
        seat = self._seat
        raw.name_copy(seat.arguments + raw.VAL_ITEM, len(text), text)
        set_kind(seat.arguments, Kind.STRING)
        self._arguments = 1
        yield from self._call(_RESULTS)
        length = ctypes.c_uint64.from_address(seat.result + raw.LENGTH).value
        try:
            most = self.allowance.answer_bytes_max
            if length > text_bytes_max(most):
                raise stop.too_large(length, most)
            data = ctypes.c_uint64.from_address(seat.result + raw.DATA).value
            return ctypes.string_at(data, length)
        finally:
            raw.value_delete(seat.result)

    def call_resources(self, first: Resource, second: Resource) -> Generator[None, None, None]:
        """Call the handler with two resources it is to own."""
        for address, item in (
            (self._seat.arguments, first),
            (self._seat.arguments + raw.VAL_SIZE, second),
        ):
            self.module.owned.lower(address, item, self)
            self._arguments += 1
        yield from self._call(0)

    def _call(self, results: int) -> Generator[None, None, None]:
        seat = self._seat
        raw.function_get(seat.instance, self.context, self.module.index, seat.function)
        set_kind(seat.result, Kind.BOOL)
        self.future = raw.call(
            seat.function,
            self.context,
            seat.arguments,
            self._arguments,
            seat.result,
            results,
            seat.error,
        )
        yield from self._finish()
        self._drop_arguments()

    def _finish(self) -> Generator[None, None, None]:
        while not self._poll():
            yield
            if self.stopped is not None:  # what it waited for failed: it is not polled again
                raise self.stopped
            self.resume()
        core.future_delete(self.future)
        self.future = 0
        words = self._seat.words
        error, words[ERROR_WORD] = words[ERROR_WORD], 0
        if error:
            fault = read_fault(error)
            if self.stopped is not None:
                raise self.stopped
            raise fault.as_stop(self.fuel_left(), self.surroundings.session.log)

    def _poll(self) -> bool:
        images = None if self.started else self.module.images
        if images is not None:
            images.use(self._seat.memories)
        self._touched.begin()
        done: bool = (core.poll_released if self.off_loop else core.poll)(self.future)
        self._touched.end()
        if images is not None:
            images.put_away()
        return done

    # Ending

    def fuel_left(self) -> int:
        """What is left of its fuel."""
        core.get_fuel(self.context, self._seat.fuel)
        return self._seat.words[FUEL_WORD]

    def fuel_used(self) -> int:
        """Fuel the guest burned, with what its host calls were charged."""
        if self._store:
            self.used_fuel = self.allowance.fuel_max - self.fuel_left()
        return self.used_fuel + self.session.host_fuel

    @property
    def memory_bytes(self) -> int:
        """Its present memory; in a pool what it touched, since Wasmtime does not tell."""
        if self.module.images.are_pooled:
            return self._touched.bytes + RESIDENT_BYTES
        return self._seat.words[MEMORIES_WORD]

    @property
    def held_bytes(self) -> int:
        """What of that it has for itself, and is not shared with others of its image."""
        if self.module.images.are_pooled:
            return self.memory_bytes
        return self._touched.bytes + self._seat.words[MEMORIES_WORD + 1]

    def set_slice(self, fuel: int) -> None:
        """Change how long a slice is; only between polls."""
        self.slice_fuel = fuel
        if self.future:
            core.set_slice(self.context, fuel)

    def close(self, *, released: bool = False) -> Seat | None:
        """Delete future, arguments and store; the seat is free then."""
        if not self._store:
            return None
        if self.future:
            core.future_delete(self.future)
            self.future = 0
        self._drop_arguments()
        (core.store_delete_released if released else core.store_delete)(self._store)
        self._store = 0
        self.abandon()
        seat = self._seat
        seat.clear()
        return seat

    def _drop_arguments(self) -> None:
        for index in range(self._arguments):
            raw.value_delete(self._seat.arguments + index * raw.VAL_SIZE)
        self._arguments = 0

    def restored(self) -> None:
        """Mark the end of starting: what follows is the event's."""
        self.restored_ns = perf_counter_ns()
