"""What is told of an async event at its end: Lambda's destination record, and where it goes.

Neighbours: `runner.py` asks when an event is over.
Source of the record's shape:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html.
"""

import json
from datetime import UTC, datetime
from typing import NamedTuple

from edge.model import cbor
from edge.model.async_event import Condition
from edge.model.cbor import CborError
from edge.model.errors import InvalidRequest
from edge.model.event import Event
from edge.model.ids import LATEST, function_arn, new_request_id, parse_name
from edge.model.result import Result

ARN_PREFIX = "arn:"
HTTP_PREFIXES = ("http://", "https://")
HOPS_MAX = 16
"""Destinations an event may lead through, Lambda's bound on functions that call each other."""

Record = dict[str, object]


class End(NamedTuple):
    """How an event ended: its last result is None when it never ran, or its function is gone."""

    condition: Condition
    invoke_count: int
    result: Result | None
    reason: str


def record(event: Event, end: End, time_ms: int) -> Record:
    """Lambda's destination record; byte strings stay byte strings."""
    result = end.result
    document: Record = {
        "version": "1.0",
        "timestamp": _timestamp(time_ms),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": function_arn(event.function, event.qualifier or LATEST),
            "condition": end.condition.value,
            "approximateInvokeCount": end.invoke_count,
        },
        "requestPayload": event.payload,
    }
    if result is not None:
        context: Record = {"statusCode": 200, "executedVersion": result.usage.version}
        if result.failure is not None:
            context["functionError"] = "Unhandled"
        document["responseContext"] = context
        document["responsePayload"] = (
            _plain(result.value) if result.failure is None else result.failure.document()
        )
    return document


def check_destination(destination: str) -> str:
    """A destination as it may be set: a function's ARN or an HTTP address.

    Raises InvalidRequest.
    """
    if destination.startswith(HTTP_PREFIXES):
        return destination
    if not destination.startswith(ARN_PREFIX):
        raise InvalidRequest(
            f"{destination[:80]!r} is no destination: use a function's ARN or an HTTP address"
        )
    try:
        parse_name(destination)
    except InvalidRequest:
        raise InvalidRequest(
            f"{destination[:80]!r} is no function's ARN: other services are no destinations here"
        ) from None
    return destination


def forwarded(destination: str, encoded: bytes) -> Event:
    """The event that carries a record in CBOR to the function with this ARN."""
    name, qualifier = parse_name(destination)
    document = cbor.decode(encoded)
    return Event(name, document, new_request_id(), qualifier=qualifier, bytes_in=len(encoded))


def encode_record(document: Record) -> bytes:
    """A record in CBOR; without the response when that cannot be written.

    The request was read from CBOR, so it can be; only its depth may then be too great by one.
    """
    try:
        return cbor.encode(document)
    except CborError as error:
        reason = f"it cannot be written: {error}"
    try:
        return cbor.encode({**document, "responsePayload": reason})
    except CborError:
        return cbor.encode({**document, "requestPayload": reason, "responsePayload": reason})


def _plain(value: object) -> object:
    """A guest's value; a command's output as JSON where it is that, else as text."""
    if not isinstance(value, bytes):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value.decode(errors="replace")


def _timestamp(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"
