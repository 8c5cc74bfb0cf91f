"""What an initialiser can reach of its host, through one guard.

Neighbours: `imports` links the functions, `wasi` implements WASI's, `run` asks for the verdict.
Invariant: no exception leaves an import (Wasmtime's binding keeps the last one in a global).
What ends the initialiser is recorded as the verdict and its fuel is taken away instead.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import wasmtime

from edge.model.prime import HostAnswer
from edge.sandbox.snapshot.log import InitLog
from edge.sandbox.snapshot.settings import SnapshotSettings

CALL_FUEL: Final = 10_000
"""Charged for each host call, plus one per byte copied: its cost here is Python's, and a loop
of calls has to end within the fuel limit like any other."""


_NOBODY_READS: Final = tuple(
    HostAnswer({"op": op}, {"ok": None}) for op in ("response.start", "response.write")
)
"""What a function writes of its answer while it is primed goes nowhere."""


class Import(Protocol):
    """A host function: the caller's memory, then its arguments, all unsigned."""

    def __call__(self, memory: "GuestMemory", /, *values: int) -> int | None:
        """Its one i32 result, if it has one."""


_MASKS: Final = {"i32": 0xFFFFFFFF, "i64": 0xFFFFFFFFFFFFFFFF}


class OutsideMemory(Exception):
    """A pointer or length from the guest does not lie in its memory."""


class Ended(Exception):
    """The initialiser cannot go on; the text says why."""


class InitHost:
    """The state of one initialiser's host: fuel, log, warnings and the verdict, if any."""

    def __init__(self, store: wasmtime.Store, settings: SnapshotSettings) -> None:
        self.settings = settings
        self.log = InitLog(settings.log_bytes_max)
        self.verdict: str | None = None
        self.phase = "during initialisation"
        self.answers: tuple[HostAnswer, ...] = ()
        self._is_silent = False
        self._warnings: dict[str, None] = {}
        self._store = store

    @property
    def warnings(self) -> tuple[str, ...]:
        """Each kind of captured state once, in the order met."""
        return tuple(self._warnings)

    def warn(self, text: str) -> None:
        """Tell the deployer, once."""
        if not self._is_silent:
            self._warnings[text] = None

    def begin_priming(self, answers: tuple[HostAnswer, ...]) -> None:
        """From now on it is a sample event that runs, and its host calls may be answered."""
        self.phase = "while priming"
        self.answers = (*answers, *_NOBODY_READS)

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """What the body captures is renewed in every instance: nobody needs to be warned."""
        self._is_silent = True
        try:
            yield
        finally:
            self._is_silent = False

    def charge(self, fuel: int) -> None:
        """Take fuel for the host's work; raises Ended when it is not there."""
        left = self._store.get_fuel()
        if left < fuel:
            raise Ended(f"used up its {self.settings.fuel_max} fuel in host calls")
        self._store.set_fuel(left - fuel)

    def guard(
        self, call: Import, function: wasmtime.FuncType, on_fault: int | None
    ) -> Callable[..., int | None]:
        """Wrap an import: charged, arguments unsigned, and every failure kept inside.

        `on_fault` is the result for a pointer outside the memory; None makes that the verdict.
        """
        masks = [_MASKS[str(kind)] for kind in function.params]
        default = 0 if function.results else None

        def guarded(caller: wasmtime.Caller, *values: int) -> int | None:
            if self.verdict is not None:
                return default
            try:
                self.charge(CALL_FUEL)
                arguments = (value & mask for value, mask in zip(values, masks, strict=True))
                return call(GuestMemory(caller, self), *arguments)
            except OutsideMemory:
                if on_fault is not None:
                    return on_fault
                self._end("passed a pointer outside its memory to the host")
            except Ended as ended:
                self._end(str(ended))
            except Exception as error:  # whatever it is must not cross Wasmtime
                self._end(f"met a failure of the host: {error!r}")
            return default

        return guarded

    def _end(self, verdict: str) -> None:
        self.verdict = verdict
        self._store.set_fuel(0)


class GuestMemory:
    """The exported memory of the guest that is calling, with every access checked."""

    __slots__ = ("_caller", "_host", "_memory")

    def __init__(self, caller: wasmtime.Caller, host: InitHost) -> None:
        self._caller = caller
        self._host = host
        self._memory = caller.get("memory")

    def read(self, start: int, length: int) -> bytes:
        """Copy bytes out; raises OutsideMemory."""
        memory = self._checked(start, length)
        return bytes(memory.read(self._caller, start, start + length))

    def write(self, start: int, data: bytes) -> None:
        """Copy bytes in; raises OutsideMemory."""
        memory = self._checked(start, len(data))
        if data:
            memory.write(self._caller, data, start)

    def write_u32(self, start: int, value: int) -> None:
        """Store a 32-bit little-endian number."""
        self.write(start, value.to_bytes(4, "little"))

    def write_u64(self, start: int, value: int) -> None:
        """Store a 64-bit little-endian number."""
        self.write(start, value.to_bytes(8, "little"))

    def check(self, start: int, length: int) -> None:
        """Raise OutsideMemory unless the span lies in the memory."""
        self._checked(start, length)

    def _checked(self, start: int, length: int) -> wasmtime.Memory:
        memory = self._memory
        if not isinstance(memory, wasmtime.Memory):
            raise OutsideMemory
        if start + length > memory.data_len(self._caller):
            raise OutsideMemory
        self._host.charge(length)
        return memory
