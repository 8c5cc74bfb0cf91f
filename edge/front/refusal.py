"""Answering a request whose body was not read to its end.

Hypercorn queues what the app has not read, and waits for room in that queue before it lets a
response end: an app that answers and reads no more would wait for ever, and the connection with
it. So what still comes is read, and thrown away, for as long as the answer takes to leave.

Neighbours: `data.py` refuses through `refuse`; `control.py` wraps its whole app in `Discarding`.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from edge.front.answers import Answer
from edge.front.asgi import App, Message, Receive, Scope, Send, send_answer


async def refuse(receive: Receive, send: Send, answer: Answer, *, head: bool) -> None:
    """Send a whole answer; `head` for a HEAD request."""
    await _discarding(receive, send_answer(send, answer, head=head))


class Discarding:
    """Lets the app inside answer whether it has read the request's body or not."""

    def __init__(self, app: App) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""

        async def ending_send(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                await _discarding(receive, send(message))
            else:
                await send(message)

        await self._app(scope, receive, ending_send)


async def _discarding(receive: Receive, sending: Coroutine[Any, Any, None]) -> None:
    discarding = asyncio.create_task(_discard(receive))
    try:
        await sending
    finally:
        discarding.cancel()


async def _discard(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
