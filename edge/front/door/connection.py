"""One connection: messages in their order, each read to its end and answered once.

What has come and was not read stands in one buffer, and one message at a time is taken from it:
what the peer pipelines waits there. A subclass says what becomes of a message: `functions.py`
invokes, `asgi.py` calls an application.

Neighbours: `server.py` makes connections and keeps the clock; `peer.py` has what is behind the
messages, a transport and who is at its other end; `head.py` and `body.py` read.
Invariant: a message is answered once; after a refusal nothing more is read; nothing of one
connection is kept where another could see it.
"""

from typing import TYPE_CHECKING

from edge.front.answers import Answer, metering_lines
from edge.front.door.body import Body, ChunkedBody, SizedBody
from edge.front.door.handed.upgrade import SWITCHING, WEBSOCKET, http2_upgrade, is_websocket
from edge.front.door.head import CHUNKED, PREFACE, Head, check_beginning
from edge.front.door.peer import NEVER, Peer
from edge.front.door.proxies import read_proxy_header
from edge.front.door.refusals import Refusal, refusal_answer, too_late
from edge.front.door.writing import CLOSE, CONTINUE, KEEP_ALIVE, has_no_body, response_head
from edge.model.limits import KIB

if TYPE_CHECKING:
    from edge.front.door.server import Door

BUFFERED_BYTES_MAX = 64 * KIB
"""What may wait unread; beyond it, by one read at most, the socket is not read."""
MESSAGES_PER_TURN = 16
"""How many messages of one peer are taken before others have their turn."""
JOINED_BYTES_MAX = 64 * KIB
"""Longer bodies are not copied behind their head: 6 MiB would cost 1 ms."""

_HEAD_END = b"\r\n\r\n"


