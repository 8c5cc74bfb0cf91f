"""The data plane's connection: a message becomes an event, its result the answer.

Read `begin` and `_run`: door → admission → invoke → answer. An invocation's first slice runs right
here; if that was all, head and body leave in one write and nothing was awaited, which is 10 µs
less than a task. Else a task has the rest, and what the peer pipelines meanwhile waits.

Neighbours: `connection.py` reads messages and writes answers; `invoke/` runs.
Invariant: a body is read only for a function that is there, has room for it, and takes it; at most
one invocation of a connection is running, and it ends with the connection.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from time import time_ns
from typing import Any, NamedTuple

from edge.access.canonical import Wire
from edge.front.answers import Answer, Headers, error_answer
from edge.front.authorizer import Entry, Visit
from edge.front.cors import cors_fields, preflight, with_fields
from edge.front.door.head import CHUNKED, Head
from edge.front.door.parts import PartedConnection
from edge.front.door.refusals import body_too_large
from edge.front.door.server import Door
from edge.front.door.streams import IncomingStream, OutgoingStream
from edge.front.event import Arrival, HttpRequest
from edge.front.failures import platform_error
from edge.front.later import accept
from edge.front.receiving import is_passed_on
from edge.front.results import answer_result
from edge.front.services import Services
from edge.front.streams import ResponseStream, Taker, is_streamed, stream_answer
from edge.front.target import Target
from edge.model.errors import Conflict, EdgeError
from edge.model.event import Event
from edge.model.function import GuestKind, Version
from edge.model.ids import new_request_id
from edge.model.result import Result
from edge.model.url import AuthType

Run = Callable[[Event], Any]
"""Starts an event: its Result, or what `finish` goes on with."""


class Call(NamedTuple):
    """A head, what it asks for, the function that is to answer it, and whom it is asked by, if that
    matters."""

    head: Head
    request: HttpRequest
    target: Target
    version: Version
    entry: Entry | None


class FunctionConnection(PartedConnection):
    """A peer of the data plane."""

    __slots__ = (
        "_call",
        "_cors",
        "_held_bytes",
        "_incoming",
        "_outgoing",
        "_payload_bytes_max",
        "_pieces",
        "_services",
        "_task",
        "_turn",
    )

    def __init__(self, door: Door, services: Services, payload_bytes_max: int) -> None:
        super().__init__(door)
        self._services = services
        self._payload_bytes_max = payload_bytes_max
        self._call: Call | None = None
        self._pieces: list[bytes] = []
        self._held_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._incoming: IncomingStream | None = None
        self._outgoing: OutgoingStream | None = None
        self._turn: Any = None
        self._cors: Headers = []

    def begin(self, head: Head) -> None:
        """Find the function; run it, unless its body must come first."""
        services = self._services
        request = head.request or _request_of(head)
        entry: Entry | None = None
        try:
            target = request.target_among(services.registry.routes())
            version = services.registry.resolve(target.function, target.qualifier, request.pin)
            if version.shared.urls:
                if self._is_preflight(head, target, version):
                    return
                entry = self._admit(head, target, version)
        except EdgeError as error:
            self._closes = self._closes or head.length != 0
            self.respond(error_answer(error, new_request_id()))
            return
        call = Call(head, request, target, version, entry)
        if head.length == 0:
            self._run(call, b"")
            return
        if head.length > self._payload_bytes_max:
            raise body_too_large(self._payload_bytes_max)
        refusal = None if request.is_later else services.invoker.refuses(version)
        if refusal is not None:  # said, and metered, before the body is read
            self._closes = True
            self._start(call, b"", partial(services.invoker.turn_away, refusal=refusal))
            return
        self._call = call
        if is_passed_on(version, request, entry):
            self._stream_in(call)
        elif head.length != CHUNKED:
            self._hold(head.length)
        self.wants_body()

    def respond(self, answer: Answer) -> None:
        """Write the whole answer, with what the URL's CORS adds. Raises as Connection's does."""
        if self._cors:
            answer, self._cors = with_fields(answer, self._cors), []
        super().respond(answer)

    def _is_preflight(self, head: Head, target: Target, version: Version) -> bool:
        """Note what the URL's CORS adds to the answer; whether that is the answer."""
        url = version.shared.url(target.qualifier)
        if url is None or url.cors is None:
            return False
        self._cors = cors_fields(url.cors, head.fields)
        answer = preflight(url.cors, head.method, head.fields)
        if answer is None:
            return False
        self._closes = self._closes or head.length != 0
        self.respond(answer)
        return True

    def _admit(self, head: Head, target: Target, version: Version) -> Entry | None:
        """Who calls, where the URL's AuthType asks for that. Raises Denied, StorageFailure."""
        auth_type = version.shared.auth_type(target.qualifier)
        if auth_type is AuthType.NONE:
            return None
        assert self._transport is not None
        is_secure = self._transport.get_extra_info("ssl_object") is not None
        wire = Wire(head.method, head.raw_path, head.raw_query, head.fields)
        source = self.source(head.fields)
        visit = Visit(wire, source, is_secure, target, version, auth_type)
        return self._services.authorizer.admit(visit, has_body=head.length != 0)

    def add_body(self, pieces: list[bytes], size: int) -> None:
        """Keep some of the body, or pass it on."""
        if self._incoming is not None:
            self._incoming.offer(pieces)
            return
        assert self._call is not None
        if self._call.head.length == CHUNKED:
            if self._held_bytes + size > self._payload_bytes_max:
                raise body_too_large(self._payload_bytes_max)
            self._hold(size)
        self._pieces += pieces
        if self._call.entry is not None:
            for piece in pieces:
                self._call.entry.add(piece)

    def end_body(self) -> None:
        """Run what the body was for, unless that runs already."""
        if self._incoming is not None:
            self._incoming.end()
            if self._outgoing is None or not self._outgoing.is_begun:  # else the head said so
                self._closes = self._incoming.closes
            return
        call, pieces = self._call, self._pieces
        assert call is not None
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._call, self._pieces = None, []
        try:
            if call.entry is not None:
                call.entry.finish()
        except EdgeError as error:
            self.respond(error_answer(error, new_request_id()))
        else:
            self._run(call, body)
        if not self.busy:
            self._release()

    def abandon(self) -> bool:
        """The guest is canceled; its caller is not there to be answered."""
        running = self._task
        is_unsaid = running is None or (
            self._incoming is not None and (self._outgoing is None or not self._outgoing.is_begun)
        )
        self._call, self._pieces = None, []
        self._release()
        if self._turn is not None:
            self._turn.canceled = True
            self._turn = None
        if self._outgoing is not None:
            self._outgoing.cancel()
        if running is not None:  # soon, for a task that never began could not end its guest
            self._door.loop.call_soon(running.cancel)
        return is_unsaid

    def _hold(self, size: int) -> None:
        self._door.hold_body(size)
        self._held_bytes += size

    def _release(self) -> None:
        """The body is nobody's any more."""
        if self._incoming is not None:
            self._incoming.cancel()
            self._incoming = None
        if self._held_bytes:
            self._door.release_body(self._held_bytes)
            self._held_bytes = 0

    def _stream_in(self, call: Call) -> None:
        """Run the function while its body comes, once what is here of it was read."""
        assert self._body is not None
        stream = self._incoming = IncomingStream(
            self, self._body, self._payload_bytes_max, closes=self._closes
        )
        self._call = None
        self.busy = True
        self._closes = True  # unless all of the body is read before it is answered

        def begin() -> None:
            if self._incoming is stream and self._transport is not None:
                self.busy = False
                self._run(call, b"", partial(self._start_streamed, call, stream))
                if not self.busy:
                    self._release()
                    self.goes_on()

        self._door.loop.call_soon(begin)

    def _start_streamed(self, call: Call, stream: IncomingStream, event: Event) -> Any:
        """Start what reads its body as it comes, if the function still does. Raises Conflict."""
        registry, target = self._services.registry, call.target
        version = registry.resolve(target.function, target.qualifier, event.pin)
        if version.artifact.kind is not GuestKind.WASI_HTTP:
            raise Conflict("the function was replaced while its request came: send it again")
        return self._services.invoker.start(HttpRequest.with_body(event, stream.pipe))

    # Running

    def _run(self, call: Call, body: bytes, run: Run | None = None) -> None:
        """Start the invocation, now or when its function's turn comes."""
        invoker, function = self._services.invoker, call.target.function
        if call.request.is_later or not invoker.must_wait(function):
            self._start(call, body, run)
            return

        def begin() -> None:
            self._turn, self.busy = None, False
            self._start(call, body, run)
            if not self.busy:
                self._release()
                self.goes_on()

        self._turn = invoker.await_turn(function, begin)
        self.busy = self._turn is not None
        if not self.busy:
            self._start(call, body, invoker.turn_away)

    def _start(self, call: Call, body: bytes, run: Run | None = None) -> None:
        head, request, target, version, entry = call
        caller = None if entry is None else entry.caller
        request_id = new_request_id()
        peer = self.source(head.fields) if self._trusted else self._peer
        try:
            arrival = Arrival(time_ns() // 1_000_000, peer, caller)
            event = request.event(target, body, request_id, arrival, version.version)
            if run is None and request.is_later:
                self.busy = True
                self._task = self._door.loop.create_task(self._accept(event))
                return
            started = (run or self._services.invoker.start)(event)
        except Exception as error:  # the outermost frame: nothing may pass
            self.respond(error_answer(platform_error(error, request_id), request_id))
            return
        if isinstance(started, Result):
            self._answer(started, version.artifact.kind)
            return
        self.busy = True
        self._task = self._door.loop.create_task(self._finish(started, call, request_id))

    async def _finish(self, started: object, call: Call, request_id: str) -> None:
        """Await what did not end at once; the connection's loss cancels this, and so the guest."""
        result: Result | None = None
        try:
            taker = self._taker(call, request_id)
            result = await self._services.invoker.finish(started, taker)
        except Exception as error:  # the outermost frame: nothing may pass
            failed = error_answer(platform_error(error, request_id), request_id)
        outgoing = self._outgoing
        is_answered = outgoing is not None and await outgoing.end(result)
        self._conclude()
        if not is_answered and result is not None:
            self._answer(result, call.version.artifact.kind)
        elif not is_answered:
            self.respond(failed)
        self.goes_on()

    def _taker(self, call: Call, request_id: str) -> Taker | None:
        """What takes an answer that comes in pieces; None where its URL wants it whole."""
        if not is_streamed(call.version, call.target.qualifier):
            return None

        def begin(stream: ResponseStream) -> None:
            answer = stream_answer(stream.head, call.version, request_id)
            if self._cors:
                answer, self._cors = with_fields(answer, self._cors), []
            self._outgoing = OutgoingStream(self, call.head, answer, stream)

        return begin

    def resume_writing(self) -> None:
        """The peer reads again, and the guest may go on."""
        if self._outgoing is not None:
            self._outgoing.wake()
        super().resume_writing()

    async def _accept(self, event: Event) -> None:
        """Keep an event that runs later, and say so once it is on disk."""
        answer = await accept(self._services, event)
        self._conclude()
        self.respond(answer)
        self.goes_on()

    def _conclude(self) -> None:
        self._task = self._outgoing = None
        self.busy = False
        self._release()

    def _answer(self, result: Result, kind: GuestKind) -> None:
        answer: Answer = answer_result(result, kind, self._services.logs)
        try:
            self.respond(answer)
        except ValueError as error:
            request_id = result.usage.request_id
            self.respond(error_answer(platform_error(error, request_id), request_id))


def _request_of(head: Head) -> HttpRequest:
    """What a head asks for; kept with it, since the door reads a head that repeats only once."""
    head.request = HttpRequest(
        head.method, head.raw_path, head.raw_query, head.fields, "HTTP/" + head.version
    )
    return head.request
