"""`edge.call`: one CBOR request in, one CBOR answer out, whatever the guest sent.

Neighbours: the sandbox calls `begin` on the event loop; `kv.py` and `fetch/` bring operations.
Invariant: `begin` and what it returns never raise (but for a cancellation): a failure of any kind
is an error answer, and the details of ours stay in our log.
"""

from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

import structlog

from edge.host.answers import CallError, Code, failed
from edge.host.arguments import Arguments
from edge.host.charges import FUEL_PER_BYTE, FUEL_PER_CALL, FUEL_PER_IMPORT
from edge.host.flow import StreamLimits
from edge.host.session import Session
from edge.model import cbor
from edge.model.errors import Conflict, InvalidRequest, StorageFailure
from edge.model.limits import KIB, MIB
from edge.storage.kv import QuotaExceeded

if TYPE_CHECKING:
    from edge.host.fetch.fetcher import Fetcher

REQUEST_BYTES_MAX: Final = 6 * MIB + 64 * KIB
UNKNOWN_OPERATION: Final = "unknown"

Later = Callable[[], Awaitable[bytes]]
Operation = Callable[[Session, Arguments], bytes | Later]
"""Checks its arguments and grants, then answers, or returns what to await for the answer."""

_log = structlog.get_logger(__name__)


class HostCalls:
    """Dispatches host calls. Lives as long as the process; `operations` are by name.

    `fetcher` and `streams` are for guests whose requests and bodies are streamed (`wasi2/`).
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        *,
        fetcher: "Fetcher | None" = None,
        streams: StreamLimits | None = None,
    ) -> None:
        self._operations = dict(operations)
        self.fetcher = fetcher
        self.streams = streams or StreamLimits()

    def begin(self, session: Session, request: bytes) -> bytes | Awaitable[bytes]:
        """Make the call: its answer at once, or an awaitable of it."""
        session.charge(FUEL_PER_IMPORT + FUEL_PER_CALL + FUEL_PER_BYTE * len(request))
        name = UNKNOWN_OPERATION
        try:
            arguments = _read(request)
            name, operation = self._find(arguments)
            session.calls[name] = session.calls.get(name, 0) + 1
            answer = operation(session, arguments)
        except Exception as error:
            answer = _refusal(error, session, name)
        if not isinstance(answer, bytes):
            return self._finish(session, name, answer)
        session.charge(FUEL_PER_BYTE * len(answer))
        return answer

    async def _finish(self, session: Session, name: str, later: Later) -> bytes:
        began_ns = perf_counter_ns()
        try:
            answer = await later()
        except Exception as error:
            answer = _refusal(error, session, name)
        finally:
            session.host_ns += perf_counter_ns() - began_ns
        session.charge(FUEL_PER_BYTE * len(answer))
        return answer

    def _find(self, arguments: Arguments) -> tuple[str, Operation]:
        name = arguments.text("op", bytes_max=64)
        operation = self._operations.get(name)
        if operation is None:
            known = ", ".join(sorted(self._operations))
            raise CallError(
                Code.INVALID_REQUEST, f"{name!r} is not an operation; there are {known}"
            )
        return name, operation


def _read(request: bytes) -> Arguments:
    if len(request) > REQUEST_BYTES_MAX:
        raise CallError(Code.TOO_LARGE, f"the request is over {REQUEST_BYTES_MAX} bytes")
    try:
        decoded = cbor.decode(request)
    except cbor.CborError as error:
        raise CallError(Code.INVALID_REQUEST, f"the request is not CBOR: {error}") from None
    if not isinstance(decoded, dict):
        raise CallError(Code.INVALID_REQUEST, "the request is not a map")
    return Arguments(decoded)


def _refusal(error: Exception, session: Session, name: str) -> bytes:
    """The answer for what an operation raised; the host's own trouble is logged, not shown."""
    if not isinstance(error, CallError):
        error = _classify(error, session, name)
    return failed(error)


def _classify(error: Exception, session: Session, name: str) -> CallError:
    if isinstance(error, QuotaExceeded):
        return CallError(Code.QUOTA, error.message)
    if isinstance(error, Conflict):
        return CallError(Code.CONFLICT, error.message)
    if isinstance(error, InvalidRequest):
        return CallError(Code.INVALID_REQUEST, error.message)
    about = {"operation": name, "function": session.function, "request_id": session.request_id}
    if isinstance(error, StorageFailure):
        _log.warning("host_call_unavailable", **about, cause=error.message)
        return CallError(Code.UNAVAILABLE, "the store cannot do this now; try again later")
    _log.error("host_call_failed", **about, exc_info=error)
    return CallError(Code.UNAVAILABLE, "the host failed; its operator finds why in its log")
