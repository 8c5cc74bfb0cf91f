"""An answer sent through ASGI as its function writes it: HTTP/2, and HTTP/1.1 behind Hypercorn.

Neighbours: `data.py` makes one for each request; `streams.py` says what is in it.
Invariant: the end leaves after the invocation is in the journal, and only if it ended well.
"""

import asyncio

from edge.front.answers import Answer
from edge.front.asgi import Scope, Send
from edge.front.http2 import Http2Stream
from edge.front.streams import ResponseStream, announced, await_first_piece, trailers_of
from edge.model.outcome import Outcome
from edge.model.result import Result

_TRAILERS = "http.response.trailers"


class SentStream:
    """The streamed answer to one request, if there comes to be one."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._stream = Http2Stream(send)
        self._is_head = scope["method"] == "HEAD"
        self._has_trailers = _TRAILERS in scope.get("extensions", {}) and any(
            name == b"te" and value == b"trailers" for name, value in scope["headers"]
        )
        self._task: asyncio.Task[None] | None = None
        self._response: ResponseStream | None = None
        self._is_begun = False

    def begin(self, answer: Answer, response: ResponseStream) -> None:
        """Send what comes, once some of it did, unless the guest is over by then."""
        self._response = response
        self._task = asyncio.create_task(self._pump(answer, response))

    async def cut_off(self) -> bool:
        """It will not be whole; whether something of it was sent."""
        if self._task is not None:
            self._task.cancel()
        if self._is_begun:
            await self._stream.reset()
        return self._is_begun

    async def end(self, result: Result | None) -> bool:
        """The guest is over: send what is left and the end, or cut the answer off.

        False when nothing was sent: the answer is still to come.
        """
        if self._task is None or self._response is None:
            return False
        pipe = self._response.pipe
        if result is None or result.outcome is not Outcome.OK:
            return await self.cut_off()
        if self._response.is_over:
            self._task.cancel()
            return False
        await self._task
        await self._send({"type": "http.response.body", "body": b""})
        if self._has_trailers:
            headers = trailers_of(pipe, result)
            await self._send({"type": _TRAILERS, "headers": headers})
        return True

    async def _pump(self, answer: Answer, response: ResponseStream) -> None:
        await await_first_piece(response)
        if response.is_over:
            return
        self._is_begun = True
        pipe = response.take()
        if self._has_trailers:
            announced(answer)
        head = {"status": answer.status, "headers": answer.headers, "trailers": self._has_trailers}
        await self._send({"type": "http.response.start", **head})
        while not pipe.is_ended:
            await pipe.await_data()
            data = pipe.read()
            if data and not self._is_head:
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
                await self._stream.drain()
