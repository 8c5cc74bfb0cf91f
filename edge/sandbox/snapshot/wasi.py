"""WASI preview 1 as an initialiser sees it: an empty machine with a clock that barely moves.

Neighbours: `imports` links these, `host` guards them (bounds, fuel, exceptions).
Invariant: nothing of the host shows but its time of day and entropy, and whoever asks for
those or for the environment has the deployer warned that the answer is frozen into the image.
Source: the `wasi_snapshot_preview1` witx documents (layouts, error numbers).
"""

import os
import time
from collections.abc import Mapping
from typing import Final

from edge.sandbox.snapshot.host import Ended, GuestMemory, Import, InitHost
from edge.sandbox.snapshot.log import STDERR_LEVEL, STDOUT_LEVEL

SUCCESS: Final = 0
BADF: Final = 8
FAULT: Final = 21
INVAL: Final = 28
NOSYS: Final = 52
SPIPE: Final = 70

STDIN, STDOUT, STDERR = range(3)
VECTORS_MAX = 1024
WRITE_BYTES_MAX = 65_536
"""Of one fd_write; it says that it wrote less, and the guest goes on with the rest."""
SUBSCRIPTIONS_MAX = 1024
CLOCK_STEP_NS = 1_000
CLOCK_MAX_NS = 10_000_000_000
"""The monotonic clock starts at 0 and may be slept forward to here: less than what any host
shows later, so that the time passed since initialisation is never negative."""

_REALTIME = 0
_CLOCKS = range(4)
_CHARACTER_DEVICE = 2
_RIGHT_READ, _RIGHT_WRITE = 1 << 1, 1 << 6
_SUBSCRIPTION_BYTES, _EVENT_BYTES = 48, 32
_EVENT_CLOCK = 0
_ABSOLUTE = 1


