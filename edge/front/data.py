"""The data plane: `ANY /{function}[:{qualifier}][/{path}]`, as a plain ASGI app.

Neighbours: a request becomes an event in `event.py`, runs in `invoke/`, and becomes an answer in
`results.py`.
Invariant: an unknown function, a caller who may not call it and a body too long are refused before
the body is read; every answer carries its request id; nobody outside sees a stack trace.
"""

from time import time_ns
from typing import NamedTuple

from edge.access.canonical import Wire
from edge.front.answers import Answer, error_answer
from edge.front.asgi import (
    ClientGone,
    Receive,
    Scope,
    Send,
    check_length,
    decline,
    read_body,
    send_answer,
    source_of,
)
from edge.front.authorizer import Entry, Visit
from edge.front.cors import cors_fields, preflight, with_fields
from edge.front.event import Arrival, HttpRequest
from edge.front.failures import platform_error
from edge.front.later import accept
from edge.front.presence import run_while_connected
from edge.front.receiving import ReceivedStream, is_passed_on
from edge.front.refusal import refuse
from edge.front.results import answer_result
from edge.front.sending import SentStream
from edge.front.services import Bounds, Services
from edge.front.streams import ResponseStream, Taker, is_streamed, stream_answer
from edge.front.target import Target, without_authority
from edge.model.event import Event
from edge.model.function import Version
from edge.model.ids import new_request_id
from edge.model.result import Result
from edge.model.url import AuthType, Cors


class Asked(NamedTuple):
    """A request, the function that is to answer it, and what browsers are told of that."""

    request: HttpRequest
    target: Target
    version: Version
    cors: Cors | None

    def shared(self, answer: Answer) -> Answer:
        """`answer` with what the URL's CORS adds."""
        return _shared(answer, self.cors, self.request)


class DataPlane:
    """The ASGI app on the public port."""

    def __init__(self, services: Services, bounds: Bounds) -> None:
        """`bounds.payload_bytes_max` limits the request body."""
        self._services = services
        self._bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await decline(scope, receive, send)
            return
        request = request_of(scope)
        request_id = new_request_id()
        cors: Cors | None = None
        unread = True
        incoming: ReceivedStream | None = None
        try:
            target, version = self._resolve(request)
            url = version.shared.url(target.qualifier)
            cors = url.cors if url is not None else None
            if cors is not None and (answer := preflight(cors, request.method, request.headers)):
                await refuse(scope, receive, send, _shared(answer, cors, request))
                return
            entry = self._admit(scope, request, target, version)
            if answer := self._turned_away(scope, request, target, version):
                await refuse(scope, receive, send, _shared(answer, cors, request))
                return
            if is_passed_on(version, request, entry):
                incoming = self._open(request, receive)
            body = b"" if incoming is not None else await self._read(request, receive)
            unread = False
            if entry is not None:
                await entry.finish_with(body)
        except ClientGone:
            return
        except Exception as error:  # the outermost frame: nothing may pass
            answer = error_answer(platform_error(error, request_id), request_id)
            await refuse(scope, receive, send, _shared(answer, cors, request), unread=unread)
            return
        time_ms = time_ns() // 1_000_000
        caller = None if entry is None else entry.caller
        event = request.event(
            target, body, request_id, Arrival(time_ms, source_of(scope), caller), version.version
        )
        if request.is_later:
            answer = await accept(self._services, event)
            await send_answer(send, _shared(answer, cors, request), head=request.method == "HEAD")
            return
        asked = Asked(request, target, version, cors)
        await self._serve(scope, receive, send, asked, event, incoming)

    async def _serve(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        asked: "Asked",
        event: Event,
        incoming: ReceivedStream | None,
    ) -> None:
        """Run the event, and send its answer, whole or as it comes."""
        if incoming is not None:
            event = HttpRequest.with_body(event, incoming.pipe)
            receive = incoming.receive
        stream = SentStream(scope, send)

        def take(response: ResponseStream) -> None:
            head = stream_answer(response.head, asked.version, event.request_id)
            stream.begin(asked.shared(head), response)

        taker = take if is_streamed(asked.version, asked.target.qualifier) else None
        run = self._run(event, asked.version, stream, taker)
        try:
            found = await run_while_connected(run, receive)
        except ClientGone:
            if await stream.cut_off() or incoming is None or incoming.error is None:
                return
            found = error_answer(incoming.error, event.request_id)
        if found is not None:
            unread = incoming is not None and not incoming.pipe.is_closed
            await refuse(scope, receive, send, asked.shared(found), unread=unread)

    def _resolve(self, request: HttpRequest) -> tuple[Target, Version]:
        services = self._services
        target = request.target_among(services.registry.routes())
        return target, services.registry.resolve(target.function, target.qualifier, request.pin)

    def _admit(
        self, scope: Scope, request: HttpRequest, target: Target, version: Version
    ) -> Entry | None:
        """Who calls, where the URL's AuthType asks for that. Raises Denied, StorageFailure."""
        auth_type = version.shared.auth_type(target.qualifier)
        if auth_type is AuthType.NONE:
            return None
        wire = Wire(request.method, request.raw_path, request.raw_query, request.headers)
        is_secure = scope["scheme"] == "https"
        visit = Visit(wire, source_of(scope), is_secure, target, version, auth_type)
        return self._services.authorizer.admit(visit, has_body=True)

    def _turned_away(
        self, scope: Scope, request: HttpRequest, target: Target, version: Version
    ) -> Answer | None:
        """The answer of a host that is at a limit now: said, and metered, before a body is read."""
        services = self._services
        refusal = None if request.is_later else services.invoker.refuses(version)
        if refusal is None:
            return None
        arrival = Arrival(time_ns() // 1_000_000, source_of(scope))
        event = request.event(target, b"", new_request_id(), arrival, version.version)
        result = services.invoker.turn_away(event, refusal)
        return answer_result(result, version.artifact.kind, services.logs)

    async def _read(self, request: HttpRequest, receive: Receive) -> bytes:
        declared = _declared_length(request)
        return await read_body(receive, declared, self._bounds.payload_bytes_max)

    def _open(self, request: HttpRequest, receive: Receive) -> ReceivedStream:
        """The body as it comes. Raises PayloadTooLarge for one that says it is too long."""
        bytes_max = self._bounds.payload_bytes_max
        check_length(_declared_length(request), bytes_max)
        return ReceivedStream(receive, bytes_max)

    async def _run(
        self, event: Event, version: Version, stream: SentStream, taker: Taker | None
    ) -> Answer | None:
        """The answer, unless it was sent as it came."""
        services = self._services
        result: Result | None = None
        try:
            result = await services.invoker.invoke(event, taker)
            answer = answer_result(result, version.artifact.kind, services.logs)
        except Exception as error:  # the outermost frame: nothing may pass
            answer = error_answer(platform_error(error, event.request_id), event.request_id)
        return None if await stream.end(result) else answer


def _declared_length(request: HttpRequest) -> bytes | None:
    return next((value for name, value in request.headers if name == b"content-length"), None)


def _shared(answer: Answer, cors: Cors | None, request: HttpRequest) -> Answer:
    """`answer` with what the URL's CORS adds."""
    return answer if cors is None else with_fields(answer, cors_fields(cors, request.headers))


def request_of(scope: Scope) -> HttpRequest:
    """The head of an ASGI request."""
    return HttpRequest(
        method=scope["method"],
        raw_path=without_authority(scope["raw_path"]),
        raw_query=scope["query_string"],
        headers=scope["headers"],
        protocol=f"HTTP/{scope['http_version']}",
    )
