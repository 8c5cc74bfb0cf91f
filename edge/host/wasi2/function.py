"""`edge:function/host`: the function's log and its host calls, the same ones as of core modules.

Neighbours: `host/calls.py` makes the calls; `sdk/wit/edge.wit` declares these two functions.
"""

from collections.abc import Awaitable, Coroutine
from typing import Any

from edge.host.answers import CallError, Code, failed
from edge.host.charges import FUEL_PER_BYTE
from edge.host.wasi2.context import Context, Functions
from edge.model import cbor, json
from edge.model.cbor import CborError
from edge.model.json import JsonError


def log(context: Context, level: int, message: str) -> None:
    """One line of the log."""
    data = message.encode("utf-8", "replace")
    context.session.charge(FUEL_PER_BYTE * len(data))
    context.session.log.append(level, data.removesuffix(b"\n"))


def call(context: Context, request: str) -> str | Coroutine[Any, Any, str]:
    """One host call, as JSON both ways."""
    try:
        data = cbor.encode(json.decode(request.encode("utf-8", "replace")))
    except (JsonError, CborError) as error:
        context.session.charge(FUEL_PER_BYTE * len(request))
        refusal = CallError(Code.INVALID_REQUEST, f"the request is not JSON: {error}")
        return _as_text(failed(refusal))
    if context.off_loop:
        return _call_on_loop(context, data)
    answer = context.calls.begin(context.session, data)
    return _as_text(answer) if isinstance(answer, bytes) else _await(answer)


async def _call_on_loop(context: Context, data: bytes) -> str:
    answer = context.calls.begin(context.session, data)
    return _as_text(answer if isinstance(answer, bytes) else await answer)


async def _await(answer: Awaitable[bytes]) -> str:
    return _as_text(await answer)


def _as_text(answer: bytes) -> str:
    try:
        return json.mark(json.encode(cbor.decode(answer)))
    except JsonError as error:  # a number that another language stored, and JSON has not
        refusal = CallError(Code.INVALID_REQUEST, f"the answer {error}")
        return json.mark(json.encode(cbor.decode(failed(refusal))))


HOST: Functions = {"log": log, "call": call}
