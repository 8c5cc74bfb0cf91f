"""A peer that sends any bytes, reads every frame, and says in short what it was told.

Neighbours: `test_http2.py` and the tests of connections use it.
Invariant: it never waits for what may not come: behind its bytes it sends a PING, so it is told
either that PING's acknowledgement or the end of the connection.
"""

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Self

import hpack
from h2.errors import ErrorCodes
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.front.door.http2.case import ACK, PREFACE, SETTINGS, Type, frame
from tests.front.wire import connect

TIMEOUT_S = 30
MARK = b"that-all"
WINDOW = 65_535
DATA_BYTES_MAX = 16_384


class Peer:
    """One connection. `statuses`, `bodies` and `resets` are by stream; `goaway` is of the last one
    its error and stream."""

    def __init__(self, url: str, sock: socket.socket | None = None) -> None:
        self.sock = sock or connect(url)
        self.sock.settimeout(TIMEOUT_S)
        self.statuses: dict[int, str] = {}
        self.fields: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytearray] = {}
        self.trailers: dict[int, dict[str, str]] = {}
        self.resets: dict[int, str] = {}
        self.ended: set[int] = set()
        self.stopped: set[int] = set()
        self.goaway: tuple[str, int] | None = None
        self.settings: dict[int, int] = {}
        self.is_closed = False
        self.pongs: list[bytes] = []
        self.continues: list[int] = []
        self.windows: dict[int, int] = {}
        self.gives_window = True
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self._decoder.max_allowed_table_size = 2**32 - 1
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def start(self, settings: bytes = SETTINGS) -> None:
        """The preface, and the settings of both sides acknowledged."""
        self.send(PREFACE + settings + frame(Type.SETTINGS, ACK))

    def skip_head(self, beginning: bytes) -> None:
        """Read the head of an answer of HTTP/1.1, which begins so."""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self.sock.recv(65_536)
        assert self._buffer.startswith(beginning)
        self._buffer = self._buffer.partition(b"\r\n\r\n")[2]

    def send(self, data: bytes) -> None:
        """Send bytes; a peer that was closed on does not mind."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data)

    def send_body(self, stream: int, size: int, *, on: bool = False) -> int:
        """Send so many zeros, as the windows let them; less when the stream ends before, or, when
        it goes `on` behind an answer, when it is told to stop. How many were left."""
        ends = self.stopped if on else self.ended
        while size and stream not in ends and not self.is_closed:
            given = [WINDOW + self.windows.get(each, 0) for each in (0, stream)]
            room = min(size, DATA_BYTES_MAX, *given)
            if not room:
                self.read()
                continue
            self.send(frame(Type.DATA, 0, stream, bytes(room)))
            size -= room
            for each in (0, stream):
                self.windows[each] = self.windows.get(each, 0) - room
        return size

    def await_streams(self, *streams: int) -> None:
        """Read until these streams ended, or the connection."""
        wanted = set(streams)
        while not self.is_closed and not wanted <= self.ended:
            self.read()

    def await_quiet(self) -> None:
        """Read until everything sent so far was taken, or the connection ended."""
        count = len(self.pongs)
        self.send(frame(Type.PING, payload=MARK))
        while not self.is_closed and MARK not in self.pongs[count:]:
            self.read()

    def await_close(self) -> None:
        """Read until the connection ended."""
        while not self.is_closed:
            self.read()

    @property
    def told(self) -> tuple[str, ...]:
        """All it was told so far, as a `Case` writes it."""
        streams = sorted(self.resets.keys() | self.statuses.keys() & self.ended)
        by_stream = [
            f"{stream}: RST {self.resets[stream]}"
            if stream in self.resets
            else f"{stream}: {self.statuses[stream]}"
            for stream in streams
        ]
        if self.goaway is not None and self.is_closed:
            by_stream.append(f"GOAWAY {self.goaway[0]}")
        elif self.is_closed:
            by_stream.append("closed")
        return tuple(by_stream)

    def read(self) -> None:
        """Take in what one read gives."""
        try:
            piece = self.sock.recv(65_536)
        except ConnectionResetError:
            piece = b""
        self.is_closed = not piece
        self._buffer += piece
        for each in self._frames():
            self._take(each)

    def _frames(self) -> Iterator[Frame]:
        while len(self._buffer) >= 9:
            found, size = Frame.parse_frame_header(memoryview(self._buffer[:9]))
            if len(self._buffer) < 9 + size:
                return
            found.parse_body(memoryview(self._buffer[9 : 9 + size]))
            self._buffer = self._buffer[9 + size :]
            yield found

    def _take(self, found: Frame) -> None:
        stream = found.stream_id
        if isinstance(found, HeadersFrame):
            assert "END_HEADERS" in found.flags
            given = dict(self._decoder.decode(found.data))
            if ":status" not in given:
                self.trailers[stream] = given
            elif given[":status"] == "100":
                self.continues.append(stream)
            else:
                self.statuses[stream] = given[":status"]
                self.fields[stream] = given
        elif isinstance(found, DataFrame):
            self.bodies.setdefault(stream, bytearray()).extend(found.data)
            if self.gives_window and found.flow_controlled_length:
                for each in (0, stream):
                    size = found.flow_controlled_length
                    self.send(WindowUpdateFrame(each, window_increment=size).serialize())
        elif isinstance(found, RstStreamFrame) and stream in self.ended:
            # Not the rest of a body that is not wanted, nor what comes of it all the same.
            assert found.error_code in (ErrorCodes.NO_ERROR, ErrorCodes.STREAM_CLOSED)
            self.stopped.add(stream)
        elif isinstance(found, RstStreamFrame):
            self.resets[stream] = ErrorCodes(found.error_code).name
            self.ended.add(stream)
        elif isinstance(found, GoAwayFrame):
            self.goaway = (ErrorCodes(found.error_code).name, found.last_stream_id)
        elif isinstance(found, WindowUpdateFrame):
            opened = self.windows.get(stream, 0) + found.window_increment
            self.windows[stream] = opened
        elif isinstance(found, PingFrame) and "ACK" in found.flags:
            self.pongs.append(found.opaque_data)
        elif isinstance(found, SettingsFrame) and "ACK" not in found.flags:
            self.settings.update(found.settings)
        if "END_STREAM" in found.flags:
            self.ended.add(stream)