class InitWasi:
    """The functions of one initialiser, which share its clock."""

    def __init__(self, host: InitHost) -> None:
        settings = host.settings
        self._host = host
        self._monotonic_ns = 0
        self._arguments = [item.encode("utf-8", "replace") + b"\0" for item in settings.arguments]
        self._environment = [
            f"{name}={value}".encode("utf-8", "replace") + b"\0"
            for name, value in settings.environment
        ]

    @property
    def functions(self) -> Mapping[str, tuple[tuple[str, ...], Import]]:
        """Every function by name, with its parameters; all but proc_exit return an error number.

        What is not here answers ENOSYS.
        """
        return {
            "args_sizes_get": (("i32",) * 2, self._args_sizes_get),
            "args_get": (("i32",) * 2, self._args_get),
            "environ_sizes_get": (("i32",) * 2, self._environ_sizes_get),
            "environ_get": (("i32",) * 2, self._environ_get),
            "clock_res_get": (("i32",) * 2, self._clock_res_get),
            "clock_time_get": (("i32", "i64", "i32"), self._clock_time_get),
            "random_get": (("i32",) * 2, self._random_get),
            "sched_yield": ((), self._sched_yield),
            "poll_oneoff": (("i32",) * 4, self._poll_oneoff),
            "proc_exit": (("i32",), self._proc_exit),
            "fd_read": (("i32",) * 4, self._fd_read),
            "fd_write": (("i32",) * 4, self._fd_write),
            "fd_seek": (("i32", "i64", "i32", "i32"), self._fd_seek),
            "fd_close": (("i32",), self._fd_close),
            "fd_fdstat_get": (("i32",) * 2, self._fd_fdstat_get),
            "fd_fdstat_set_flags": (("i32",) * 2, self._fd_fdstat_set_flags),
            "fd_prestat_get": (("i32",) * 2, self._fd_prestat_get),
            "fd_prestat_dir_name": (("i32",) * 3, self._fd_prestat_get),
        }

    def _args_sizes_get(self, memory: GuestMemory, *values: int) -> int:
        return _write_sizes(memory, self._arguments, *values)

    def _args_get(self, memory: GuestMemory, *values: int) -> int:
        return _write_strings(memory, self._arguments, *values)

    def _environ_sizes_get(self, memory: GuestMemory, *values: int) -> int:
        return _write_sizes(memory, self._environment, *values)

    def _environ_get(self, memory: GuestMemory, *values: int) -> int:
        if self._environment:
            self._host.warn(f"environment read {self._host.phase} is frozen into the snapshot")
        return _write_strings(memory, self._environment, *values)

    def _clock_res_get(self, memory: GuestMemory, *values: int) -> int:
        clock, place = values
        if clock not in _CLOCKS:
            return INVAL
        memory.write_u64(place, CLOCK_STEP_NS)
        return SUCCESS

    def _clock_time_get(self, memory: GuestMemory, *values: int) -> int:
        clock, _precision, place = values
        if clock not in _CLOCKS:
            return INVAL
        if clock == _REALTIME:
            self._host.warn(f"the time of day read {self._host.phase} is frozen into the snapshot")
            memory.write_u64(place, time.time_ns())
        else:
            self._monotonic_ns += CLOCK_STEP_NS
            memory.write_u64(place, self._monotonic_ns)
        return SUCCESS

    def _random_get(self, memory: GuestMemory, *values: int) -> int:
        start, length = values
        memory.check(start, length)
        self._host.warn(f"entropy drawn {self._host.phase} is shared by every instance")
        memory.write(start, os.urandom(length))
        return SUCCESS

    def _sched_yield(self, _memory: GuestMemory, *_values: int) -> int:
        return SUCCESS

    def _proc_exit(self, _memory: GuestMemory, *values: int) -> None:
        raise Ended(f"called proc_exit({values[0]})")

    def _fd_read(self, memory: GuestMemory, *values: int) -> int:
        descriptor, _vectors, _count, place = values
        if descriptor != STDIN:
            return BADF
        memory.write_u32(place, 0)
        return SUCCESS

    def _fd_write(self, memory: GuestMemory, *values: int) -> int:
        descriptor, vectors, count, place = values
        if descriptor not in (STDOUT, STDERR):
            return BADF
        if count > VECTORS_MAX:
            return INVAL
        data = b"".join(_vectors(memory, vectors, count))
        memory.write_u32(place, len(data))
        level = STDOUT_LEVEL if descriptor == STDOUT else STDERR_LEVEL
        self._host.log.write_stream(level, data)
        return SUCCESS

    def _fd_seek(self, _memory: GuestMemory, *values: int) -> int:
        return SPIPE if values[0] <= STDERR else BADF

    def _fd_close(self, _memory: GuestMemory, *values: int) -> int:
        return SUCCESS if values[0] <= STDERR else BADF

    def _fd_fdstat_get(self, memory: GuestMemory, *values: int) -> int:
        descriptor, place = values
        if descriptor > STDERR:
            return BADF
        rights = _RIGHT_READ if descriptor == STDIN else _RIGHT_WRITE
        memory.write(place, bytes((_CHARACTER_DEVICE,)) + bytes(7))
        memory.write_u64(place + 8, rights)
        memory.write_u64(place + 16, 0)
        return SUCCESS

    def _fd_fdstat_set_flags(self, _memory: GuestMemory, *values: int) -> int:
        return SUCCESS if values[0] <= STDERR else BADF

    def _fd_prestat_get(self, _memory: GuestMemory, *_values: int) -> int:
        return BADF

    def _poll_oneoff(self, memory: GuestMemory, *values: int) -> int:
        """Streams are ready; failing any, the first clock to run out is, and time jumps to it."""
        subscriptions, events, count, place = values
        if not 0 < count <= SUBSCRIPTIONS_MAX:
            return INVAL
        encoded = memory.read(subscriptions, count * _SUBSCRIPTION_BYTES)
        items = [
            encoded[start : start + _SUBSCRIPTION_BYTES]
            for start in range(0, len(encoded), _SUBSCRIPTION_BYTES)
        ]
        ready = [item for item in items if item[8] != _EVENT_CLOCK]
        if not ready:
            waits = [self._wait_ns(item) for item in items]
            shortest = min(waits)
            self._sleep(shortest)
            ready = [item for item, wait in zip(items, waits, strict=True) if wait == shortest]
        memory.write(events, b"".join(map(_event, ready)))
        memory.write_u32(place, len(ready))
        return SUCCESS

    def _wait_ns(self, subscription: bytes) -> int:
        """How long until a clock subscription runs out."""
        clock, timeout = _number(subscription, 16, 4), _number(subscription, 24, 8)
        if not _number(subscription, 40, 2) & _ABSOLUTE:
            return timeout
        now = time.time_ns() if clock == _REALTIME else self._monotonic_ns
        return max(0, timeout - now)

    def _sleep(self, nanoseconds: int) -> None:
        self._monotonic_ns += nanoseconds
        if self._monotonic_ns > CLOCK_MAX_NS:
            raise Ended(f"slept longer than {CLOCK_MAX_NS // 10**9} s in all")


def _number(data: bytes, start: int, length: int) -> int:
    return int.from_bytes(data[start : start + length], "little")


def _event(subscription: bytes) -> bytes:
    """The answer to one subscription; a stream other than the standard ones is not open."""
    kind = subscription[8]
    error = BADF if kind != _EVENT_CLOCK and _number(subscription, 16, 4) > STDERR else SUCCESS
    head = subscription[:8] + error.to_bytes(2, "little") + bytes((kind,))
    return head.ljust(_EVENT_BYTES, b"\0")


def _vectors(memory: GuestMemory, start: int, count: int) -> list[bytes]:
    """What an array of (pointer, length) points to, up to WRITE_BYTES_MAX."""
    encoded = memory.read(start, count * 8)
    parts: list[bytes] = []
    room = WRITE_BYTES_MAX
    for place in range(0, len(encoded), 8):
        length = min(room, _number(encoded, place + 4, 4))
        parts.append(memory.read(_number(encoded, place, 4), length))
        room -= length
    return parts


def _write_sizes(memory: GuestMemory, strings: list[bytes], *places: int) -> int:
    count, size = places
    memory.write_u32(count, len(strings))
    memory.write_u32(size, sum(map(len, strings)))
    return SUCCESS


def _write_strings(memory: GuestMemory, strings: list[bytes], *places: int) -> int:
    pointers, buffer = places
    for place, string in enumerate(strings):
        memory.write_u32(pointers + 4 * place, buffer)
        memory.write(buffer, string)
        buffer += len(string)
    return SUCCESS
