"""What came of an invocation, as the data plane's answer.

Neighbours: any HTTP door calls `answer_result`; values go by the rules of `response.py`, a
command's output by those of `command.py`, everything else by the table in `answers.py`.
"""

import time

import structlog

from edge.front.answers import Answer, framed, outcome_answer
from edge.front.command import command_response
from edge.front.response import MalformedResponse, lambda_response
from edge.front.services import LogStore
from edge.model.errors import StorageFailure
from edge.model.function import GuestKind
from edge.model.outcome import Failure, Outcome
from edge.model.result import LogLine, Result

_ERROR_LEVEL = 4
_log = structlog.get_logger(__name__)


def answer_result(result: Result, kind: GuestKind, logs: LogStore) -> Answer:
    """The whole answer; why a response could not be sent goes to the function's log."""
    if result.outcome is not Outcome.OK:
        return outcome_answer(result)
    try:
        if kind is GuestKind.COMMAND and isinstance(result.value, bytes):
            found = command_response(result.value)
        else:
            found = lambda_response(result.value)
    except MalformedResponse as error:
        return _malformed(result, str(error), logs)
    return framed(found.status, found.headers, found.body, result.usage)


def _malformed(result: Result, reason: str, logs: LogStore) -> Answer:
    usage = result.usage
    line = LogLine(time.time_ns() // 1_000_000, _ERROR_LEVEL, f"malformed response: {reason}")
    try:
        logs.append(usage.function, usage.request_id, (line,), usage.version)
    except StorageFailure as error:
        _log.error("log line lost", request_id=usage.request_id, error=error.message)
    failure = Failure("MalformedResponse", reason)
    return outcome_answer(Result(Outcome.GUEST_ERROR, None, failure, usage))
