"""What a component of world `edge:function` is handed and answers: JSON, in Lambda's shapes.

Neighbours: `invoke/prepared.py` makes one for a version; `execution.py` reads answers.
Source: `docs/abi.md`; an HTTP event's body is Lambda's own, text or base64, so that a handler
written for Lambda meets what it knows.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from edge.model import cbor, json
from edge.model.cbor import CborError
from edge.model.event import Event, Source
from edge.model.function import Version
from edge.model.json import JsonError
from edge.model.outcome import Failure, Outcome
from edge.sandbox.abi import malformed, read_failure

MEMORY_ERRORS = frozenset({"MemoryError", "OutOfMemory"})
"""What languages call it when their memory limit was reached and they could still say so."""
_AROUND_BYTES = 64
"""Of `{"ok":{"$bytes":""}}`, with room."""


class TextEnvelope:
    """`{"event", "context"}` in JSON, its constant half encoded once."""

    __slots__ = ("_constant",)

    def __init__(self, version: Version, arn: str) -> None:
        """`arn` is what the version is called by."""
        constant = json.encode(
            {
                "functionName": version.function,
                "functionVersion": version.version,
                "invokedFunctionArn": arn,
                "memoryLimitMb": version.settings.limits.memory_mb,
            }
        )
        self._constant = constant.removesuffix("}")

    def seal(self, event: Event, deadline_ms: int) -> bytes:
        """The text for `handle`. Raises CborError when the payload is no plain value."""
        try:
            payload = json.encode(as_lambda(event))
            rest = json.encode(
                {
                    "requestId": event.request_id,
                    "deadlineMs": deadline_ms,
                    "traceparent": event.traceparent,
                    "clientContext": event.client_context,
                }
            )
        except JsonError as error:
            raise CborError(str(error)) from None
        text = f'{{"event":{payload},"context":{self._constant},{rest[1:]}}}'
        return json.mark(text).encode()


def as_lambda(event: Event) -> Any:
    """The payload, an HTTP event's body as Lambda gives it."""
    payload = event.payload
    if event.source is not Source.HTTP or not isinstance(payload, dict):
        return payload
    body = payload.get("body")
    if not isinstance(body, bytes | bytearray | memoryview):
        return payload
    data = bytes(body)
    try:
        return {**payload, "body": data.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {**payload, "body": b64encode(data).decode(), "isBase64Encoded": True}


def text_bytes_max(answer_bytes_max: int) -> int:
    """The longest text of an answer that can be within the limit: all of it a byte string."""
    return answer_bytes_max * 4 // 3 + _AROUND_BYTES


def over_limit(data: bytes, outcome: Outcome, value: object, answer_bytes_max: int) -> int | None:
    """The size of an answer that is over the limit, None if it is not.

    A byte string counts as its bytes, not as the base64 it crossed in, so that every kind of
    guest may answer the same. An error, or what is no answer at all, counts as it crossed.
    """
    if len(data) <= answer_bytes_max:
        return None
    if outcome is not Outcome.OK:
        return len(data)
    size = len(cbor.encode({"ok": value}))
    return size if size > answer_bytes_max else None


def read_text_answer(data: bytes) -> tuple[Outcome, object, Failure | None]:
    """Outcome, value and failure from the JSON a component returned."""
    try:
        document = json.decode(data)
    except JsonError as error:
        return malformed(f"the guest's answer is not JSON: {error}")
    if isinstance(document, Mapping):
        if "ok" in document:
            return Outcome.OK, document["ok"], None
        failure = document.get("error")
        if isinstance(failure, Mapping):
            read = read_failure(failure)
            full = read.type in MEMORY_ERRORS
            return Outcome.OUT_OF_MEMORY if full else Outcome.GUEST_ERROR, None, read
    return malformed('the guest\'s answer is neither {"ok": …} nor {"error": {…}}')
