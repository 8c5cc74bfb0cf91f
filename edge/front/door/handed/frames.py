"""The heads of HTTP/2's frames, looked at as they come.

h2 looks at a frame when all of it is there, so one that announces 16 MB would be collected first;
and it takes any number of frames at a time, so one read of 7,000 small ones would hold up the loop
for 0.1 s. Here each head is read on its own: what can be known to be wrong is refused at once, and
what is left goes on in pieces of a few frames.

Neighbours: `http2.py` feeds it, and h2 with what it gives.
Source: RFC 9113, sections 3.4, 4.1, 4.2, 6.5 and 10.5.
"""

from collections.abc import Callable, Iterator

from h2.errors import ErrorCodes
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame, SettingsFrame

from edge.model.limits import KIB

FRAME_BYTES_MAX = 16 * KIB
"""What a peer may send that was told of no other (SETTINGS_MAX_FRAME_SIZE)."""
FRAMES_PER_TURN = 32
"""How many frames are taken before others have their turn."""
FRAMES_FREE_MAX = 2_000
FRAMES_PER_S = 100
FRAMES_PER_REQUEST = 32
BYTES_PER_FRAME = 64
"""A frame is paid for by so many bytes of a body, or sixteen times as many of an answer, for which
the peer must open windows; by a request; or by time."""

_PREFACE_BYTES = 24
_HEAD_BYTES = 9
_ACK = 0x1


class FrameFault(Exception):
    """The connection has to end, with this error."""

    def __init__(self, code: ErrorCodes) -> None:
        super().__init__(code.name)
        self.code = code


class Frames:
    """What a connection has sent so far, as far as heads of frames tell it."""

    def __init__(self, clock: Callable[[], float], block_bytes_max: int) -> None:
        """`clock` gives seconds; `block_bytes_max` is the most of a header block, still packed."""
        self._clock = clock
        self._block_bytes_max = block_bytes_max
        self._left = _PREFACE_BYTES  # of what is being passed on without a look at it
        self._head = b""
        self._block_bytes = 0
        self._is_first = True
        self._free = float(FRAMES_FREE_MAX)
        self._counted_s = clock()

    def cut(self, data: bytes) -> Iterator[bytes]:
        """`data` in pieces of a few frames. Raises FrameFault, after what came before the fault."""
        start = at = count = 0
        while at < len(data):
            step = min(self._left, len(data) - at)
            self._left -= step
            at += step
            if self._left or at == len(data):
                break
            if count == FRAMES_PER_TURN:
                yield data[start:at]
                start, count = at, 0
            piece = data[at : at + _HEAD_BYTES - len(self._head)]
            self._head += piece
            at += len(piece)
            if len(self._head) == _HEAD_BYTES:
                head, self._head = self._head, b""
                try:
                    self._left = self._check(head)
                except FrameFault:
                    yield data[start : at - len(piece)]
                    raise
                count += 1
        yield data[start:]

    def earn(self, sent_bytes: int) -> None:
        """So much was sent, for which the peer has to open windows."""
        self._free += sent_bytes / (16 * BYTES_PER_FRAME)

    def _check(self, head: bytes) -> int:
        """The length of the frame that begins so."""
        length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        is_acknowledgement = kind == SettingsFrame.type and flags & _ACK
        if self._is_first and (kind != SettingsFrame.type or is_acknowledgement):
            raise FrameFault(ErrorCodes.PROTOCOL_ERROR)
        self._is_first = False
        if length > FRAME_BYTES_MAX or (is_acknowledgement and length):
            raise FrameFault(ErrorCodes.FRAME_SIZE_ERROR)
        if kind == HeadersFrame.type:
            self._block_bytes = 0
            self._free += FRAMES_PER_REQUEST
        if kind in (HeadersFrame.type, ContinuationFrame.type):
            self._block_bytes += length
            if self._block_bytes > self._block_bytes_max:
                raise FrameFault(ErrorCodes.ENHANCE_YOUR_CALM)
        elif kind == DataFrame.type:
            self._free += length / BYTES_PER_FRAME
        self._pay()
        return length

    def _pay(self) -> None:
        self._free -= 1
        if self._free < 0:
            now_s = self._clock()
            self._free += (now_s - self._counted_s) * FRAMES_PER_S
            self._counted_s = now_s
            if self._free < 0:
                raise FrameFault(ErrorCodes.ENHANCE_YOUR_CALM)
        self._free = min(self._free, FRAMES_FREE_MAX)
