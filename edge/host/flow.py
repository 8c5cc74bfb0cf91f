"""One body on its way between a guest and somebody else: its pipe, and how much of it there may be.

Neighbours: `response.py` has one for an answer, `wasi2/` for each body of HTTP's.
Invariant: a flow that passed its bound stays failed.
"""

from dataclasses import dataclass

from edge.model.limits import KIB, MIB
from edge.model.pipe import Pipe


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Bytes of one body: that wait to be read, that are streamed, that are collected."""

    buffer_bytes_max: int = 64 * KIB
    stream_bytes_max: int = 20 * MIB
    collected_bytes_max: int = 6 * MIB


class Flow:
    """`bytes_max` bounds all of a body; `overflow_bytes` is what it would have been once it passed
    that."""

    __slots__ = ("bytes_max", "overflow_bytes", "pipe")

    def __init__(self, limits: StreamLimits) -> None:
        self.pipe = Pipe(min(limits.buffer_bytes_max, limits.collected_bytes_max))
        self.bytes_max = limits.stream_bytes_max
        self.overflow_bytes = 0

    def admit(self, size: int) -> bool:
        """Whether there may be so many bytes more; once there may not, it has failed."""
        if self.pipe.written_bytes + size > self.bytes_max:
            self.overflow_bytes = self.pipe.written_bytes + size
        return not self.overflow_bytes
