"""Async events: what was accepted to run later, what became of it, and the rules for both.

Neighbours: `front/` accepts, `storage/events.py` keeps, `invoke/runner.py` runs.
Invariant: an event that was accepted is waiting, claimed, or a dead letter, until it is settled.
Source of the rules: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.ids import LATEST
from edge.model.limits import MIB

ASYNC_BYTES_MAX = 1 * MIB
"""Lambda's limit of an async payload."""
RETRIES_MAX = 2
AGE_S_MIN = 60
AGE_S_MAX = 21_600


class Condition(StrEnum):
    """How an async event ended, in the words of Lambda's destination record."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    AGE_EXCEEDED = "EventAgeExceeded"


@dataclass(frozen=True, slots=True)
class AsyncEvent:
    """An event as it is kept.

    `content` is CBOR: `{"payload", "source", "bytesIn", "clientContext", "traceparent"}`.
    `attempts` counts runs that failed, `waits` the times it was put off unrun, `hops` the
    destinations it came through. Times are Unix ms.
    """

    request_id: str
    function: str
    content: bytes
    accepted_ms: int
    qualifier: str = LATEST
    attempts: int = 0
    waits: int = 0
    hops: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up. `record` is Lambda's destination record in CBOR."""

    event: AsyncEvent
    condition: Condition
    reason: str
    record: bytes
    died_ms: int


@dataclass(frozen=True, slots=True)
class EventConfig:
    """EventInvokeConfig of one function and qualifier; a destination is an ARN or a URL."""

    function: str
    qualifier: str = LATEST
    retries_max: int = RETRIES_MAX
    age_s_max: int = AGE_S_MAX
    on_success: str | None = None
    on_failure: str | None = None
    modified_ms: int = 0
