"""Invoke: RequestResponse, Event and DryRun.

Neighbours: `invoke/` runs the event; `answers.py` says which outcomes are the function's own
errors (200 and `X-Amz-Function-Error`) and which are refusals.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from edge.front.answers import OUTCOMES, Answer
from edge.front.documents import json_bytes, parse_json
from edge.front.endpoints import body_of, fields_of
from edge.front.lambda_api.dialect import BY_CONCURRENCY, BY_FUNCTION, told
from edge.front.lambda_api.inputs import Reference, reference
from edge.front.lambda_api.joins import call_of
from edge.front.pins import pin_of
from edge.front.presence import run_while_connected
from edge.front.services import Bounds, Services
from edge.model.async_event import ASYNC_BYTES_MAX
from edge.model.errors import Conflict, InvalidContent, InvalidRequest, NotFound
from edge.model.event import Event, Source
from edge.model.function import GuestKind, Version
from edge.model.ids import LATEST
from edge.model.limits import KIB, MIB
from edge.model.outcome import Failure
from edge.model.progress import Progress
from edge.model.result import RATE_EXCEEDED, Result

LOG_TAIL_BYTES_MAX = 4 * KIB
CLIENT_CONTEXT_CHARS_MAX = 3_583
_UNSUPPORTED = ("x-amz-tenant-id", "x-amz-durable-execution-name")
"""To run the event without their promise would be another thing than was asked for."""


class Asked(NamedTuple):
    """An invocation that was asked for; `body` is the payload as it came, `fields` the header's."""

    event: Event
    version: Version
    fields: Mapping[str, str]
    body: bytes
    invocation_type: str
    wants_tail: bool


class Invocations:
    """The endpoint that runs functions."""

    def __init__(self, services: Services, bounds: Bounds) -> None:
        """`bounds.payload_bytes_max` limits the payload."""
        self._services = services
        self._bounds = bounds

    async def invoke(self, request: Request) -> Response:
        """POST F/N/invocations?Qualifier → 200, 202 for Event, 204 for DryRun."""
        asked = await self.read(request, ("RequestResponse", "Event", "DryRun"))
        if asked.invocation_type == "DryRun":
            return Response(status_code=204)
        if asked.invocation_type == "Event":
            await self._services.intake.accept(asked.event)
            return Response(status_code=202)
        return await self._run(request, asked)

    async def read(self, request: Request, types: tuple[str, ...]) -> Asked:
        """What is asked for, in one of these ways; raises EdgeError."""
        named = reference(request)
        version = self._resolve(named, pin_of(request.headers.raw))
        fields = fields_of(request)
        invocation_type = fields.get("x-amz-invocation-type", "RequestResponse")
        tail = _wants_tail(fields.get("x-amz-log-type", "None"))
        if invocation_type not in types:
            raise InvalidRequest(f"InvocationType must be one of {', '.join(types)}")
        for name in _UNSUPPORTED:
            if name in fields:
                raise InvalidRequest(f"{name} is not available here: leave it out")
        client_context = parse_client_context(fields.get("x-amz-client-context"))
        bytes_max = self._bounds.payload_bytes_max
        if invocation_type == "Event":
            bytes_max = min(bytes_max, ASYNC_BYTES_MAX)
        body = await body_of(request, bytes_max)
        event = Event(
            function=named.name,
            given=parse_json(body) if body else {},
            request_id=request.state.request_id,
            source=Source.INVOKE,
            qualifier=named.version,
            bytes_in=len(body),
            client_context=client_context,
            pin=version.version,
        )
        return Asked(event, version, fields, body, invocation_type, tail)

    async def _run(self, request: Request, asked: Asked) -> Response:
        """Run an event, or join the call that this one is a retry of."""
        event, tail = asked.event, asked.wants_tail

        async def work() -> Answer:
            result = await self._services.invoker.invoke(event)
            response = answer(result, asked.version.artifact.kind, tail=tail)
            return _plain(response, event.request_id)

        context = asked.fields.get("x-amz-client-context", "")
        parts = (request.state.caller, event.function, event.qualifier, str(tail), context)
        call = call_of(asked.fields, parts, asked.body)
        running = work() if call is None else self._services.joins.run(call, work)
        found = await run_while_connected(running, request.receive)
        response = Response(found.body, found.status)
        response.raw_headers = [*found.headers]
        return response

    def _resolve(self, named: Reference, pin: str) -> Version:
        """What is to run. Raises NotFound, and Conflict when it is still being created."""
        registry = self._services.registry
        try:
            return registry.resolve(named.name, named.version, pin)
        except NotFound:
            progress = registry.progress.find(named.name, None)
            if progress is None or progress.draft is None or named.version != LATEST:
                raise
            raise _unready(named.name, progress) from None


