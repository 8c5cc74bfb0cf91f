"""`wasi:http` from the side that asks: a guest's own requests, as `edge.call`'s fetch makes them.

The request is on its way when the guest hands it over, its body as the guest writes it, and the
response is there when its head is.

Neighbours: `fetch/` checks and sends; `http_request.py` has the request, `http_bodies.py` bodies.
Invariant: the same grants, counts and kinds of failure as of the operation `fetch`. A redirect is
an answer like any other: a guest that follows it asks for what it was granted.
"""

import asyncio
from collections.abc import Mapping
from time import monotonic_ns, perf_counter_ns
from typing import Any

from edge.host.answers import CallError, Code
from edge.host.charges import FUEL_PER_BYTE, FUEL_PER_CALL
from edge.host.fetch.exchange import AnswerHead, Patience, StreamedAnswer, StreamedRequest
from edge.host.wasi2.context import Context, Functions, Misuse, Resource, on_loop
from edge.host.wasi2.exchange import Body
from edge.host.wasi2.http_bodies import CUT_OFF, ErrorCode, IncomingBody
from edge.host.wasi2.http_fields import Fields
from edge.host.wasi2.http_request import OutgoingRequest, RequestOptions
from edge.host.wasi2.io import IoError, Pollable
from edge.host.wasi2.results import Err, Ok

OPERATION = "fetch"

_ERRORS: Mapping[Code, ErrorCode] = {
    Code.DENIED: ("HTTP-request-denied", None),
    Code.TIMEOUT: ("connection-timeout", None),
    Code.UNREACHABLE: ("destination-unavailable", None),
    Code.TOO_LARGE: ("HTTP-response-body-size", None),
    Code.INVALID_REQUEST: ("HTTP-request-URI-invalid", None),
}
_CUT_ERRORS: Mapping[Code, ErrorCode] = {
    Code.TIMEOUT: ("HTTP-response-timeout", None),
    Code.TOO_LARGE: ("HTTP-response-body-size", None),
}


class ResponseBody(IncomingBody):
    """A response's body; who lets go of it before its end gives the exchange up."""

    __slots__ = ("_answer", "_task")

    def __init__(self, answer: StreamedAnswer, task: "asyncio.Task[None]") -> None:
        super().__init__(answer.flow.pipe)
        self._answer = answer
        self._task = task

    @property
    def error(self) -> ErrorCode:
        """Why it was cut off."""
        told = self._answer.error
        return CUT_OFF if told is None else _CUT_ERRORS.get(told.code, CUT_OFF)

    def dropped(self, context: Context) -> None:
        """Nobody reads it to its end."""
        context.call_soon(self._task.cancel)


class IncomingResponse(Resource):
    """What the server answered."""

    __slots__ = ("body", "head", "is_consumed")
    KIND = "incoming-response"

    def __init__(self, head: AnswerHead, body: ResponseBody) -> None:
        self.head = head
        self.body = body
        self.is_consumed = False

    def dropped(self, context: Context) -> None:
        """Its body goes with it, unless somebody has that."""
        if not self.is_consumed:
            self.body.dropped(context)


class FutureResponse(Pollable):
    """A response on its way. Made on the event loop."""

    __slots__ = ("_answer", "_task", "is_taken")
    KIND = "future-incoming-response"

    def __init__(self, answer: StreamedAnswer, task: "asyncio.Task[None]") -> None:
        self._answer = answer
        self._task = task
        self.is_taken = False

    def ready(self) -> bool:
        """Whether its head is there, or never will be."""
        return self._answer.head.done()

    async def wait(self) -> None:
        """Until it is."""
        await asyncio.wait((self._answer.head,))

    def response(self) -> Ok | Err:
        """The response, or why there is none."""
        error = self._answer.head.exception()
        if isinstance(error, CallError):
            return Err(_ERRORS.get(error.code, ("internal-error", error.message)))
        return Ok(IncomingResponse(self._answer.head.result(), self._body()))

    def dropped(self, context: Context) -> None:
        """Nobody takes the response."""
        if not self.is_taken:
            context.call_soon(self._task.cancel)

    def _body(self) -> ResponseBody:
        return ResponseBody(self._answer, self._task)


