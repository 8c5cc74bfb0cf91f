"""One HTTP request and its answer on a connection of their own, both bodies as they come.

Neighbours: `fetcher.py` opens the connection and says how a failure is told; the bodies are pipes
of whoever asked, who waits for the server as the server waits for him.
Source: RFC 9112, by h11. There is no second request on a connection, and no redirect is followed: a
body that was sent cannot be sent again.
Invariant: an answer that did not come whole is never told as one.
"""

import asyncio
import itertools
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import h11
import httpcore

from edge.host.answers import CallError, Code
from edge.host.fetch.request import Headers, Target
from edge.host.flow import Flow
from edge.model.limits import KIB
from edge.model.pipe import Pipe, Trailers

HEAD_BYTES_MAX = 100 * KIB
READ_BYTES = 64 * KIB
CHUNKS_PER_TURN = 32
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "trailer", "upgrade"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class StreamedRequest:
    """What to send. `length` is of the body, where the guest said it."""

    target: Target
    method: str
    headers: Headers
    body: Pipe | None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds to wait: for all of it, a connection, the head, and between two reads."""

    total_s: float
    connect_s: float | None = None
    head_s: float | None = None
    between_s: float | None = None


class AnswerHead(NamedTuple):
    """How an answer begins; names in lower case, repeated where they were repeated."""

    status: int
    headers: Trailers


class StreamedAnswer:
    """What comes back: the head once it is there, then the body. A failure is told by whichever of
    the two is not there yet."""

    def __init__(self, flow: Flow) -> None:
        self.head: asyncio.Future[AnswerHead] = asyncio.get_running_loop().create_future()
        self.flow = flow
        self.error: CallError | None = None

    async def add(self, data: bytes) -> None:
        """Some of the body, which waits for room. Raises CallError(too_large)."""
        if not self.flow.admit(len(data)):
            raise CallError(Code.TOO_LARGE, f"the response is over {self.flow.bytes_max} bytes")
        await self.flow.pipe.write_all(data)

    def fail(self, error: CallError) -> None:
        """It will not come, or not whole."""
        self.error = error
        if not self.head.done():
            self.head.set_exception(error)
            self.head.exception()  # looked at: whoever asked may be gone
        self.flow.pipe.close(is_cut=True)


class Exchange:
    """See above."""

    def __init__(
        self,
        network: httpcore.AsyncNetworkStream,
        request: StreamedRequest,
        answer: StreamedAnswer,
        patience: Patience,
    ) -> None:
        self._network = network
        self._request = request
        self._answer = answer
        self._patience = patience
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)

    async def run(self, headers: Headers) -> None:
        """Send the head with `headers`, then both bodies at once, until the answer has ended.

        Raises CallError, h11's and httpcore's errors.
        """
        sending = asyncio.create_task(self._send(headers))
        receiving = asyncio.create_task(self._receive())
        try:
            await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
            if not receiving.done():
                sending.result()  # raises why the request ended too early
            await receiving
        finally:
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    # The request

    async def _send(self, headers: Headers) -> None:
        request = self._request
        framed = (*headers, *self._framing())
        head = h11.Request(
            method=request.method.encode(),
            target=request.target.path,
            headers=[(name.encode("ascii"), value.encode("latin-1")) for name, value in framed],
        )
        # A server may answer and close before it has read all: then its answer is the news.
        with suppress(httpcore.WriteError):
            await self._write(head)
            if request.body is not None:
                await self._send_body(request.body)
            trailers = () if request.body is None else request.body.trailers
            await self._write(h11.EndOfMessage(headers=_raw(trailers)))

    async def _send_body(self, body: Pipe) -> None:
        while not body.is_ended:
            await body.await_data()
            data = body.read()
            if data:
                await self._write(h11.Data(data=data))
        if body.is_cut:
            raise CallError(Code.INVALID_REQUEST, "the request's body was not finished")

    def _framing(self) -> Headers:
        request = self._request
        body = request.body
        if body is None:
            return (("content-length", "0"),) if request.method in WITH_BODY else ()
        if request.length is not None:
            return (("content-length", str(request.length)),)
        if body.is_closed and not body.trailers:
            return (("content-length", str(body.waiting_bytes)),)
        return (("transfer-encoding", "chunked"),)

    async def _write(self, event: h11.Event) -> None:
        data = self._state.send(event)
        if data:
            await self._network.write(data)

    # The answer

    async def _receive(self) -> None:
        async with asyncio.timeout(self._patience.head_s):
            head = await self._next()
            while isinstance(head, h11.InformationalResponse):
                head = await self._next()
        assert isinstance(head, h11.Response)
        self._answer.head.set_result(AnswerHead(head.status_code, _told(head.headers)))
        for count in itertools.count(1):
            event = await self._next(self._patience.between_s)
            if not count % CHUNKS_PER_TURN:
                await asyncio.sleep(0)  # a server may send thousands of tiny ones in one packet
            if isinstance(event, h11.Data):
                await self._answer.add(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._answer.flow.pipe.close(_told(event.headers))
                return

    async def _next(self, patience_s: float | None = None) -> h11.Event:
        while True:
            event = self._state.next_event()
            if event is not h11.NEED_DATA:
                assert isinstance(event, h11.Event)
                return event
            data = await self._network.read(READ_BYTES, timeout=patience_s)
            self._state.receive_data(data)


def _told(headers: Iterable[tuple[bytes, bytes]]) -> Trailers:
    fields = ((name.decode("ascii"), value.decode("latin-1")) for name, value in headers)
    return tuple(pair for pair in fields if pair[0] not in HOP_BY_HOP)


def _raw(trailers: Trailers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in trailers]