def _unready(name: str, progress: Progress) -> Conflict:
    """Why a function that is not there yet cannot run."""
    if progress.failed is None:
        return Conflict(f"function {name} is Pending: wait until its State is Active")
    return Conflict(f"function {name} could not be made: {progress.message}")


def _plain(response: Response, request_id: str) -> Answer:
    """A response as it can be given to several, under the id of the request that ran."""
    named = (b"x-amzn-requestid", request_id.encode())
    return Answer(response.status_code, [*response.raw_headers, named], bytes(response.body))


def answer(result: Result, kind: GuestKind, *, tail: bool) -> Response:
    """A result as Invoke tells it."""
    if response := refusal(result):
        return response
    body, failure = told_payload(result, kind)
    if failure is not None:
        body = json_bytes(failure.document())
    response = Response(body, 200, media_type="application/json")
    response.headers["x-amz-executed-version"] = result.usage.version
    if failure is not None:
        response.headers["x-amz-function-error"] = "Unhandled"
    if tail:
        response.headers["x-amz-log-result"] = b64encode(log_tail(result)).decode()
    return response


def refusal(result: Result) -> Response | None:
    """The error of a request whose function was not run, or could not be."""
    row = OUTCOMES.get(result.outcome)
    if row is None or row.lambda_error is None:
        return None
    said = result.failure.message if result.failure else row.code
    is_by_rate = result.failure is not None and result.failure.type == RATE_EXCEEDED
    reason = BY_FUNCTION if is_by_rate else BY_CONCURRENCY
    return told(row, said, result.retry_after_s, reason)


def told_payload(result: Result, kind: GuestKind) -> tuple[bytes, Failure | None]:
    """The payload of a result that is no refusal, or why there is none."""
    if result.failure is not None:
        return b"", result.failure
    try:
        return payload_of(result.value, kind), None
    except ValueError as error:
        return b"", Failure("Runtime.MarshalError", f"the returned value is {error}")


def payload_of(value: object, kind: GuestKind) -> bytes:
    """The payload: a value as JSON; a command's output as it is when it is JSON, else as text.

    Raises ValueError for a value that JSON cannot say.
    """
    if kind is not GuestKind.COMMAND or not isinstance(value, bytes):
        return json_bytes(_texted(value))
    try:
        parse_json(value)
    except InvalidContent:
        try:
            return json_bytes(value.decode())
        except UnicodeDecodeError:
            return json_bytes(value)
    return value


def _texted(value: object) -> object:
    """A response whose body is bytes as JSON has it: as text where it is that, else in base64."""
    if not isinstance(value, dict) or "statusCode" not in value:
        return value
    body = value.get("body")
    if not isinstance(body, bytes):
        return value
    try:
        return {**value, "body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {**value, "body": b64encode(body).decode(), "isBase64Encoded": True}


def log_tail(result: Result) -> bytes:
    """The end of the invocation's log, with the lines Lambda puts around it."""
    usage = result.usage
    report = (
        f"REPORT RequestId: {usage.request_id}\tDuration: {usage.wall_us / 1000:.2f} ms"
        f"\tBilled Duration: {usage.billed_ms} ms\tMemory Size: {usage.memory_mb} MB"
        f"\tMax Memory Used: {-(-usage.memory_peak_bytes // MIB)} MB"
    )
    lines = (
        f"START RequestId: {usage.request_id} Version: {usage.version}",
        *(line.message for line in result.log),
        f"END RequestId: {usage.request_id}",
        report,
    )
    text = "".join(f"{line}\n" for line in lines)
    return text.encode("utf-8", "replace")[-LOG_TAIL_BYTES_MAX:]


def parse_client_context(header: str | None) -> object:
    """The JSON in a base64 `X-Amz-Client-Context`; raises InvalidContent."""
    if not header:
        return None
    if len(header) > CLIENT_CONTEXT_CHARS_MAX:
        raise InvalidContent(f"ClientContext is over {CLIENT_CONTEXT_CHARS_MAX} characters")
    try:
        return parse_json(b64decode(header, validate=True))
    except (InvalidContent, ValueError) as error:
        raise InvalidContent("ClientContext must be a JSON object in base64") from error


def _wants_tail(log_type: str) -> bool:
    if log_type not in ("None", "Tail"):
        raise InvalidRequest("LogType must be None or Tail")
    return log_type == "Tail"
