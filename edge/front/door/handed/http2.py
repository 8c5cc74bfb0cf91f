"""HTTP/2 as Hypercorn drives it, with what it leaves open closed.

Hypercorn 0.18 ends the whole connection when a part of a body comes for a stream that was
answered, for a path that is not ASCII, and when PRIORITY frames name more streams than it follows.
After so many requests it sends GOAWAY and loses the answers that are due; an idle connection it
closes without a word, so that a request on its way is lost; what belongs to a stream that was
reset it keeps. Resets it takes as fast as they come. Here that is mended, event by event.

Neighbours: `connection.py` brings bytes; `request.py` is a stream; h2 knows the protocol.
Source: RFC 9113. Priorities are not followed (section 5.3.2 lets that be).
Invariant: a stream ends with its answer, with a reset, or with the connection; every stream that
the last GOAWAY counts is served.
"""

import asyncio
import contextlib
from math import inf
from typing import TYPE_CHECKING

import structlog
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PriorityUpdated,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hpack.exceptions import HPACKError
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.events import Closed, RawData, Updated
from hypercorn.events import Event as IOEvent
from hypercorn.protocol.events import Body, Request
from hypercorn.protocol.h2 import H2Protocol, StreamBuffer
from hypercorn.typing import ConnectionState
from hypercorn.utils import filter_pseudo_headers
from hyperframe.frame import GoAwayFrame

from edge.front.door.handed.frames import FrameFault, Frames
from edge.front.door.handed.request import Http2Request, is_malformed
from edge.model.limits import MIB

if TYPE_CHECKING:
    from edge.front.door.handed.connection import HandedHttp2
    from edge.front.door.server import Door

RESETS_MAX = 100
"""How many more streams a peer may reset than it had answers."""
TABLE_BYTES_MAX = 4_096
"""Of what was packed before; a peer may offer to remember more."""
DISCARD_BYTES_MAX = 8 * MIB
DISCARD_S = 2.0
"""How much is read, and how long, of a body whose request is answered. A reset that asks for no
more (RFC 9113, section 8.1) makes curl 7 and httpx forget the answer."""
FAREWELL_S = 5.0
"""How long a connection that is to end waits for a moment without requests."""
_EVERY_STREAM = 2**31 - 1

_log = structlog.get_logger(__name__)


