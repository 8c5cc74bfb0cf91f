"""Lets into the control plane who has a key, as far as the key's policy goes.

Neighbours: `control.py` puts it before the router; `access/authority.py` judges, `deeds.py` says
what a request is.
Invariant: on a closed host nothing but the health check is reached without a key whose policy
allows it. Every refusal and every change is logged with who, what and where from.
"""

from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from edge.access.authority import Authority, Claim
from edge.access.evaluation import Deed
from edge.access.signature import EMPTY_DIGEST, Wire
from edge.front.asgi import App, ClientGone, Message, Receive, Scope, Send, body_digest, read_body
from edge.front.context import RequestContext
from edge.front.deeds import Need, need_of
from edge.front.documents import parse_object
from edge.front.endpoints import Dialect, framed
from edge.front.failures import LOGGED_CHARS_MAX, log_refusal
from edge.model.errors import EdgeError, InvalidRequest
from edge.model.ids import parse_name
from edge.model.policy import FunctionPolicy

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
            wire = Wire(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"])
            claim: Claim | None = None
            try:
                claim = self._authority.identify(wire)
                receive = await self._admit(claim, wire, scope, receive, need)
            except ClientGone:
                return
            except EdgeError as error:
                key = claim.key.access_key_id if claim is not None else ""
                log_refusal("control", **_asked(scope, need), key=key, reason=error.message)
                await self._refuse(error, scope, receive, send)
                return
            caller = claim.key.arn
        # A state of the request's own: a server may have one for the whole connection.
        scope = {**scope, "state": {**scope.get("state", {}), "caller": caller}}
        if need.is_change:
            send = self._audited(scope, need, caller, send)
        await self._app(scope, receive, send)

    async def _admit(
        self, claim: Claim, wire: Wire, scope: Scope, receive: Receive, need: Need
    ) -> Receive:
        """The body to be read again, once its sender was found to be allowed this.

        Raises EdgeError and ClientGone.
        """
        body: bytes | None = None
        if claim.signature is not None or need.names_in_body:
            length = dict(scope["headers"]).get(b"content-length")
            body = await read_body(receive, length, self._body_bytes_max)
            receive = _again(body, receive)
        digest = EMPTY_DIGEST if claim.signature is None else await body_digest(body or b"")
        key = self._authority.confirm(claim, wire, digest)
        if need.names_in_body:
            need = need._replace(function=_named_in(body or b""))
        policy = self._policy_of(need.function, need.qualifier) if need.function else None
        source, is_secure = _source(scope), scope["scheme"] == "https"
        context = RequestContext(key, source, scope["headers"], is_secure=is_secure)
        for action in need.actions:
            deed = Deed(key.arn, action, need.resource, context, key.access_key_id)
            self._authority.permit(key, deed, policy)
        return receive

    async def _refuse(self, error: EdgeError, scope: Scope, receive: Receive, send: Send) -> None:
        async def endpoint(_request: Request) -> Response:
            raise error

        response = await framed(endpoint, self._dialect_of(scope["path"]))(Request(scope, receive))
        await response(scope, receive, send)

    def _audited(self, scope: Scope, need: Need, caller: str, send: Send) -> Send:
        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                _log.warning("change", **_asked(scope, need), caller=caller, status=status)
            await send(message)

        return noting_send


def _asked(scope: Scope, need: Need) -> dict[str, str]:
    """What a request asks for, as it is logged."""
    return {
        "source": _source(scope),
        "method": scope["method"],
        "path": scope["path"][:LOGGED_CHARS_MAX],
        "action": " ".join(need.actions),
        "resource": need.resource[:LOGGED_CHARS_MAX],
    }


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


def _source(scope: Scope) -> str:
    """The caller's address; empty for a socket that has none."""
    client = scope.get("client")
    return str(client[0]) if client else ""
