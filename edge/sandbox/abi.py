"""How a guest that speaks the core-module ABI is driven, and how its answer is read.

Neighbours: `execution.py` chooses between this and `command.py`.
Source: `docs/abi.md`, which is the contract guests are written against.
"""

from collections.abc import Generator, Mapping

from edge.model.cbor import CborError, decode, encode, encode_own
from edge.model.event import Document, Event
from edge.model.function import Version
from edge.model.outcome import Failure, Outcome
from edge.sandbox.instance import Instance
from edge.sandbox.stop import no_room

_CONTEXT_ENTRIES = 8
_U32 = 0xFFFF_FFFF
_NULL = b"\xf6"
_FAILURE_TEXT_MAX = 64 * 1024
_STACK_LINES_MAX = 64


class Envelope:
    """What a guest is handed: `{"event", "context"}` in CBOR, its constant half encoded once."""

    __slots__ = ("_constant",)

    def __init__(self, version: Version, arn: str) -> None:
        """`arn` is what the version is called by."""
        constant = encode(
            {
                "functionName": version.function,
                "functionVersion": version.version,
                "invokedFunctionArn": arn,
                "memoryLimitMb": version.settings.limits.memory_mb,
            }
        )
        self._constant = b"\x67context" + bytes([0xA0 | _CONTEXT_ENTRIES]) + constant[1:]

    def seal(self, event: Event, deadline_ms: int) -> bytes:
        """The bytes for `edge_handle`. Raises CborError when the payload is no plain value."""
        trace = _NULL if event.traceparent is None else encode(event.traceparent)
        client = _NULL if event.client_context is None else encode(event.client_context)
        given = event.given
        # Put together here, since encoding these four as a map costs 1 µs more.
        return b"".join(
            (
                b"\xa2\x65event",
                given.cbor() if isinstance(given, Document) else encode(given),
                self._constant,
                b"\x69requestId",
                encode_own(event.request_id),
                b"\x6adeadlineMs\x1b",
                deadline_ms.to_bytes(8, "big"),
                b"\x6btraceparent",
                trace,
                b"\x6dclientContext",
                client,
            )
        )


def answer(instance: Instance, envelope: bytes) -> Generator[None, None, bytes]:
    """Start the guest, hand it the envelope, and return what it answered."""
    size = len(envelope)
    yield from instance.start()
    for name in instance.module.work:
        yield from instance.call(name, 0, 0, 0, 0)
    instance.restored()
    pointer = yield from instance.call(b"edge_alloc", 1, size, 0, 1)
    instance.put(_checked(pointer, size), envelope)
    packed = yield from instance.call(b"edge_handle", 2, pointer & _U32, size, 1)
    return instance.get(packed >> 32, packed & _U32)


def _checked(pointer: int, size: int) -> int:
    """Where `edge_alloc` says the event may go, if anywhere."""
    pointer &= _U32
    if pointer == 0 and size:
        raise no_room(size)
    return pointer


def read_answer(data: bytes) -> tuple[Outcome, object, Failure | None]:
    """Outcome, value and failure from the CBOR a guest returned."""
    try:
        document = decode(data)
    except CborError as error:
        return malformed(f"the guest's answer is not CBOR: {error}")
    if isinstance(document, dict):
        if "ok" in document:
            return Outcome.OK, document["ok"], None
        failure = document.get("error")
        if isinstance(failure, dict):
            return Outcome.GUEST_ERROR, None, read_failure(failure)
    return malformed('the guest\'s answer is neither {"ok": …} nor {"error": {…}}')


def malformed(message: str) -> tuple[Outcome, object, Failure | None]:
    """The outcome of an answer that cannot be read."""
    return Outcome.GUEST_ERROR, None, Failure("MalformedAnswer", message)


def read_failure(document: Mapping[str, object]) -> Failure:
    """Lambda's error object, each part of it bounded."""
    stack = document.get("stackTrace")
    lines = stack if isinstance(stack, list) else []
    return Failure(
        type=str(document.get("errorType") or "Error")[:_FAILURE_TEXT_MAX],
        message=str(document.get("errorMessage") or "")[:_FAILURE_TEXT_MAX],
        stack=tuple(str(line)[:_FAILURE_TEXT_MAX] for line in lines[:_STACK_LINES_MAX]),
    )