class Connection(Peer):
    """The messages of one peer, and their answers."""

    __slots__ = (
        "_at",
        "_awaits_continue",
        "_body",
        "_buffer",
        "_closes",
        "_head",
        "_head_begun",
        "_requests",
        "_scheduled",
        "busy",
        "full",
    )

    def __init__(self, door: "Door") -> None:
        super().__init__(door)
        self._buffer = b""
        self._at = 0
        self._requests = 0
        self._head: Head | None = None
        self._head_begun = False
        self._awaits_continue = False
        self._body: Body | None = None
        self._closes = False  # after the answer that is due
        self._scheduled = False
        self.busy = False  # something runs, and will answer
        self.full = False  # nobody takes the body's pieces now

    # What becomes of a message: a subclass's

    def begin(self, head: Head) -> None:
        """The head was read. Raises Refusal, or answers, when its body need not be read."""
        raise NotImplementedError

    def add_body(self, pieces: list[bytes], size: int) -> None:
        """Some of the body. Raises Refusal."""
        raise NotImplementedError

    def end_body(self) -> None:
        """The body was read to its end."""
        raise NotImplementedError

    def abandon(self) -> bool:
        """End what runs, if anything; whether the message can still be answered."""
        raise NotImplementedError

    # What the transport tells

    def connection_lost(self, error: Exception | None) -> None:
        """The peer is gone, and with it whoever ran for it."""
        self._transport = None
        self._closing = True
        self._buffer = self._held = b""
        self._door.leave(self)
        self.abandon()

    def eof_received(self) -> bool:
        """The peer will send no more: to a server, a peer that left. What it had asked before is
        answered, unless it must be waited for."""
        self.send_held()
        if self._scheduled and not self._closing:
            self._door.loop.call_soon(self._end_later)
            return True
        return False

    def _end_later(self) -> None:
        """The end came before what was pipelined had its turn."""
        if self._scheduled:
            self._door.loop.call_soon(self._end_later)
        elif self._transport is not None:
            self._transport.close()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._writable = True
        if self._closing:
            self._linger()
        else:
            self._advance()

    def data_received(self, data: bytes) -> None:
        """Bytes of messages, split anywhere."""
        if self._closing:
            return  # thrown away, so that the peer can read the answer
        if self._at < len(self._buffer):
            self._buffer = self._buffer[self._at :] + data
        else:
            self._buffer = data
        self._at = 0
        self._advance()

    # Reading

    def _advance(self) -> None:
        """Take from the buffer what can be taken now, then wait for what is missing."""
        self._scheduled = False
        try:
            for _ in range(MESSAGES_PER_TURN):
                if self._closing:
                    return
                if self._body is not None:
                    if self.full or not self._read_body():
                        break
                elif not self._may_begin() or not self._read_head():
                    break
            else:
                self._scheduled = True
                self._door.loop.call_soon(self._go_on)
        except Refusal as refusal:
            self.turn_away(refusal)
        self._settle()

    def _go_on(self) -> None:
        if self._scheduled:
            self._advance()

    def _may_begin(self) -> bool:
        return self._at < len(self._buffer) and self._writable and not self.busy

    def _read_head(self) -> bool:
        """Read one head and begin what it asks for; False when more must come first."""
        buffer, at = self._buffer, self._at
        if self._has_preface:
            return self._read_proxy_header()
        end = buffer.find(_HEAD_END, at)
        if end < 0:
            check_beginning(buffer[at:], self._door.settings)
            return False
        end += len(_HEAD_END)
        raw = buffer[at:end]
        if not self._requests and raw == PREFACE:
            self.hand_over(buffer[at:])
            return False
        settings = self._door.settings
        self._door.outbox.flush_due()
        head = self._door.heads.read(raw)
        self._at = end
        self._requests += 1
        self._head_begun = False
        if head.upgrade and self._is_handed_over(head, buffer, at):
            return False
        self._head = head
        self._closes = not head.keep_alive or self._requests >= settings.requests_per_connection_max
        if head.length:
            self._awaits_continue = head.expects_continue
            self._body = ChunkedBody() if head.length == CHUNKED else SizedBody(head.length)
            self.due_s = self._door.now_s + settings.body_stall_s
        if head.is_server_wide:
            self._answer_server_wide()
        else:
            self.begin(head)
        return True

    def _answer_server_wide(self) -> None:
        """`OPTIONS *` asks whether anyone is there (RFC 9110, section 9.3.7)."""
        if self._body is not None:
            self._closes = True
        self.respond(Answer(204, []))

    def _read_body(self) -> bool:
        """Read of the body what has come; False when more must come first."""
        body = self._body
        assert body is not None
        pieces: list[bytes] = []
        at = body.read(self._buffer, self._at, pieces)
        if at == self._at:
            return False
        self._at = at
        if pieces:
            size = sum(map(len, pieces))
            door, settings = self._door, self._door.settings
            # Every byte buys time, but no more than the longest pause: it cannot be saved up.
            due_s = self.due_s + size / settings.body_bytes_per_s_min
            self.due_s = min(due_s, door.now_s + settings.body_stall_s)
            self.add_body(pieces, size)
        if body.done:
            self._body = None
            self.end_body()
        return True

    def wants_body(self) -> None:
        """Ask the peer for the body it announced, if it waits to be asked."""
        head = self._head
        if head is not None and self._awaits_continue and self._transport is not None:
            self._awaits_continue = False
            if self._at == len(self._buffer):
                self.send_held()
                self._transport.write(CONTINUE)

    def goes_on(self) -> None:
        """What ran is over, or takes pieces again: go on reading."""
        if self._transport is not None and not self._closing:
            self._advance()

    def _read_proxy_header(self) -> bool:
        found = read_proxy_header(self._buffer[self._at :])
        if found is None:
            return False
        length, source = found
        self._at += length
        self._has_preface = False
        if source:
            self._peer = source
            self._trusted = False  # a proxy that speaks so tells the truth once, here
        return True

    def _settle(self) -> None:
        """Set what is waited for, and whether the socket is read."""
        transport = self._transport
        if transport is None or self._closing:
            return
        waiting = len(self._buffer) - self._at
        if not waiting:
            self._buffer, self._at = b"", 0  # what was read is not kept by an idle connection
        reads_body = self._body is not None and not self.full
        if self._scheduled or not self._writable or (not reads_body and (self.busy or self.full)):
            if self._writable:
                self.due_s = NEVER
            if waiting > BUFFERED_BYTES_MAX and not self._paused:
                self._paused = True
                transport.pause_reading()
            return
        if self._paused:
            self._paused = False
            transport.resume_reading()
        settings = self._door.settings
        if reads_body:
            if self.due_s == NEVER:
                self.due_s = self._door.now_s + settings.body_stall_s
        elif not waiting:
            self.due_s = self._door.now_s + settings.idle_timeout_s
        elif not self._head_begun:
            self._head_begun = True
            self.due_s = self._door.now_s + settings.head_timeout_s

    # Answering

    def respond(self, answer: Answer) -> None:
        """Write the whole answer to the message. Raises ValueError for fields that are none."""
        head, transport = self._head, self._transport
        if transport is None or self._closing:
            return
        closes = self._closes or self._door.stopping
        ending = b""
        if closes:
            ending = CLOSE
        elif head is not None and head.version == "1.0":
            ending = KEEP_ALIVE
        own = b"" if answer.usage is None else metering_lines(answer.usage)
        data = response_head(answer.status, answer.headers, own, self._door.date, ending)
        bodiless = head is not None and has_no_body(head.method, answer.status)
        if len(answer.body) > JOINED_BYTES_MAX and not bodiless:
            self.send_held()
            transport.writelines((data, answer.body))
        else:
            self._send(data if bodiless else data + answer.body)
        self._head = None
        if closes:
            self.close()

    def refuse(self, answer: Answer) -> None:
        """Answer a message of which not all was read, and close: what follows it is no message."""
        self._closes = True
        self.respond(answer)

    def forget(self) -> None:
        """As Peer's."""
        self._buffer = b""

    def turn_away(self, refusal: Refusal) -> None:
        """As Peer's."""
        if self.abandon():
            self.refuse(refusal_answer(refusal))
        else:
            self.abort()

    def close(self) -> None:
        """As Peer's."""
        transport = self._transport
        if transport is None or self._closing:
            return
        self.send_held()
        self._closing = True
        self._linger()
        if transport.is_closing():
            return  # the peer was quicker
        lingers = self._body is not None or self._at < len(self._buffer)
        self._buffer, self._at, self._body = b"", 0, None
        if transport.can_write_eof():
            transport.write_eof()
        elif not lingers:
            transport.close()  # TLS has its own word for the end
        if self._paused:
            self._paused = False
            transport.resume_reading()

    def _is_handed_over(self, head: Head, buffer: bytes, at: int) -> bool:
        """Whether the request that stands at `at` goes on in another protocol, as it offers."""
        assert self._transport is not None
        scheme = b"https" if self._transport.get_extra_info("ssl_object") else b"http"
        upgrade = http2_upgrade(head, scheme)
        if upgrade is not None:
            self.send_held()
            self._transport.write(SWITCHING)
            self.hand_over(buffer[self._at :], upgrade)
        elif is_websocket(head):
            self.hand_over(buffer[at:], WEBSOCKET)
        return self._transport is None

    # What the sweeper and the stop ask

    @property
    def is_idle(self) -> bool:
        """As Peer's."""
        nothing_read = self._at == len(self._buffer) and self._body is None
        return nothing_read and not self.busy and self._writable and self._transport is not None

    @property
    def is_new(self) -> bool:
        """As Peer's."""
        return not self._requests

    def expire(self) -> None:
        """As Peer's."""
        if self._closing or not self._writable:
            self._end_if_stuck()
        elif self._body is not None:
            self.turn_away(too_late("the body did not arrive in time"))
        elif self._head_begun or self._has_preface:
            self.turn_away(too_late("the request did not arrive in time"))
        else:
            self.close()
