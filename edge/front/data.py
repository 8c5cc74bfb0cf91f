"""The data plane: `ANY /{function}[:{qualifier}][/{path}]`, as a plain ASGI app.

Neighbours: a request becomes an event in `event.py`, runs in `invoke/`, and becomes an answer in
`results.py`.
Invariant: an unknown function, a caller who may not call it and a body too long are refused before
the body is read; every answer carries its request id; nobody outside sees a stack trace.
"""

from time import time_ns

from edge.access.signature import Wire
from edge.front.answers import Answer, error_answer
from edge.front.asgi import ClientGone, Receive, Scope, Send, decline, read_body, send_answer
from edge.front.authorizer import Entry, Visit
from edge.front.cors import cors_fields, preflight, with_fields
from edge.front.event import Arrival, HttpRequest
from edge.front.failures import platform_error
from edge.front.later import accept
from edge.front.presence import run_while_connected
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
            body = await self._read(request, receive)
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
            target, body, request_id, Arrival(time_ms, _peer_of(scope), caller), version.version
        )
        if request.is_later:
            answer = await accept(self._services, event)
            await send_answer(send, _shared(answer, cors, request), head=request.method == "HEAD")
            return
        stream = SentStream(scope, send)

        def take(response: ResponseStream) -> None:
            head = stream_answer(response.head, version, request_id)
            stream.begin(_shared(head, cors, request), response.take())

        taker = take if is_streamed(version, target.qualifier) else None
        run = self._run(event, version, stream, taker)
        try:
            found = await run_while_connected(run, receive)
        except ClientGone:
            stream.cancel()
            return
        if found is not None:
            answer = _shared(found, cors, request)
            await send_answer(send, answer, head=request.method == "HEAD")

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
        visit = Visit(wire, _peer_of(scope), is_secure, target, version, auth_type)
        return self._services.authorizer.admit(visit, has_body=True)

    def _turned_away(
        self, scope: Scope, request: HttpRequest, target: Target, version: Version
    ) -> Answer | None:
        """The answer of a host that is at a limit now: said, and metered, before a body is read."""
        services = self._services
        refusal = None if request.is_later else services.invoker.refuses(version)
        if refusal is None:
            return None
        arrival = Arrival(time_ns() // 1_000_000, _peer_of(scope))
        event = request.event(target, b"", new_request_id(), arrival, version.version)
        result = services.invoker.turn_away(event, refusal)
        return answer_result(result, version.artifact.kind, services.logs)

    async def _read(self, request: HttpRequest, receive: Receive) -> bytes:
        declared = next((v for name, v in request.headers if name == b"content-length"), None)
        return await read_body(receive, declared, self._bounds.payload_bytes_max)

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


def _peer_of(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""
