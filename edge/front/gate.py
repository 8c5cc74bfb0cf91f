"""Lets into the control plane who has a key, as far as the key's policy goes.

Neighbours: `control.py` puts it before the router; `passage.py` is one request here,
`access/authority.py` judges, `deeds.py` says what a request is.
Invariant: on a closed host nothing but the health check is reached without a key whose policy
allows it. Every refusal is logged with who, what and where from; every change is in the audit log
before it is made, and again before it is answered.
"""

import asyncio
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from edge.access.evaluation import Deed
from edge.access.signature import EMPTY_DIGEST
from edge.front.answers import error_row
from edge.front.asgi import App, ClientGone, Message, Receive, Scope, Send, body_digest
from edge.front.deeds import Need, need_of
from edge.front.endpoints import Dialect, framed
from edge.front.failures import log_refusal
from edge.front.passage import ANONYMOUS, Passage, Permit, permitted
from edge.front.services import Services
from edge.model.audit import AuditRecord, Stage, stage_of
from edge.model.errors import EdgeError, StorageFailure
from edge.model.ids import new_request_id
from edge.model.policy import FunctionPolicy

_log = structlog.get_logger(__name__)


class Gate:
    """ASGI middleware in front of the control plane's router."""

    def __init__(
        self,
        app: App,
        services: Services,
        dialect_of: Callable[[str], Dialect],
        body_bytes_max: int,
    ) -> None:
        """`body_bytes_max` bounds what is read before a signature over it can be checked."""
        self._app = app
        self._services = services
        self._dialect_of = dialect_of
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        need = need_of(scope["method"], scope["path"], scope["query_string"])
        passage = Passage(scope, receive, need, new_request_id())
        record: AuditRecord | None = None
        permit: Permit = permitted
        try:
            if self._services.authority.is_closed and not need.is_public:
                permit = await self._admit(passage)
            else:
                await passage.read_function(self._body_bytes_max)
            if need.is_change:
                record = passage.record()
                await self._keep(record.at(Stage.BEGUN))
        except ClientGone:
            return
        except EdgeError as error:
            await self._turn_away(passage, error, send)
            return
        if record is not None:
            send = self._audited(record, send)
        await self._app(passage.told(permit), passage.receive, send)

    async def _admit(self, passage: Passage) -> Permit:
        """Find out who asks, whether he may, and what else he might. Raises EdgeError and
        ClientGone."""
        authority = self._services.authority
        claim = passage.claim = authority.identify(passage.wire)
        await passage.read_function(self._body_bytes_max)
        need = passage.need
        digest = EMPTY_DIGEST
        if claim.signature is not None:
            digest = await body_digest(await passage.read(self._body_bytes_max))
        key = authority.confirm(claim, passage.wire, digest)
        passage.is_proved = True
        resource = need.resource

        def permit(action: str) -> None:
            if (action, resource) not in key.allowed:
                deed = Deed(key.arn, action, resource, passage.context(key), key.access_key_id)
                authority.permit(key, deed, self._policy_of(need))

        for action in need.actions:
            permit(action)
        return permit

    def _policy_of(self, need: Need) -> FunctionPolicy | None:
        """The policy of the function that is needed, if it has any."""
        if not need.function:
            return None
        return self._services.registry.policy(need.function, need.qualifier)

    async def _turn_away(self, passage: Passage, error: EdgeError, send: Send) -> None:
        """Answer who is not let in; what a known caller wanted to change is audited, too.

        Others are only logged: a stranger could fill the audit log.
        """
        log_refusal("control", **passage.asked(), reason=error.message)
        if passage.is_proved and passage.need.is_change:
            status = error_row(error).status
            try:
                await self._keep(passage.record().at(Stage.REFUSED, status, error.message))
            except StorageFailure as failure:
                error = failure

        async def endpoint(_request: Request) -> Response:
            raise error

        scope = passage.told(permitted)
        request = Request(scope, passage.receive)
        response = await framed(endpoint, self._dialect_of(scope["path"]))(request)
        await response(scope, passage.receive, send)

    def _audited(self, record: AuditRecord, send: Send) -> Send:
        """A `send` that keeps how a change ended before it says so."""

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                end = record.at(stage_of(status), status)
                try:
                    await self._keep(end)
                except StorageFailure as error:  # it is made, and that it began is on disk
                    _log.error("audit_lost", id=record.id, status=status, cause=error.message)
                if end.who != ANONYMOUS:  # on an open host that is its owner, who knows
                    _log.info("change", **{k: v for k, v in end.document().items() if v})
            await send(message)

        return noting_send

    async def _keep(self, record: AuditRecord) -> None:
        """Write a record; a disk takes its time. Raises StorageFailure."""
        await asyncio.to_thread(self._services.audit.append, record.document())