class Http2(H2Protocol):
    """The protocol of one connection."""

    def __init__(self, handed: "HandedHttp2", task_group: TaskGroup) -> None:
        config = handed.config
        super().__init__(
            handed.app,
            config,
            handed.context,
            task_group,
            ConnectionState(handed.state),
            handed.is_tls,
            (handed.address, 0),
            handed.local,
            handed.protocol_send,
        )
        self.door: Door = handed.door
        self._handed = handed
        block_bytes_max = 2 * config.h2_max_header_list_size
        self.connection.decoder.max_header_list_size = block_bytes_max
        self._frames = Frames(self.door.loop.time, block_bytes_max)
        self._receiving: set[int] = set()  # streams of which more may come
        self._discarding: dict[int, int] = {}  # bytes of streams that may come for nobody
        self._resets = 0
        self._answers = 0
        self._requests = 0
        self._last = _EVERY_STREAM  # that is served
        self._leave_by_s = inf
        self._is_over = False

    def source(self, headers: list[tuple[bytes, bytes]]) -> str:
        """Where a request comes from, a trusted proxy's word taken for it."""
        return self._handed.source(headers)

    @property
    def unsent(self) -> int:
        """How many bytes wait for the peer to read them."""
        return self._handed.unsent

    # Bytes

    async def handle(self, event: IOEvent) -> None:
        """Bytes of the peer, or its end."""
        if not isinstance(event, RawData):
            self._is_over = True  # nobody is there: what is told now would wait for ever
            await super().handle(event)
            return
        try:
            for index, piece in enumerate(self._frames.cut(event.data)):
                if index:
                    await asyncio.sleep(0)
                if self._is_over:
                    return  # thrown away, so that the peer can read why
                await self._take(piece)
        except FrameFault as fault:
            await self.end(fault.code)

    async def _take(self, piece: bytes) -> None:
        try:
            events = self.connection.receive_data(piece)
        except ProtocolError as error:
            is_packed_wrong = isinstance(error.__cause__, HPACKError | IndexError | TypeError)
            is_compression = is_packed_wrong and error.error_code == ErrorCodes.PROTOCOL_ERROR
            await self.end(ErrorCodes.COMPRESSION_ERROR if is_compression else error.error_code)
        except Exception as error:  # h2's outermost frame: a fault of its own is one peer's loss
            _log.error("http2_failed", cause=f"{type(error).__name__}: {error}")
            await self.end(ErrorCodes.INTERNAL_ERROR)
        else:
            await self._handle_events(events)

    async def _flush(self) -> None:
        data = self.connection.data_to_send()
        if data and not self._is_over:
            self._frames.earn(len(data))
            await self.send(RawData(data))

    async def end(self, code: ErrorCodes) -> None:
        """Say why the connection ends, and end what runs on it."""
        self.connection.clear_outbound_data_buffer()
        await self._say_goaway(self.connection.highest_inbound_stream_id, code)
        self._is_over = True
        await super().handle(Closed())
        self._handed.linger()

    # Events

    async def _handle_events(self, events: list[Event]) -> None:
        for event in events:
            if self._is_over:
                return
            if isinstance(event, RequestReceived):
                await self._begin(event)
            elif isinstance(event, DataReceived):
                await self._take_data(event)
            elif not isinstance(event, PriorityUpdated):
                await self._note(event)
                await super()._handle_events([] if self._is_over else [event])
        await self._flush()

    async def _note(self, event: Event) -> None:
        if isinstance(event, StreamEnded | StreamReset):
            self._forget(event.stream_id)
        if isinstance(event, StreamReset):
            self._resets += 1
            if self._resets > RESETS_MAX + self._answers:
                await self.end(ErrorCodes.ENHANCE_YOUR_CALM)
        elif (
            isinstance(event, RemoteSettingsChanged)
            and SettingCodes.HEADER_TABLE_SIZE in event.changed_settings
        ):
            offered = self.connection.remote_settings.header_table_size
            self.connection.encoder.header_table_size = min(offered, TABLE_BYTES_MAX)

    async def _begin(self, event: RequestReceived) -> None:
        stream_id = event.stream_id
        if self._last == _EVERY_STREAM and self.door.loop.time() >= self._leave_by_s:
            self._last = stream_id - 1
            await self._say_goaway(self._last, ErrorCodes.NO_ERROR)
        if stream_id > self._last:
            self._reset(stream_id, ErrorCodes.REFUSED_STREAM)
        elif is_malformed(event.headers, is_whole=event.stream_ended is not None):
            self._reset(stream_id, ErrorCodes.PROTOCOL_ERROR)
        else:
            if event.stream_ended is None:
                self._receiving.add(stream_id)
            await self._create_stream(event)
            await self.send(Updated(idle=False))
            self._requests += 1
            if self._requests == self.door.settings.requests_per_connection_max:
                await self.leave(0.0)

    async def _create_stream(self, request: RequestReceived) -> None:
        """See H2Protocol."""
        stream_id = request.stream_id
        named = dict(request.headers)
        stream = self.streams[stream_id] = Http2Request(self, stream_id)
        self.stream_buffers[stream_id] = StreamBuffer(self.context.event_class)
        self.priority.insert_stream(stream_id)
        self.priority.block(stream_id)
        await stream.handle(
            Request(
                stream_id=stream_id,
                headers=filter_pseudo_headers(request.headers),
                http_version="2",
                method=named[b":method"].decode(),
                raw_path=named[b":path"],
                state=self.connection_state,
            )
        )

    # Bodies

    async def _take_data(self, event: DataReceived) -> None:
        """Offer a part of a body; all of the connection's window is open again at once, the
        stream's for what is no content, the rest when the application took it."""
        stream_id, size = event.stream_id, event.flow_controlled_length
        taken = size
        if stream_id in self._discarding:
            self._discarding[stream_id] -= size
            if self._discarding[stream_id] < 0:
                self._reset(stream_id, ErrorCodes.NO_ERROR)
        elif stream_id in self.streams:
            taken -= len(event.data)
            await self.streams[stream_id].handle(Body(stream_id=stream_id, data=event.data))
        self._open_window(0, size)
        self._open_window(stream_id, taken)

    async def open_window(self, stream_id: int, size: int) -> None:
        """The application took so much of a stream's body."""
        self._open_window(stream_id, size)
        await self._flush()

    def _open_window(self, stream_id: int, size: int) -> None:
        if size and (not stream_id or stream_id in self._receiving) and not self._is_over:
            with contextlib.suppress(ProtocolError, KeyError):  # it is over, and maybe forgotten
                self.connection.increment_flow_control_window(size, stream_id or None)

    def _discard(self, stream_id: int) -> None:
        """Let the rest of a body come, for a while, for its client may read no answer before."""
        self._discarding[stream_id] = DISCARD_BYTES_MAX
        self._open_window(stream_id, self.connection.local_settings.initial_window_size)

        def stop() -> None:
            if stream_id in self._discarding and not self._is_over:
                self._reset(stream_id, ErrorCodes.NO_ERROR)
                self.task_group.spawn(self._flush)

        self.door.loop.call_later(DISCARD_S, stop)

    def _forget(self, stream_id: int) -> None:
        """Nothing more comes of a stream."""
        self._receiving.discard(stream_id)
        self._discarding.pop(stream_id, None)

    # The end of a stream

    def _reset(self, stream_id: int, code: ErrorCodes) -> None:
        self._forget(stream_id)
        with contextlib.suppress(ProtocolError):
            self.connection.reset_stream(stream_id, code)

    async def _close_stream(self, stream_id: int) -> None:
        """The application is done with a stream, or its peer; an answer that is no whole one is
        told from one that is."""
        await super()._close_stream(stream_id)
        buffer = self.stream_buffers.get(stream_id)
        if buffer is not None and not buffer.complete:
            self._reset(stream_id, ErrorCodes.INTERNAL_ERROR)
            await buffer.close()
            self.priority.unblock(stream_id)
            await self.has_data.set()
            await self._flush()
        await self._end_when_done()

    async def _send_data(self, stream_id: int) -> None:
        await super()._send_data(stream_id)
        if stream_id in self.stream_buffers:
            return
        self._answers += stream_id in self.streams  # else it was reset
        if stream_id in self._receiving:
            self._discard(stream_id)
            await self._flush()
        await self._end_when_done()

    # The end of the connection

    async def leave(self, wait_s: float = FAREWELL_S) -> None:
        """Take requests until none is there for a moment, or until one comes after `wait_s`.

        A GOAWAY that comes while a request runs would be the standard's way, but there are clients
        (those on h2 among them) that give up what runs, then.
        """
        self._leave_by_s = min(self._leave_by_s, self.door.loop.time() + wait_s)
        await self._end_when_done()

    async def _end_when_done(self) -> None:
        if self._leave_by_s == inf or self._is_over or self.streams or self.stream_buffers:
            return
        if self._last == _EVERY_STREAM:
            self._last = self.connection.highest_inbound_stream_id
            await self._say_goaway(self._last, ErrorCodes.NO_ERROR)
        self._is_over = True
        self._handed.linger()

    async def _say_goaway(self, last: int, code: ErrorCodes) -> None:
        # Not by h2, for which nothing is sent behind a GOAWAY.
        if not self._is_over:
            frame = GoAwayFrame(0, last_stream_id=last, error_code=code)
            await self.send(RawData(frame.serialize()))
