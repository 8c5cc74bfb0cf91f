"""One guest from its store to its end, as steps that yield whenever it is not finished.

A step generator yields each time Wasmtime hands control back early: because a fuel slice is used
up, or because the guest waits for the host (`pending` tells which). Whoever advances it again
polls again.

Neighbours: `abi.py` and `command.py` say which exports are called; `imports.py` calls back in;
`scheduler.py` decides who is advanced, when, and on which thread.
Invariant: the pending future is deleted before its store, and the store before its seat is free.
"""

import ctypes
from collections.abc import Awaitable, Generator
from dataclasses import dataclass
from time import perf_counter_ns
from typing import TYPE_CHECKING

from edge.host.memory import MemoryFault
from edge.host.session import FuelSpent, Session
from edge.sandbox import raw, stop
from edge.sandbox.memories import Images
from edge.sandbox.memory import GuestMemory
from edge.sandbox.seats import (
    ERROR_WORD,
    FIRST_WORD,
    FUEL_WORD,
    RESULT_WORD,
    SECOND_WORD,
    TRAP_WORD,
    Seat,
)

if TYPE_CHECKING:
    from edge.sandbox.modules import LoadedModule

Steps = Generator[None, None, int]

TRAP_INTERRUPT = 10
TABLE_ELEMENTS_MAX = 100_000
_U32 = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one guest may use: fuel in all, memory, fuel in its first slice, host time in each, and
    how long its answer may be."""

    fuel_max: int
    memory_bytes_max: int
    first_slice_fuel: int
    host_ns_per_slice: int
    answer_bytes_max: int


@dataclass(frozen=True, slots=True)
class Sleep:
    """The guest waits for time to pass."""

    duration_ns: int


@dataclass(frozen=True, slots=True)
class Request:
    """The guest waits for a host call that has not begun: it was made off the event loop."""

    data: bytes


Pending = Sleep | Request | Awaitable[bytes]


class SliceOverran(Exception):
    """A guest without a fiber used up its slice: start it again in the form that can yield."""


class Instance:
    """A live guest on its seat. Made, advanced and closed by one execution."""

    result_address: int  # set with each import that may wait

    __slots__ = (
        "_closed",
        "_context",
        "_future",
        "_pinched",
        "_store",
        "_synchronous",
        "allowance",
        "answer",
        "budget_ns",
        "is_open",
        "memory",
        "memory_left_bytes",
        "module",
        "off_loop",
        "pending",
        "ready",
        "restored_ns",
        "result_address",
        "seat",
        "session",
        "slice_fuel",
        "stopped",
        "used_fuel",
    )

    def __init__(
        self, module: "LoadedModule", seat: Seat, session: Session, allowance: Allowance
    ) -> None:
        self.module = module
        self.session = session
        self.allowance = allowance
        self.memory: GuestMemory | None = None
        self.pending: Pending | None = None
        self.answer = b""
        self.ready = False
        self.stopped: stop.GuestStopped | None = None
        self.off_loop = False
        self.budget_ns = allowance.host_ns_per_slice
        self.used_fuel = 0
        self.restored_ns = 0
        self.slice_fuel = allowance.first_slice_fuel
        self._closed = self._pinched = self.is_open = False
        self._synchronous = module.first_slice is not None
        self._future = self._store = self._context = self.memory_left_bytes = 0
        self.seat = seat
        seat.taker = self

    # Starting

    def start(self) -> Steps:
        """Instantiate on a fiber, in slices."""
        seat, allowance = self.seat, self.allowance
        self._store = raw.store_new(self.module.engine, seat.number, None)
        self._context = raw.store_context(self._store)
        raw.store_limiter(self._store, allowance.memory_bytes_max, TABLE_ELEMENTS_MAX, 1, -1, -1)
        raw.set_fuel(self._context, allowance.fuel_max)
        raw.set_slice(self._context, self.slice_fuel)
        self._future = raw.instantiate_async(
            self.module.pre, self._context, seat.instance, seat.trap, seat.error
        )
        yield from self._finish(self.module.images)
        self._find_memory()
        return 0

    def call(self, name: bytes, arguments: int, first: int, second: int, results: int) -> Steps:
        """Call an export with up to two i32 arguments; its result as an unsigned 64 bit number.

        `arguments` and `results` count them: a tuple to unpack would cost more than it tells.
        """
        seat, words = self.seat, self.seat.words
        self._export(name)
        words[FIRST_WORD], words[SECOND_WORD], words[RESULT_WORD] = first, second, 0
        self._future = raw.call_async(
            self._context,
            seat.function_item,
            seat.arguments,
            arguments,
            seat.result,
            results,
            seat.trap,
            seat.error,
        )
        yield from self._finish()
        return words[RESULT_WORD]

    def _finish(self, images: Images | None = None) -> Generator[None, None, None]:
        """Poll until it is done; `images` is what memories are made of meanwhile."""
        while True:
            if images is not None:
                images.use()
            is_done = (raw.poll_released if self.off_loop else raw.poll)(self._future)
            if images is not None:
                images.put_away()
            if is_done:
                break
            yield
            self.budget_ns = self.allowance.host_ns_per_slice
            if self._pinched:
                self._pinched = False
                raw.set_slice(self._context, self.slice_fuel)
        raw.future_delete(self._future)
        self._future = 0
        words = self.seat.words
        if words[TRAP_WORD] or words[ERROR_WORD]:
            self.fail(words[TRAP_WORD], words[ERROR_WORD])

    def _export(self, name: bytes) -> None:
        seat = self.seat
        raw.export_get(self._context, seat.instance, name, len(name), seat.function)

    def _find_memory(self) -> None:
        seat = self.seat
        raw.export_get(self._context, seat.instance, b"memory", 6, seat.memory)
        self.memory = GuestMemory(self._context, seat.memory_item)

    # Ending

    def hold(self, store: int, context: int) -> None:
        """Take over what the first slice left to be closed."""
        self._store, self._context, self.is_open = store, context, True

    def adopt(self, store: int, context: int) -> None:
        """Take over what the first slice left to be run."""
        self.hold(store, context)
        if self.restored_ns:
            self.memory = GuestMemory(context, self.seat.memory_item)

    def fail(self, trap: int, error: int) -> None:
        """Raise what a trap or an error means; both are taken, and never freed twice."""
        words = self.seat.words
        words[TRAP_WORD] = words[ERROR_WORD] = 0
        cause = raw.take_trap(trap) if trap else None
        message = raw.take_error(error) if error else ""
        if self._synchronous and self._overran(cause):
            raise SliceOverran
        if self.stopped is not None:
            raise self.stopped
        if cause is None:
            raise stop.refused(message)
        raise stop.from_trap(cause, self.memory_bytes, self.allowance.memory_bytes_max)

    def _overran(self, cause: raw.Trap | None) -> bool:
        spent = self.session.host_fuel > self.allowance.first_slice_fuel
        return spent or (cause is not None and cause.code == raw.Trap.OUT_OF_FUEL)

    @property
    def memory_bytes(self) -> int:
        """The guest's present memory, which is also its peak: linear memory never shrinks."""
        if self.memory is not None and self._store:
            return self.memory.size_bytes
        return self.memory_left_bytes

    @property
    def held_bytes(self) -> int:
        """How much there may be to give back when it is closed."""
        return self.memory_bytes

    def fuel_used(self) -> int:
        """Fuel the guest burned, with what its host calls were charged."""
        if self._store:
            raw.get_fuel(self._context, self.seat.fuel)
            allowance = self.allowance
            limit = allowance.first_slice_fuel if self._synchronous else allowance.fuel_max
            self.used_fuel = limit - self.seat.words[FUEL_WORD]
        return self.used_fuel + self.session.host_fuel

    def set_slice(self, fuel: int) -> None:
        """Change how long a slice is; only between polls."""
        self.slice_fuel = fuel
        if self._future:  # else it is set when the guest starts
            raw.set_slice(self._context, fuel)

    def close(self, *, released: bool = False) -> Seat | None:
        """Delete future and store; the seat is free then. `released` gives the GIL away."""
        if self._closed:
            return None
        self._closed = True
        if self._future:
            raw.future_delete(self._future)
            self._future = 0
        if self._store:
            (raw.store_delete_released if released else raw.store_delete)(self._store)
            self._store = 0
        return self.seat

    # What the steps say and move

    def restored(self) -> None:
        """Mark the end of starting: what follows is the event's."""
        self.restored_ns = perf_counter_ns()

    def put(self, pointer: int, data: bytes) -> None:
        """Copy the event in, to where the guest said."""
        try:
            self._memory().write(pointer, data)
        except MemoryFault as fault:
            raise stop.from_host(fault) from None

    def get(self, pointer: int, length: int) -> bytes:
        """Copy the answer out, from where the guest said it is."""
        if length > self.allowance.answer_bytes_max:
            raise stop.too_large(length, self.allowance.answer_bytes_max)
        try:
            return self._memory().read(pointer, length)
        except MemoryFault as fault:
            raise stop.from_host(fault) from None

    def _memory(self) -> GuestMemory:
        assert self.memory is not None, "a started guest has its memory"
        return self.memory

    # Answering the host calls it waits for

    def resolve(self, answer: bytes) -> None:
        """The answer of the host call in flight; the guest sees it at its next slice."""
        self.answer = answer
        self.set_result(len(answer))
        self.pending = None
        self.ready = True

    def wake(self) -> None:
        """The time it slept for has passed."""
        self.pending = None
        self.ready = True

    def set_result(self, value: int) -> None:
        """The i32 result of the waiting import."""
        ctypes.c_uint8.from_address(self.result_address).value = raw.KIND_I32
        ctypes.c_int32.from_address(self.result_address + raw.VAL_ITEM).value = value

    # Called by the imports, inside a poll

    def reach_memory(self, caller: int) -> GuestMemory:
        """The memory of a guest that calls the host from its start function."""
        if self.memory is None:
            raw.caller_export_get(caller, b"memory", 6, self.seat.memory)
            self.memory = GuestMemory(raw.caller_context(caller), self.seat.memory_item)
        return self.memory

    def end(self, cause: BaseException) -> int:
        """Stop the guest for `cause`; the trap to return to Wasmtime."""
        if self.stopped is None:
            self.stopped = stop.from_host(cause)
        trap: int = raw.trap_new_code(TRAP_INTERRUPT)
        return trap

    def spend(self, elapsed_ns: int) -> int:
        """Account for a host function just run; a trap when its charges passed the limit.

        Fuel does not see host time, so a guest that floods the host is made to yield by a slice
        of one unit once it has used its share of this poll.
        """
        session, allowance = self.session, self.allowance
        session.host_ns += elapsed_ns
        self.budget_ns -= elapsed_ns
        limit = allowance.first_slice_fuel if self._synchronous else allowance.fuel_max
        if session.host_fuel > limit:
            return self.end(FuelSpent())
        if self.budget_ns < 0 and not self._pinched and not self._synchronous:
            self._pinched = True
            raw.set_slice(self._context, 1)
        return 0
