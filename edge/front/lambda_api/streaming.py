"""InvokeWithResponseStream: what a function writes as it comes, in eventstream frames.

A function that returns its answer has it in one `PayloadChunk`. One that says a head first has
Lambda's prelude in front of its body: the head as JSON, and eight zeros. `InvokeComplete` is last,
and says so when the function failed, in the middle or at all; a refusal to run it is an error of
the request.

Neighbours: `invocations.py` reads the request and knows Lambda's payloads; `eventstream.py` frames.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html.
Invariant: the invocation ends with the response, or with the client that no longer reads it.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from edge.front.documents import json_bytes
from edge.front.failures import platform_error
from edge.front.lambda_api.eventstream import CONTENT_TYPE, event
from edge.front.lambda_api.invocations import (
    Asked,
    Invocations,
    log_tail,
    refusal,
    told_payload,
)
from edge.front.presence import run_while_connected
from edge.front.services import Services
from edge.front.streams import ResponseStream
from edge.model.outcome import Failure
from edge.model.pipe import Pipe
from edge.model.result import Result
from edge.model.stream import ResponseHead

INTEGRATION = "application/vnd.awslambda.http-integration-response"
_BYTES = "application/octet-stream"
_JSON = "application/json"
_PRELUDE_END = bytes(8)


class Begun(NamedTuple):
    """An answer that comes in pieces: how it begins, and the rest of it."""

    head: ResponseHead | None
    pipe: Pipe


class StreamingInvocations:
    """The endpoint that runs functions and sends what they write."""

    def __init__(self, services: Services, invocations: Invocations) -> None:
        self._services = services
        self._invocations = invocations

    async def invoke(self, request: Request) -> Response:
        """POST /2021-11-15/functions/N/response-streaming-invocations?Qualifier → 200."""
        asked = await self._invocations.read(request, ("RequestResponse", "DryRun"))
        if asked.invocation_type == "DryRun":
            return Response(status_code=204)
        begun: asyncio.Future[Begun] = asyncio.get_running_loop().create_future()

        def take(stream: ResponseStream) -> None:
            begun.set_result(Begun(stream.head, stream.take()))

        work = asyncio.create_task(self._services.invoker.invoke(asked.event, take))
        try:
            await run_while_connected(_first(work, begun), request.receive)
        except BaseException:
            work.cancel()
            raise
        if not begun.done():
            return _whole(asked, await work)
        head, pipe = begun.result()
        response = _Streamed(_frames(asked, head, pipe, work), work)
        response.headers["x-amz-executed-version"] = asked.version.version
        response.headers["x-amzn-remapped-content-type"] = _BYTES if head is None else INTEGRATION
        return response


class _Streamed(StreamingResponse):
    """Frames as they come; the invocation does not outlive them."""

    def __init__(self, frames: AsyncIterator[bytes], work: asyncio.Task[Result]) -> None:
        super().__init__(frames, media_type=CONTENT_TYPE)
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._work.cancel()


async def _first(work: asyncio.Task[Result], begun: asyncio.Future[Begun]) -> None:
    """Return when there is a result, or the beginning of an answer."""
    await asyncio.wait((work, begun), return_when=asyncio.FIRST_COMPLETED)


def _whole(asked: Asked, result: Result) -> Response:
    """The answer of a function that ended without having streamed."""
    if response := refusal(result):
        return response
    payload, failure = told_payload(result, asked.version.artifact.kind)
    frames = _complete(asked, result, failure)
    if failure is None:
        frames = _chunk(payload) + frames
    response = Response(frames, media_type=CONTENT_TYPE)
    response.headers["x-amz-executed-version"] = result.usage.version
    response.headers["x-amzn-remapped-content-type"] = _JSON
    return response


async def _frames(
    asked: Asked, head: ResponseHead | None, pipe: Pipe, work: asyncio.Task[Result]
) -> AsyncIterator[bytes]:
    if head is not None:
        yield _chunk(json_bytes(head.document()) + _PRELUDE_END)
    while not pipe.is_ended:
        await pipe.await_data()
        if pipe.waiting_bytes:
            yield _chunk(pipe.read())
    try:
        result = await work
    except Exception as error:  # the outermost frame: the head has left
        failed = platform_error(error, asked.event.request_id)
        yield _completed({"ErrorCode": "ServiceException", "ErrorDetails": failed.message})
        return
    yield _complete(asked, result, result.failure)


def _chunk(data: bytes) -> bytes:
    return event("PayloadChunk", _BYTES, data)


def _complete(asked: Asked, result: Result, failure: Failure | None) -> bytes:
    document: dict[str, str] = {}
    if failure is not None:
        document["ErrorCode"] = "Unhandled"
        document["ErrorDetails"] = json_bytes(failure.document()).decode()
    if asked.wants_tail:
        document["LogResult"] = b64encode(log_tail(result)).decode()
    return _completed(document)


def _completed(document: dict[str, str]) -> bytes:
    return event("InvokeComplete", _JSON, json_bytes(document))
