"""Run sample events in an initialised instance, so that the snapshot holds what they warmed.

Neighbours: `run` calls `prime` between the initialiser and the capture; `imports` gives the
guest the answers that stand beside an event, and refuses every other host call.
Invariant: an event that traps fails the deploy, as its leavings would be in every instance; one
that the guest answers with an error is kept, and the deployer is told.

The context says nothing of the moment or the function, so that equal primes leave equal images.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import wasmtime

from edge.model.cbor import CborError, decode, encode
from edge.model.errors import InitFailed
from edge.model.prime import Prime, read_answers, read_event
from edge.sandbox.snapshot.host import InitHost

REQUEST_ID: Final = "prime"
DEADLINE_MS: Final = 253_402_300_799_000
"""The end of the year 9999: a sample event is never in a hurry."""
RESTORE: Final = "edge_restore"
_HANDLER = ("memory", "edge_alloc", "edge_handle")
_U32 = 0xFFFF_FFFF
_U64 = 0xFFFF_FFFF_FFFF_FFFF

Make = Callable[[str, Callable[[], object]], object]


def prime(
    store: wasmtime.Store,
    exports: Mapping[str, object],
    host: InitHost,
    make: Make,
    primes: Sequence[Prime],
) -> None:
    """Run each event as a request would be: `edge_restore`, then `edge_handle`.

    `make(phase, call)` calls into the guest, and raises InitFailed where that ends.
    """
    if not primes:
        return
    guest = _Guest(store, exports, make)
    for item in primes:
        host.begin_priming(read_answers(item))
        guest.restore(item.name, host)
        _judge(item, guest.handle(item), host)


def _judge(item: Prime, answer: bytes, host: InitHost) -> None:
    """Warn of an answer that is an error: it may have warmed less than it should."""
    try:
        envelope = decode(answer)
    except CborError:
        envelope = None
    if not isinstance(envelope, dict) or len(envelope) != 1:
        host.warn(f"priming with {item.name} gave no answer")
    elif "error" in envelope:
        error = envelope["error"]
        type_, message = (
            (error.get("errorType"), error.get("errorMessage"))
            if isinstance(error, dict)
            else ("", error)
        )
        host.warn(f"priming with {item.name} ended in an error: {type_}: {message!s:.200}")


class _Guest:
    """The instance, driven as `docs/abi.md` has it."""

    def __init__(self, store: wasmtime.Store, exports: Mapping[str, object], make: Make) -> None:
        self._store = store
        self._exports = exports
        self._make = make
        for name in _HANDLER:
            if exports.get(name) is None:
                raise InitFailed(f"priming needs the export `{name}`")

    def restore(self, name: str, host: InitHost) -> None:
        """Run `edge_restore`. It runs again in every instance, so what it reads is not frozen."""
        function = self._exports.get(RESTORE)
        if isinstance(function, wasmtime.Func):
            with host.silent():
                self._make(f"priming with {name}: {RESTORE}", lambda: function(self._store))

    def handle(self, item: Prime) -> bytes:
        """The answer to one event, as bytes."""
        message = encode({"event": read_event(item), "context": _CONTEXT})
        phase = f"priming with {item.name}"
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        place = self._call(phase, "edge_alloc", len(message)) & _U32
        if place == 0:
            raise InitFailed(f"{phase}: the function has no room for its event")
        self._check(phase, memory, place, len(message))
        memory.write(self._store, message, place)
        result = self._call(phase, "edge_handle", _signed(place), len(message)) & _U64
        start, length = result >> 32, result & _U32
        self._check(phase, memory, start, length)
        return bytes(memory.read(self._store, start, start + length))

    def _call(self, phase: str, name: str, *arguments: int) -> int:
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        value = self._make(phase, lambda: function(self._store, *arguments))
        if not isinstance(value, int):
            raise InitFailed(f"{phase}: `{name}` must return an integer")
        return value

    def _check(self, phase: str, memory: wasmtime.Memory, start: int, length: int) -> None:
        if start + length > memory.data_len(self._store):
            raise InitFailed(f"{phase}: the function pointed outside its memory")


_CONTEXT: Final = {
    "requestId": REQUEST_ID,
    "functionName": REQUEST_ID,
    "functionVersion": "$LATEST",
    "invokedFunctionArn": "",
    "memoryLimitMb": 128,
    "deadlineMs": DEADLINE_MS,
    "traceparent": None,
    "clientContext": None,
}


def _signed(value: int) -> int:
    """An i32 as Wasmtime takes it."""
    return value - (1 << 32) if value >> 31 else value
