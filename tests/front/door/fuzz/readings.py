"""How the door reads what a connection is sent, and how h11 does.

Neighbours: `laws.py` compares the two.
Invariant: both answer each whole message with an empty 200, so that the next one is read.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import h11

from edge.config import DoorSettings
from edge.front.answers import Answer
from edge.front.door.connection import Connection
from edge.front.door.head import Head, Heads
from edge.front.door.outbox import Outbox
from edge.front.door.server import Door
from tests.front.door.messages.reader import read_answers

HEAD_BYTES_MAX = 40_000
_TURNS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message as it was read."""

    method: str
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(slots=True)
class Reading:
    """Whole messages, and whether the one after them was refused, or given to another protocol.

    `closed` tells that the reader will read nothing more, `unread` how many were answered without
    their body being read.
    """

    messages: list[Message] = field(default_factory=list)
    refused: bool = False
    handed_over: bool = False
    closed: bool = False
    unread: int = 0


class RecordingDoor:
    """What a connection needs of its door."""

    def __init__(self) -> None:
        self.settings = DoorSettings()
        self.heads = Heads(self.settings)
        self.proxies = None
        self.now_s = 0.0
        self.date = b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        self.stopping = False
        self.handed_over = False
        self.soon: list[Callable[[], object]] = []
        self.loop = SimpleNamespace(call_soon=self.soon.append)
        self.outbox = Outbox(cast(asyncio.AbstractEventLoop, self.loop), self.settings)

    def enter(self, connection: Connection) -> None:
        """All may."""

    def leave(self, connection: Connection) -> None:
        """Nothing is counted."""

    def is_proxy(self, address: str) -> bool:
        """Nobody is."""
        return False

    def hand_over(self, connection: Connection, transport: object, data: bytes) -> None:
        """What follows is another protocol's."""
        self.handed_over = True

    def turn(self) -> None:
        """What was put off."""
        for _ in range(_TURNS_MAX):
            if not self.soon:
                return
            self.soon.pop(0)()
        raise AssertionError("the connection never rests")


class RecordingTransport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = bytearray()

    def get_extra_info(self, name: str) -> object:
        """A peer, and no TLS."""
        return ("192.0.2.1", 1) if name == "peername" else None

    def write(self, data: bytes) -> None:
        """Kept."""
        self.written += data

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Kept."""
        self.written += b"".join(pieces)

    def can_write_eof(self) -> bool:
        """As a socket."""
        return True

    def write_eof(self) -> None:
        """Nothing follows."""

    def is_closing(self) -> bool:
        """Not by itself."""
        return False

    def get_write_buffer_size(self) -> int:
        """The peer reads at once."""
        return 0

    def pause_reading(self) -> None:
        """Nothing more is sent meanwhile anyway."""

    resume_reading = abort = close = pause_reading


class RecordingConnection(Connection):
    """Keeps each whole message, and answers it."""

    __slots__ = ("methods", "pieces", "reading", "running")

    def __init__(self, door: RecordingDoor) -> None:
        super().__init__(cast(Door, door))
        self.reading = Reading()
        self.methods: list[str] = []  # of each answer
        self.pieces: list[bytes] = []
        self.running: Head | None = None

    def begin(self, head: Head) -> None:
        """A head was read."""
        assert not self.reading.refused
        self.running = head
        if head.length == 0:
            self.end_body()

    def add_body(self, pieces: list[bytes], size: int) -> None:
        """Some of the body."""
        assert size == sum(map(len, pieces))
        self.pieces += pieces

    def end_body(self) -> None:
        """The message is whole."""
        head, self.running = self.running, None
        assert head is not None
        target = head.raw_path + (b"?" + head.raw_query if head.raw_query else b"")
        body, self.pieces = b"".join(self.pieces), []
        self.reading.messages.append(Message(head.method, target, tuple(head.fields), body))
        self.respond(Answer(200, [(b"content-length", b"0")], b""))

    def _answer_server_wide(self) -> None:
        head = self._head
        assert head is not None
        if self._body is None:
            self.reading.messages.append(Message(head.method, b"*", tuple(head.fields), b""))
        else:
            self.reading.unread += 1
        super()._answer_server_wide()

    def respond(self, answer: Answer) -> None:
        """Note what is answered."""
        self.methods.append(self._head.method if self._head is not None else "")
        super().respond(answer)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is read."""
        return self._closing

    def abandon(self) -> bool:
        """It can be answered."""
        self.pieces, self.running = [], None
        return True


class DoorReader:
    """The door's reading of one connection."""

    def __init__(self) -> None:
        self._door = RecordingDoor()
        self._transport = RecordingTransport()
        self._connection = RecordingConnection(self._door)
        self._connection.connection_made(cast(Any, self._transport))

    def feed(self, data: bytes) -> None:
        """Bytes came."""
        if not self._door.handed_over:
            self._connection.data_received(data)
            self._door.turn()

    def reading(self) -> Reading:
        """What was read. Each message has its answer, and a refused one its own, the last."""
        connection = self._connection
        reading = connection.reading
        reading.handed_over = self._door.handed_over
        reading.closed = connection.is_closed
        to_head = tuple(i for i, method in enumerate(connection.methods) if method == "HEAD")
        answers = list(read_answers(bytes(self._transport.written), to_head))
        good = [answer for answer in answers if answer.status in (200, 204)]
        reading.refused = len(good) < len(answers)
        assert len(good) == len(reading.messages) + reading.unread
        assert len(answers) - len(good) <= 1
        assert not reading.refused or (answers[-1].status >= 400 and reading.closed)
        return reading


def read_with_door(pieces: Iterable[bytes]) -> Reading:
    """The door's reading of what comes in `pieces`."""
    reader = DoorReader()
    for piece in pieces:
        reader.feed(piece)
    return reader.reading()


def read_with_h11(data: bytes) -> Reading:
    """h11's reading, with two leniencies of the door: an empty line before a message is read over
    (RFC 9112, section 2.2), and a connection of HTTP/1.0 is kept when its client asks for it."""
    reading = Reading()
    try:
        while data not in (b"", b"\r"):  # the latter begins an empty line
            message, data, reading.closed = _read_one(data.removeprefix(b"\r\n"))
            if message is None:
                break
            reading.messages.append(message)
            if reading.closed:
                break
    except h11.RemoteProtocolError:
        reading.refused = True
    return reading


def _read_one(data: bytes) -> tuple[Message | None, bytes, bool]:
    """A whole message, what follows it, and whether it is the last."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
    connection.receive_data(data)
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert request is not None
            fields = tuple((name, value) for name, value in request.headers)
            message = Message(request.method.decode(), request.target, fields, bytes(body))
            is_last = connection.their_state is h11.MUST_CLOSE and not _is_kept_old(request)
            return message, connection.trailing_data[0], is_last
        else:
            return None, b"", False


def _is_kept_old(request: h11.Request) -> bool:
    """Whether a client of HTTP/1.0 asked to go on, which h11 never does."""
    values = [value for name, value in request.headers if name == b"connection"]
    options = {option.strip().lower() for option in b",".join(values).split(b",")}
    return request.http_version == b"1.0" and b"keep-alive" in options and b"close" not in options
