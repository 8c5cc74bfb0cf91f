"""A request to the control plane on its way through the gate.

Neighbours: `gate.py` leads it.
Invariant: what was read of the body is in the state that the endpoint is told, for `body_of`.
"""

import asyncio
from collections.abc import Callable

from edge.access.authority import Claim
from edge.access.canonical import Wire
from edge.access.keyring import AccessKey
from edge.front.asgi import HASHED_INLINE_BYTES_MAX, Receive, Scope, read_body, source_of
from edge.front.context import RequestContext
from edge.front.deeds import Need
from edge.front.documents import parse_object
from edge.front.failures import LOGGED_CHARS_MAX
from edge.model.audit import AuditRecord
from edge.model.errors import InvalidRequest
from edge.model.ids import parse_name

ANONYMOUS = "anonymous"

Permit = Callable[[str], None]
"""Raises Denied unless the caller may do this action, too, on what the request is about: for what
only the body tells."""


class Passage:
    """One request: what it asks for, and who sent it as far as that is known.

    `claim` names a key, `is_proved` says that its holder sent this.
    """

    __slots__ = (
        "_body",
        "_scope",
        "claim",
        "is_proved",
        "need",
        "receive",
        "request_id",
        "wire",
    )

    def __init__(self, scope: Scope, receive: Receive, need: Need, request_id: str) -> None:
        self._scope = scope
        self._body: bytes | None = None
        self.receive = receive
        self.need = need
        self.request_id = request_id
        self.wire = Wire(
            scope["method"], scope["raw_path"], scope["query_string"], scope["headers"]
        )
        self.claim: Claim | None = None
        self.is_proved = False

    @property
    def source(self) -> str:
        """The caller's address; empty for a socket that has none."""
        return source_of(self._scope)

    @property
    def caller(self) -> str:
        """The ARN of the key's holder; ANONYMOUS while nobody proved to be one."""
        return self.claim.key.arn if self.claim is not None and self.is_proved else ANONYMOUS

    @property
    def key_id(self) -> str:
        """The id of the key that was named; empty for none."""
        return self.claim.key.access_key_id if self.claim is not None else ""

    def context(self, key: AccessKey) -> RequestContext:
        """What policies may ask about it."""
        is_secure = self._scope["scheme"] == "https"
        return RequestContext(key, self.source, self.wire.headers, is_secure=is_secure)

    async def read(self, bytes_max: int) -> bytes:
        """The body, which the endpoint is told. Raises PayloadTooLarge and ClientGone."""
        if self._body is None:
            declared = self.wire.fields.get(b"content-length")
            self._body = await read_body(self.receive, declared, bytes_max)
        return self._body

    async def read_function(self, bytes_max: int) -> None:
        """Find in the body which function is needed, if it is there. Raises as `read`."""
        if not self.need.names_in_body:
            return
        body = await self.read(bytes_max)
        if len(body) <= HASHED_INLINE_BYTES_MAX:
            name = _named_in(body)
        else:
            name = await asyncio.to_thread(_named_in, body)
        self.need = self.need._replace(function=name)

    def told(self, permit: Permit) -> Scope:
        """The scope with what the endpoint is told: a state of the request's own, for a server may
        have one for the whole connection.

        `permit` may know this passage, which does not know it: a circle would keep what every
        request leaves, until the collector finds it.
        """
        state = {
            "caller": self.caller,
            "request_id": self.request_id,
            "permit": permit,
            "body": self._body,
        }
        return {**self._scope, "state": {**self._scope.get("state", {}), **state}}

    def asked(self) -> dict[str, str]:
        """What the request asks for, as it is logged."""
        return {
            "source": self.source,
            "method": self.wire.method,
            "path": self._scope["path"][:LOGGED_CHARS_MAX],
            "action": " ".join(self.need.actions),
            "resource": self.need.resource[:LOGGED_CHARS_MAX],
            "key": self.key_id,
        }

    def record(self) -> AuditRecord:
        """The change that it asks for, as the audit log has it."""
        asked = self.asked()
        return AuditRecord(
            id=self.request_id,
            who=self.caller,
            key_id=self.key_id,
            source=asked["source"],
            action=asked["action"],
            resource=asked["resource"],
            request=f"{asked['method']} {asked['path']}",
        )


def _named_in(body: bytes) -> str:
    """The function that a JSON body names; empty where it names none that can be."""
    try:
        name, _ = parse_name(str(parse_object(body).get("FunctionName")))
    except InvalidRequest:
        return ""  # the endpoint will refuse it
    return name


def permitted(_action: str) -> None:
    """Where no keys are asked for, all is permitted."""
