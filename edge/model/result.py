"""What an invocation gives back to its door.

Neighbours: `invoke/` makes it, `front/` and `sources/` translate it.
Invariant: `failure` is None exactly when `outcome` is `ok`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from edge.model.outcome import Failure, Outcome
from edge.model.usage import Usage

RATE_EXCEEDED = "RateExceeded"
"""The type of the failure of an event that came too soon after others."""


class Result(NamedTuple):
    """Outcome, the guest's value or its failure, what it used, and the end of its log.

    `value` is the decoded answer of an ABI guest, or the bytes a command wrote to stdout.
    `retry_after_s` is set when the outcome is throttled or overloaded.
    """

    outcome: Outcome
    value: object
    failure: Failure | None
    usage: Usage
    log: tuple["LogLine", ...] = ()
    retry_after_s: int | None = None


class Refusal(NamedTuple):
    """Why an event is not run now, and when to try again."""

    outcome: Outcome
    failure: Failure
    retry_after_s: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line a guest logged: Unix ms, level (0 trace … 4 error), text."""

    time_ms: int
    level: int
    message: str
