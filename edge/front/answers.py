"""The one table: every outcome and every platform error as HTTP, and as Lambda names it.

Neighbours: both planes answer through it; `response.py` makes the answers that are no errors.
Invariant: each `Outcome` but `ok` has a row, and so has each class of the error tree (its own or
its parent's); an error's body never holds a guest's own words or a stack trace.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from edge.access.faults import (
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    UnrecognizedClient,
)
from edge.front.documents import json_bytes
from edge.front.faults import (
    BodyTooLate,
    MethodNotAllowed,
    NoProvision,
    NoRoomForBody,
    NoSuchPath,
    PolicyTooLong,
    PreconditionFailed,
)
from edge.model.errors import (
    BuildFailed,
    Conflict,
    Denied,
    DeployTimeout,
    EdgeError,
    InvalidContent,
    InvalidRequest,
    InvalidZipFile,
    NotFound,
    PayloadTooLarge,
    RateExceeded,
    StorageFailure,
    TooManyEvents,
    Unsupported,
)
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.model.usage import Usage

Headers = list[tuple[bytes, bytes]]

RETRY_AFTER_S_DEFAULT = 1
# RFC 9110, sections 8.6 and 15.3.5: these carry neither a body nor a length.
BODILESS = frozenset((204, 304))
_GUEST_ERROR = "the function reported an error; its log has the details under this request id"
_HOST_ERROR = "the host failed to run the function; its log has the details under this request id"


class Answer(NamedTuple):
    """A whole HTTP response: status, header fields with names in lower case, body; what the call
    used is told behind its fields."""

    status: int
    headers: Headers
    body: bytes = b""
    usage: Usage | None = None


class Row(NamedTuple):
    """One line of the table.

    `lambda_error` is the name Lambda's clients know; None for an outcome that the Invoke API
    reports as the function's own error, with status 200. `message` replaces the failure's own.
    """

    status: int
    code: str
    lambda_error: str | None
    message: str | None = None


OUTCOMES: Mapping[Outcome, Row] = MappingProxyType(
    {
        Outcome.GUEST_ERROR: Row(502, "guest_error", None, _GUEST_ERROR),
        Outcome.GUEST_TRAP: Row(502, "guest_trap", None),
        Outcome.OUT_OF_MEMORY: Row(502, "out_of_memory", None),
        Outcome.TIMEOUT: Row(504, "timeout", None),
        Outcome.CPU_EXCEEDED: Row(504, "cpu_exceeded", None),
        Outcome.DENIED: Row(403, "denied", "AccessDeniedException"),
        Outcome.THROTTLED: Row(429, "throttled", "TooManyRequestsException"),
        Outcome.OVERLOADED: Row(503, "overloaded", "ServiceException"),
        Outcome.CANCELED: Row(503, "canceled", "ServiceException"),
        Outcome.HOST_ERROR: Row(500, "host_error", "ServiceException", _HOST_ERROR),
    }
)

# (status, Lambda's name); the code is the error's own.
_ERRORS: Mapping[type[EdgeError], tuple[int, str]] = MappingProxyType(
    {
        EdgeError: (500, "ServiceException"),
        InvalidRequest: (400, "InvalidParameterValueException"),
        InvalidContent: (400, "InvalidRequestContentException"),
        InvalidZipFile: (502, "InvalidZipFileException"),
        BuildFailed: (400, "InvalidParameterValueException"),
        PayloadTooLarge: (413, "RequestTooLargeException"),
        MethodNotAllowed: (405, "MethodNotAllowedException"),
        BodyTooLate: (408, "RequestTimeoutException"),
        NoRoomForBody: (503, "ServiceException"),
        NotFound: (404, "ResourceNotFoundException"),
        NoSuchPath: (404, "UnknownOperationException"),
        NoProvision: (404, "ProvisionedConcurrencyConfigNotFoundException"),
        PolicyTooLong: (400, "PolicyLengthExceededException"),
        Conflict: (409, "ResourceConflictException"),
        PreconditionFailed: (412, "PreconditionFailedException"),
        Denied: (403, "AccessDeniedException"),
        IncompleteSignature: (400, "IncompleteSignatureException"),
        InvalidSignature: (403, "InvalidSignatureException"),
        MissingAuthenticationToken: (403, "MissingAuthenticationTokenException"),
        UnrecognizedClient: (403, "UnrecognizedClientException"),
        # The module asks too much; a 5xx would make Lambda's clients send it again.
        DeployTimeout: (422, "InvalidParameterValueException"),
        StorageFailure: (500, "ServiceException"),
        TooManyEvents: (429, "TooManyRequestsException"),
        RateExceeded: (429, "TooManyRequestsException"),
        Unsupported: (501, "ServiceException"),
    }
)


def error_row(error: EdgeError) -> Row:
    """The row of a platform error: its own class's, else its nearest parent's."""
    for kind in type(error).__mro__:
        found = _ERRORS.get(kind)
        if found is not None:
            return Row(found[0], error.code, found[1])
    raise AssertionError("EdgeError itself has a row")


def framed(status: int, headers: Headers, body: bytes, usage: Usage | None = None) -> Answer:
    """An answer that says how long it is, unless its status forbids a body."""
    if status in BODILESS:
        return Answer(status, headers, b"", usage)
    headers.append((b"content-length", b"%d" % len(body)))
    return Answer(status, headers, body, usage)


def error_answer(error: EdgeError, request_id: str) -> Answer:
    """A platform error as either plane tells it."""
    row = error_row(error)
    headers = [(b"x-edge-request-id", request_id.encode()), *_retry(row, retry_after_s(error))]
    if isinstance(error, MethodNotAllowed) and error.allowed:
        headers.append((b"allow", ", ".join(error.allowed).encode()))
    return _refusal(row, error.message, request_id, headers)


def retry_after_s(error: EdgeError) -> int | None:
    """When to ask again, where an error says so."""
    return error.retry_after_s if isinstance(error, RateExceeded) else None


def outcome_answer(result: Result) -> Answer:
    """What a caller of the data plane is told of an invocation that did not end well."""
    row = OUTCOMES[result.outcome]
    said = result.failure.message if result.failure else row.code
    headers = [*metering_headers(result.usage), *_retry(row, result.retry_after_s)]
    return _refusal(row, said, result.usage.request_id, headers)


def metering_lines(usage: Usage) -> bytes:
    """What the call cost, as lines of a head: 1 µs less than field by field."""
    restore, guest, host = usage.restore_us / 1000, usage.guest_us / 1000, usage.host_us / 1000
    return (
        f"x-edge-request-id: {usage.request_id}\r\nx-edge-version: {usage.version}\r\n"
        f"x-edge-fuel: {usage.fuel}\r\nx-edge-billed-ms: {usage.billed_ms}\r\n"
        f"server-timing: restore;dur={restore:.3f}, guest;dur={guest:.3f}, host;dur={host:.3f}\r\n"
    ).encode()


def metering_headers(usage: Usage) -> Headers:
    """The same as fields."""
    lines = metering_lines(usage).split(b"\r\n")[:-1]
    return [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]


def _retry(row: Row, after_s: int | None) -> Headers:
    """When to try again, where trying again can help."""
    if row.status not in (429, 503):
        return []
    return [(b"retry-after", b"%d" % (after_s or RETRY_AFTER_S_DEFAULT))]


def _refusal(row: Row, said: str, request_id: str, headers: Headers) -> Answer:
    error = {"code": row.code, "message": row.message or said, "requestId": request_id}
    headers.append((b"content-type", b"application/json"))
    headers.append((b"x-content-type-options", b"nosniff"))
    return framed(row.status, headers, json_bytes({"error": error}))
