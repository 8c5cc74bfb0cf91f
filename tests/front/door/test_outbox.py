"""Answers that leave together: each in its place, none late, none lost."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from edge.config import DoorSettings
from edge.front.asgi import Receive, Scope, Send
from edge.front.door.outbox import Outbox
from tests.front.door.in_process import answering, open_door
from tests.front.door.messages.message import HOST, get
from tests.front.wire import connect, is_closed, read_response
from tests.running import Server
from tests.wat import HELLO

PEERS = 40
LONG_US = 60_000_000
"""No machine is so busy that it would pass within a test."""
LARGE = b"x" * 100_000
LAST = get(b"/last", HOST + b"Connection: close\r\n")


class Peer:
    """Has an answer, and notes when it was sent."""

    def __init__(self, sent: list[int], number: int) -> None:
        self._sent = sent
        self._number = number

    def send_held(self) -> None:
        """As a connection does."""
        self._sent.append(self._number)


def outbox(**settings: int) -> Outbox:
    """One on the loop that runs."""
    return Outbox(asyncio.get_running_loop(), DoorSettings(**settings))  # type: ignore[arg-type]


async def test_the_first_of_a_turn_does_not_wait() -> None:
    """Only what comes after it, to the turn's end, in order; and so in the next turn."""
    sent: list[int] = []
    box = outbox(answers_held_us_max=LONG_US)
    for _ in range(2):
        assert box.is_first()
        for number in range(5):
            assert not box.is_first()
            box.hold(Peer(sent, number), 10)
        assert not sent
        await asyncio.sleep(0)
        assert sent == [0, 1, 2, 3, 4]
        sent.clear()


async def test_nothing_waits_long() -> None:
    """What is due leaves when the next message comes, or the next answer; a full box at once."""
    sent: list[int] = []
    patient = outbox(answers_held_us_max=LONG_US)
    patient.hold(Peer(sent, 1), 10)
    patient.flush_due()
    assert not sent
    box = outbox(answers_held_us_max=1_000)
    box.hold(Peer(sent, 2), 10)
    await asyncio.sleep(0.002)  # no turn was begun that would end now
    box.flush_due()
    assert sent == [2]
    full = outbox(answers_held_us_max=LONG_US, answers_held_bytes_max=100)
    full.hold(Peer(sent, 3), 60)
    assert sent == [2]
    full.hold(Peer(sent, 4), 60)
    assert sent == [2, 3, 4]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with its path: whole, in parts, or behind much."""
    path = scope["path"].encode()
    parts = {b"/parts": (path, b"!"), b"/large": (LARGE + path,)}.get(path, (path,))
    await answering(*parts)(scope, receive, send)


@asynccontextmanager
async def peers() -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    """Many connections to one door."""
    async with open_door(app) as port:
        opened = [
            await asyncio.open_connection("127.0.0.1", port, limit=1 << 20) for _ in range(PEERS)
        ]
        try:
            yield opened
        finally:
            for _, writer in opened:
                writer.close()


async def test_answers_keep_their_order() -> None:
    """Whatever waits, a connection's answers leave in the order of its messages."""
    paths = (b"/a", b"/b", b"/parts", b"/c", b"/large", b"/d", b"/e")
    async with peers() as opened:
        for _, writer in opened:
            writer.write(b"".join(map(get, paths)) + LAST)
        for reader, _ in opened:
            answers = await asyncio.wait_for(reader.read(-1), 20)
            ends = [answers.index(path, 1) for path in (*paths, b"/last")]
            assert ends == sorted(ends)
            assert answers.count(b"HTTP/1.1 200") == len(paths) + 1


def test_who_ends_its_part_is_answered(tmp_path: Path) -> None:
    """A peer that says behind its request that it will send no more still gets its answer."""
    no_turns = {"turn_us_starts": 100_000}  # nobody waits, however busy this machine is
    with Server(tmp_path / "data", settings=no_turns) as server:
        server.deploy("hello", HELLO)
        sockets = [connect(server.http_url) for _ in range(PEERS)]
        for sock in sockets:
            sock.sendall(get(b"/hello"))
            sock.shutdown(socket.SHUT_WR)
        for sock in sockets:
            with closing(sock):
                response, body = read_response(sock)
                assert (response.status_code, body) == (200, b"hello")
                assert is_closed(sock)
