"""A guest as host functions see one: a session, and a memory that is a bytearray."""

import asyncio
from collections.abc import Sequence
from struct import pack, unpack_from
from time import monotonic_ns
from typing import Any

from edge.host.calls import HostCalls
from edge.host.grants import parse_grants
from edge.host.log import LogBuffer
from edge.host.memory import MemoryFault
from edge.host.session import Session
from edge.host.wasi import FUNCTIONS
from edge.model import cbor


class ByteMemory:
    """`Memory` over a bytearray, with a bump allocator for what tests put in."""

    def __init__(self, size: int = 1 << 16) -> None:
        self.data = bytearray(size)
        self._next = 16

    def read(self, pointer: int, length: int) -> bytes:
        """See Memory."""
        self._check(pointer, length)
        return bytes(self.data[pointer : pointer + length])

    def write(self, pointer: int, data: bytes) -> None:
        """See Memory."""
        self._check(pointer, len(data))
        self.data[pointer : pointer + len(data)] = data

    def _check(self, pointer: int, length: int) -> None:
        if pointer < 0 or length < 0 or pointer + length > len(self.data):
            raise MemoryFault(f"{length} bytes at {pointer}")

    def reserve(self, size: int) -> int:
        """Room that nothing else uses."""
        pointer = self._next
        self._next += (size + 15) // 8 * 8
        return pointer

    def put(self, data: bytes) -> int:
        """Copy data to room of its own."""
        pointer = self.reserve(len(data))
        self.write(pointer, data)
        return pointer

    def put_iovecs(self, ranges: Sequence[tuple[int, int]]) -> int:
        """An array of (pointer, length)."""
        return self.put(b"".join(pack("<II", *each) for each in ranges))

    def u32(self, pointer: int) -> int:
        """A number that a function wrote."""
        return int(unpack_from("<I", self.data, pointer)[0])

    def u64(self, pointer: int) -> int:
        """A number that a function wrote."""
        return int(unpack_from("<Q", self.data, pointer)[0])


def make_session(*grants: str, timeout_ms: int = 10_000, **fields: Any) -> Session:
    """The session of a function called `test`."""
    deadline_ns = monotonic_ns() + timeout_ms * 1_000_000
    environment = fields.pop("environment", ())
    log = fields.pop("log", None) or LogBuffer()
    return Session("request", "test", parse_grants(grants), environment, log, deadline_ns, **fields)


def wasi(session: Session, memory: ByteMemory, name: str, *arguments: int) -> int:
    """Call a WASI function as the sandbox does; its error number."""
    return FUNCTIONS[name].run(session, memory, *arguments)


async def call(calls: HostCalls, session: Session, **request: Any) -> Any:
    """Make a host call as a guest does; its decoded answer."""
    answer = calls.begin(session, cbor.encode(request))
    if not isinstance(answer, bytes):
        answer = await asyncio.ensure_future(answer)
    return cbor.decode(answer)


async def code_of(calls: HostCalls, session: Session, **request: Any) -> str:
    """The error code of a call that is to fail."""
    answer = await call(calls, session, **request)
    assert set(answer) == {"error"}, answer
    assert set(answer["error"]) == {"code", "message"}
    return str(answer["error"]["code"])
