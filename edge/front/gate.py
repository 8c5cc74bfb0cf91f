"""Lets into the control plane who has a key, as far as the key's policy goes.

Neighbours: `control.py` puts it before the router; `access/authority.py` judges, `deeds.py` says
what a request is.
Invariant: on a closed host nothing but the health check is reached without a key whose policy
allows it. Every refusal and every change is logged with who, what and where from.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256

import structlog
from starlette.requests import Request
from starlette.responses import Response

from edge.access.authority import Authority
from edge.access.evaluation import Deed
from edge.access.keyring import AccessKey
from edge.access.signature import EMPTY_DIGEST, Wire
from edge.front.asgi import App, Message, Receive, Scope, Send, read_body
from edge.front.deeds import Need, need_of
from edge.front.documents import parse_object
from edge.front.endpoints import Dialect, framed
from edge.model.errors import EdgeError, InvalidRequest
from edge.model.ids import ACCOUNT, parse_name
from edge.model.limits import MIB
from edge.model.policy import FunctionPolicy

_INLINE_BYTES_MAX = 1 * MIB
"""Longer bodies are hashed on a thread."""

PolicyOf = Callable[[str, str], FunctionPolicy | None]
"""The policy of a function under a qualifier."""

_log = structlog.get_logger(__name__)


class Gate:
    """ASGI middleware in front of the control plane's router."""

    def __init__(
        self,
        app: App,
        authority: Authority,
        policy_of: PolicyOf,
        dialect_of: Callable[[str], Dialect],
        body_bytes_max: int,
    ) -> None:
        """`body_bytes_max` bounds what is read before a signature over it can be checked."""
        self._app = app
        self._authority = authority
        self._policy_of = policy_of
        self._dialect_of = dialect_of
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        need = need_of(scope["method"], scope["path"], scope["query_string"])
        caller = "anonymous"
        if self._authority.is_closed and not need.is_public:
            try:
                key, receive = await self._admit(scope, receive, need)
            except EdgeError as error:
                self._note("access_refused", scope, need, reason=error.message)
                await self._refuse(error, scope, receive, send)
                return
            caller = key.arn
        # A state of the request's own: a server may have one for the whole connection.
        scope = {**scope, "state": {**scope.get("state", {}), "caller": caller}}
        if need.is_change:
            send = self._audited(scope, need, caller, send)
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, need: Need) -> tuple[AccessKey, Receive]:
        """The key, and the body to be read again. Raises EdgeError."""
        wire = Wire(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"])
        claim = self._authority.identify(wire)
        body: bytes | None = None
        if claim.signature is not None or need.names_in_body:
            length = dict(scope["headers"]).get(b"content-length")
            body = await read_body(receive, length, self._body_bytes_max)
            receive = _again(body, receive)
        digest = EMPTY_DIGEST if claim.signature is None else await _digest(body or b"")
        key = self._authority.confirm(claim, wire, digest)
        if need.names_in_body:
            need = need._replace(function=_named_in(body or b""))
        policy = self._policy_of(need.function, need.qualifier) if need.function else None
        context = _context(scope, key)
        for action in need.actions:
            deed = Deed(key.arn, action, need.resource, context, key.access_key_id)
            self._authority.permit(key, deed, policy)
        return key, receive

    async def _refuse(self, error: EdgeError, scope: Scope, receive: Receive, send: Send) -> None:
        async def endpoint(_request: Request) -> Response:
            raise error

        response = await framed(endpoint, self._dialect_of(scope["path"]))(Request(scope, receive))
        await response(scope, receive, send)

    def _audited(self, scope: Scope, need: Need, caller: str, send: Send) -> Send:
        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note("change", scope, need, caller=caller, status=message["status"])
            await send(message)

        return noting_send

    def _note(self, event: str, scope: Scope, need: Need, **more: object) -> None:
        client = scope.get("client") or ("", 0)
        _log.warning(
            event,
            source=client[0],
            method=scope["method"],
            path=scope["path"][:200],
            action=" ".join(need.actions),
            resource=need.resource[:200],
            **more,
        )


async def _digest(body: bytes) -> str:
    """The SHA-256 of a body in hex."""
    if len(body) <= _INLINE_BYTES_MAX:
        return sha256(body).hexdigest()
    return (await asyncio.to_thread(sha256, body)).hexdigest()


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once more, and then what comes after it."""
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _named_in(body: bytes) -> str:
    """The function that a JSON body names; empty where it names none that can be."""
    try:
        name, _ = parse_name(str(parse_object(body).get("FunctionName")))
    except InvalidRequest:
        return ""  # the endpoint will refuse it
    return name


def _context(scope: Scope, key: AccessKey) -> Mapping[str, str]:
    """The condition keys that a request here has."""
    now = datetime.now(UTC)
    context = {
        "aws:currenttime": now.isoformat(),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:securetransport": "true" if scope["scheme"] == "https" else "false",
        "aws:principalarn": key.arn,
        "aws:principalaccount": ACCOUNT,
        "aws:principaltype": "User",
        "aws:userid": key.access_key_id,
        "aws:username": key.arn.rpartition("/")[2],
    }
    if scope.get("client"):
        context["aws:sourceip"] = scope["client"][0]
    for name, value in scope["headers"]:
        if name == b"user-agent":
            context["aws:useragent"] = value.decode("latin-1")
    return context
