"""How a WASI preview 1 command is driven: the request on stdin, CGI's variables, the answer on
stdout.

Neighbours: `execution.py` chooses between this and `abi.py`.
Source of the variables: RFC 3875; the `Proxy` header is left out (CVE-2016-5385).
"""

import json
from collections.abc import Generator, Mapping
from typing import Any

from edge.model.event import Event, Source
from edge.model.outcome import Failure, Outcome
from edge.sandbox.instance import Instance
from edge.sandbox.stop import GuestStopped, too_large

_UNSAFE_HEADERS = frozenset({"proxy", "authorization", "proxy-authorization"})
_CONTENT_HEADERS = frozenset({"content-type", "content-length"})

Variables = tuple[tuple[str, str], ...]


def read_event(event: Event) -> tuple[bytes, Variables]:
    """(stdin, variables): an HTTP event's body as it came, any other event as JSON."""
    payload = event.payload
    own = (("EDGE_REQUEST_ID", event.request_id), ("EDGE_FUNCTION_NAME", event.function))
    if event.source is not Source.HTTP or not isinstance(payload, dict):
        return json.dumps(payload, default=_as_text).encode(), own
    body = payload.get("body", b"")
    stdin = body.encode() if isinstance(body, str) else bytes(body)
    return stdin, (*_request_variables(event.function, payload, len(stdin)), *own)


def _request_variables(function: str, payload: Mapping[str, Any], size: int) -> Variables:
    http = payload["requestContext"]["http"]
    headers: Mapping[str, str] = payload.get("headers", {})
    variables = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": http["method"],
        "SCRIPT_NAME": f"/{function}",
        "PATH_INFO": payload["rawPath"],
        "QUERY_STRING": payload["rawQueryString"],
        "CONTENT_LENGTH": str(size),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "SERVER_PROTOCOL": http["protocol"],
        "SERVER_NAME": payload["requestContext"]["domainName"],
        "REMOTE_ADDR": http["sourceIp"],
    }
    for name, value in headers.items():
        if name not in _CONTENT_HEADERS and name not in _UNSAFE_HEADERS:
            variables[f"HTTP_{name.upper().replace('-', '_')}"] = value
    if payload.get("cookies"):
        variables["HTTP_COOKIE"] = "; ".join(payload["cookies"])
    return tuple(
        (name, value) for name, value in variables.items() if "\0" not in value and "=" not in name
    )


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def answer(instance: Instance) -> Generator[None, None, bytes]:
    """Run `_start` to its end; what the command wrote to stdout.

    A command that exits with status 0 answered; any other status is a guest error.
    """
    yield from instance.start()
    instance.restored()
    try:
        yield from instance.call(b"_start", 0, 0, 0, 0)
    except GuestStopped as stopped:
        if instance.session.exit_status != 0:
            raise stopped
    if instance.session.stdout is None:
        raise GuestStopped(Outcome.HOST_ERROR, Failure("HostError", "stdout was not kept"))
    if instance.session.stdout_full:
        size = len(instance.session.stdout)
        raise too_large(size + 1, size)
    return bytes(instance.session.stdout)
