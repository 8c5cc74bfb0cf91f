"""Raw messages at the door, however they are split: the exact answers, and the connection's fate.

A connection that is kept is asked once more, for an answer that closes it; so no test waits.
"""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.front.door.messages import TABLE
from tests.front.door.messages.message import BODY_BYTES_MAX, HOST, get
from tests.front.door.messages.reader import read_answers
from tests.front.wire import connect
from tests.running import Server
from tests.wat import HELLO

LAST = get(b"/hello/last", HOST + b"Connection: close\r\n")
PIECE_BYTES_LARGE = 997


@pytest.fixture(scope="module")
def host(shared_server: Server) -> Iterator[Server]:
    """A host with a good function."""
    shared_server.deploy("hello", HELLO)
    yield shared_server
    assert shared_server.process.poll() is None


def send(connection: socket.socket, data: bytes, piece_bytes: int) -> None:
    """Send in pieces, each a packet of its own; a peer that has closed is not our concern."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if piece_bytes and len(data) > 2_000:
        piece_bytes = PIECE_BYTES_LARGE if len(data) < BODY_BYTES_MAX else 0
    with suppress(BrokenPipeError, ConnectionResetError):
        for at in range(0, len(data), piece_bytes or len(data)):
            connection.sendall(data[at : at + (piece_bytes or len(data))])


def receive(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    data = bytearray()
    while piece := connection.recv(65_536):
        data += piece
    return bytes(data)


@pytest.mark.parametrize("piece_bytes", [0, 1, 7], ids=["whole", "bytewise", "in sevens"])
@pytest.mark.parametrize("name", TABLE)
def test_message(host: Server, name: str, piece_bytes: int) -> None:
    """However the bytes are split, the answers and the connection's fate are the same."""
    message = TABLE[name]
    data = message.data if message.closes else message.data + LAST
    expected = message.answers if message.closes else (*message.answers, "200")
    with closing(connect(host.http_url)) as connection:
        send(connection, data, piece_bytes)
        answers = list(read_answers(receive(connection), message.to_head))
    assert tuple(answer.told for answer in answers) == expected
    *kept, last = answers
    assert last.fields[b"connection"] == b"close"
    assert {answer.fields.get(b"connection") for answer in kept} <= {None, b"keep-alive"}
    ids = [answer.fields.get(b"x-edge-request-id", index) for index, answer in enumerate(answers)]
    assert len(set(ids)) == len(ids)