class ResponsePollable(Pollable):
    """What a guest polls to wait for a response."""

    __slots__ = ("_future",)

    def __init__(self, future: FutureResponse) -> None:
        self._future = future

    def ready(self) -> bool:
        """Whether it is there."""
        return self._future.ready()

    async def wait(self) -> None:
        """Until it is there."""
        await self._future.wait()


# wasi:http/outgoing-handler


def handle(context: Context, request: OutgoingRequest, options: RequestOptions | None) -> Any:
    """Send a request."""
    if context.off_loop:
        return on_loop(_send, context, request, options)
    return _send(context, request, options)


def _send(context: Context, request: OutgoingRequest, options: RequestOptions | None) -> Ok | Err:
    session = context.session
    if context.calls.fetcher is None:
        raise Misuse("a guest that waits for its event calls nobody")
    session.charge(FUEL_PER_CALL)
    session.calls[OPERATION] = session.calls.get(OPERATION, 0) + 1
    try:
        asked = request.streamed()
    except CallError as error:
        return Err(_ERRORS.get(error.code, ("internal-error", error.message)))
    session.charge(FUEL_PER_BYTE * sum(len(name) + len(text) for name, text in asked.headers))
    left_s = (session.deadline_ns - monotonic_ns()) / 1e9
    patience = (options or RequestOptions()).patience(left_s)
    flow = Body.within(context.calls.streams, context.bodies)
    if flow is None:
        return Err(("internal-error", "the guest has too many bodies at once"))
    answer = StreamedAnswer(flow)
    fetching = _fetch(context, asked, answer, patience)
    task = asyncio.get_running_loop().create_task(fetching)
    context.tasks.append(task)
    task.add_done_callback(context.forget)
    return Ok(FutureResponse(answer, task))


async def _fetch(
    context: Context, request: StreamedRequest, answer: StreamedAnswer, patience: Patience
) -> None:
    session, fetcher = context.session, context.calls.fetcher
    assert fetcher is not None
    began_ns = perf_counter_ns()
    answer.head.add_done_callback(lambda _: _account(context, perf_counter_ns() - began_ns))
    await fetcher.stream(session.function, session.grants, request, answer, patience)


def _account(context: Context, elapsed_ns: int) -> None:
    """The wait for a response's head is the host's."""
    context.session.host_ns += elapsed_ns


OUTGOING_HANDLER: Functions = {"handle": handle}


# wasi:http/types


def subscribe(context: Context, future: FutureResponse) -> ResponsePollable:
    """Wait for it."""
    return ResponsePollable(future)


def get_response(context: Context, future: FutureResponse) -> Ok | Err | None:
    """The response, once; none while it is on its way."""
    if future.is_taken:
        return Err()
    if not future.ready():
        return None
    future.is_taken = True
    return Ok(future.response())


def get_status(context: Context, response: IncomingResponse) -> int:
    """Its status."""
    return response.head.status


def get_response_headers(context: Context, response: IncomingResponse) -> Fields:
    """Its header fields."""
    return Fields.of_texts(response.head.headers)


def consume(context: Context, response: IncomingResponse) -> IncomingBody | Err:
    """Its body, once."""
    if response.is_consumed:
        return Err()
    response.is_consumed = True
    return response.body


def http_error_code(context: Context, error: IoError) -> ErrorCode | None:
    """Why a body's stream failed."""
    return error.http


FUNCTIONS: Functions = {
    "[method]future-incoming-response.subscribe": subscribe,
    "[method]future-incoming-response.get": get_response,
    "[method]incoming-response.status": get_status,
    "[method]incoming-response.headers": get_response_headers,
    "[method]incoming-response.consume": consume,
    "http-error-code": http_error_code,
}
