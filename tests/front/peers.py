"""Clients that read an answer as slowly as a test wants, over HTTP/1.1 and HTTP/2.

Neighbours: `wire.py` sends what no client would.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Protocol
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import h11

from tests.front.wire import TIMEOUT_S

READ_BYTES = 65_536
STREAM = 1

Fields = list[tuple[str, str]]


class Cut(Exception):
    """The answer ended before it was whole."""


class Peer(Protocol):
    """One request's answer, read piece by piece."""

    status: int
    headers: dict[str, str]
    trailers: dict[str, str]

    def read(self) -> bytes:
        """The next piece, or empty at the end; raises Cut."""

    def send(
        self, data: bytes, *, last: bool = False, trailers: Mapping[str, str] | None = None
    ) -> None:
        """More of the request's body; `trailers` behind the last of it."""


def rest(peer: Peer) -> bytes:
    """All that still comes; raises Cut."""
    return b"".join(iter(peer.read, b""))


@contextmanager
def ask(
    url: str,
    path: str,
    *,
    http2: bool = False,
    method: str = "POST",
    body: bytes | None = b"",
    headers: Mapping[str, str] | None = None,
) -> Iterator[Peer]:
    """Ask, and stay connected. Without a `body` it is sent piece by piece, by `send`."""
    connection = _connect(url)
    try:
        kind = _Http2 if http2 else _Http1
        made = kind(connection, method, path, list((headers or {}).items()))
        if body is not None:
            made.send(body, last=True)
        yield made
    finally:
        connection.close()


def _connect(url: str) -> socket.socket:
    """A connection that takes in little of an answer that nobody reads, on any machine."""
    parts = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
    connection.settimeout(TIMEOUT_S)
    connection.connect((parts.hostname, parts.port))
    return connection


class _Http1:
    def __init__(self, connection: socket.socket, method: str, path: str, more: Fields) -> None:
        self._socket = connection
        self._state = h11.Connection(h11.CLIENT)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.trailers: dict[str, str] = {}
        fields = [("host", "x"), ("te", "trailers"), ("transfer-encoding", "chunked"), *more]
        self._put(h11.Request(method=method, target=path, headers=fields))

    def _put(self, event: h11.Event) -> None:
        self._socket.sendall(self._state.send(event) or b"")

    def send(
        self, data: bytes, *, last: bool = False, trailers: Mapping[str, str] | None = None
    ) -> None:
        if data:
            self._put(h11.Data(data=data))
        if last:
            self._put(h11.EndOfMessage(headers=list((trailers or {}).items())))

    def read(self) -> bytes:
        while True:
            try:
                event = self._state.next_event()
            except h11.RemoteProtocolError as error:
                raise Cut from error
            if event is h11.NEED_DATA:
                try:
                    self._state.receive_data(self._socket.recv(READ_BYTES))
                except ConnectionResetError as error:
                    raise Cut from error
            elif isinstance(event, h11.Response):
                self.status, self.headers = event.status_code, _texts(event.headers)
            elif isinstance(event, h11.Data):
                return bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.trailers = _texts(event.headers)
                return b""
            elif isinstance(event, h11.ConnectionClosed):
                raise Cut


class _Http2:
    def __init__(self, connection: socket.socket, method: str, path: str, more: Fields) -> None:
        self._socket = connection
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self._state = h2.connection.H2Connection(config)
        self._state.initiate_connection()
        self._events: list[h2.events.Event] = []
        self.status = 0
        self.headers: dict[str, str] = {}
        self.trailers: dict[str, str] = {}
        head = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "x")]
        self._state.send_headers(STREAM, [*head, ("te", "trailers"), *more])
        self._flush()

    def _flush(self) -> None:
        self._socket.sendall(self._state.data_to_send())

    def send(
        self, data: bytes, *, last: bool = False, trailers: Mapping[str, str] | None = None
    ) -> None:
        assert not trailers, "ASGI has none of a request"
        while data and not self._is_answered():
            room = self._state.local_flow_control_window(STREAM)
            piece = data[: min(room, self._state.max_outbound_frame_size)]
            if piece:
                self._state.send_data(STREAM, piece)
                self._flush()
                data = data[len(piece) :]
            else:
                self._receive()
        if last:
            self._state.end_stream(STREAM)
            self._flush()

    def _is_answered(self) -> bool:
        """Whether the answer is whole, so that nobody takes the rest of the request."""
        ends = (h2.events.StreamEnded, h2.events.StreamReset)
        return any(isinstance(event, ends) for event in self._events)

    def _receive(self) -> None:
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise Cut
        self._events += self._state.receive_data(data)
        with suppress(OSError):
            self._flush()

    def read(self) -> bytes:
        while True:
            if not self._events:
                self._receive()
            for event in self._events[:]:
                self._events.remove(event)
                if isinstance(event, h2.events.ResponseReceived):
                    self.headers = dict(event.headers)
                    self.status = int(self.headers.pop(":status"))
                elif isinstance(event, h2.events.TrailersReceived):
                    self.trailers = dict(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    size = event.flow_controlled_length
                    self._state.acknowledge_received_data(size, STREAM)
                    with suppress(OSError):  # the server has said all it had to say
                        self._flush()
                    return bytes(event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    return b""
                elif isinstance(event, h2.events.StreamReset):
                    raise Cut


def _texts(fields: object) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in fields}  # type: ignore[attr-defined]
