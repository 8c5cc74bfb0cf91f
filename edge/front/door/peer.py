"""Who is at the other end of a connection, and what the transport does for it.

Neighbours: `connection.py` reads the peer's messages; `server.py` counts peers and keeps the clock.
Invariant: `due_s` is always when, on the loop's clock, the peer has waited, or been waited for, too
long.
"""

import asyncio
from math import inf
from typing import TYPE_CHECKING, cast

from edge.front.door.handed.upgrade import Upgrade
from edge.front.door.refusals import Refusal
from edge.front.door.writing import is_taken, reset, unsent_bytes

if TYPE_CHECKING:
    from edge.front.door.server import Door

LINGER_S = 2.0
"""How long the answer to a message that was not read is given to arrive, before a reset."""
NEVER = inf

_MAPPED = "::ffff:"


class Peer(asyncio.Protocol):
    """The protocol of one peer, without what it says."""

    __slots__ = (
        "_closing",
        "_door",
        "_has_preface",
        "_held",
        "_paused",
        "_peer",
        "_transport",
        "_trusted",
        "_unsent",
        "_writable",
        "address",
        "due_s",
        "introduced",
    )

    def __init__(self, door: "Door") -> None:
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._peer = self.address = ""
        self._trusted = False
        self._has_preface = False  # whether the PROXY protocol's header is still to come
        self._closing = False  # the answer was sent, nothing more is read
        self._paused = False
        self._writable = True
        self._held = b""  # answers that wait for those of other peers
        self._unsent = 0.0  # bytes, when this was last looked at
        self.due_s = NEVER
        self.introduced = ""  # whom a proxy named before TLS

    # What only who reads its messages can say: a subclass's

    @property
    def is_idle(self) -> bool:
        """Nothing is being read, run or written."""
        raise NotImplementedError

    @property
    def is_new(self) -> bool:
        """Nothing was asked on it yet."""
        raise NotImplementedError

    def turn_away(self, refusal: Refusal) -> None:
        """Answer what is not taken, and close."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what was read."""
        raise NotImplementedError

    def expire(self) -> None:
        """It waited too long: tell a peer that is sending, close one that is idle."""
        raise NotImplementedError

    def close(self) -> None:
        """Send the end, and read on for a while: a reset would take the answer from the peer."""
        raise NotImplementedError

    # What the transport tells, and does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer is there. One too many is told so; one that agreed on HTTP/2 is handed over."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        peer = transport.get_extra_info("peername")
        self._peer = peer[0].removeprefix(_MAPPED) if isinstance(peer, tuple) else ""
        self.address = self._peer
        door = self._door
        self.due_s = door.now_s + door.settings.head_timeout_s
        try:
            door.enter(self)
        except Refusal as refusal:
            self.turn_away(refusal)
            return
        self._trusted = door.is_proxy(self._peer)
        if self.introduced:
            self._peer, self._trusted = self.introduced, False
        tls = transport.get_extra_info("ssl_object")
        self._has_preface = tls is None and self._trusted and door.settings.proxy_protocol == 1
        if tls is not None and tls.selected_alpn_protocol() == "h2":
            self.hand_over(b"")

    def pause_writing(self) -> None:
        """The peer does not read: nothing more is begun for it."""
        self._writable = False
        self._await_writing()

    def _await_writing(self) -> None:
        """What is written must leave: some of it in any `write_stall_s`."""
        assert self._transport is not None
        self._unsent = unsent_bytes(self._transport)
        self.due_s = self._door.now_s + self._door.settings.write_stall_s

    def _linger(self) -> None:
        """The last of what is written is given time to arrive."""
        self._unsent = NEVER
        self.due_s = self._door.now_s + LINGER_S

    def _end_if_stuck(self) -> None:
        """End the connection of a peer that does not read, or that does not end its part."""
        transport, before = self._transport, self._unsent
        if transport is None:
            return
        self._await_writing()
        if not self._unsent:
            transport.abort()
        elif not is_taken(before, self._unsent, self._door.settings):
            reset(transport)

    def source(self, head_fields: list[tuple[bytes, bytes]]) -> str:
        """The address that a request comes from, a trusted proxy's word taken for it."""
        if self._trusted and self._door.proxies is not None:
            return self._door.proxies.source(self._peer, head_fields)
        return self._peer

    def _send(self, data: bytes) -> None:
        """Write a small answer, now or with those of other peers."""
        assert self._transport is not None
        outbox = self._door.outbox
        if not self._held and outbox.is_first():
            self._transport.write(data)
        else:
            self._held += data
            outbox.hold(self, len(data))

    def send_held(self) -> None:
        """Write the answers that wait; whatever else is written comes after them."""
        if self._held:
            data, self._held = self._held, b""
            if self._transport is not None:
                self._transport.write(data)

    def hand_over(self, data: bytes, upgrade: Upgrade | None = None) -> None:
        """Leave the connection to Hypercorn, with what was not read of it."""
        self.send_held()
        transport, self._transport = self._transport, None
        assert transport is not None
        if self._paused:
            transport.resume_reading()
        self._closing = True
        self.forget()
        self.due_s = NEVER
        self._door.hand_over(self, transport, data, upgrade)

    def abort(self) -> None:
        """End it now."""
        self.send_held()
        if self._transport is not None:
            self._transport.abort()
