"""Lets into a function whom its URL's AuthType asks for: the data plane's gate.

Neighbours: both doors ask before a body is read, for functions that are not open to everybody;
`access/` judges, `event.py` tells the function who called.
Invariant: nobody calls whose signature or token was not checked, or whom no policy allows both to
call the URL and to invoke. Every refusal is a Denied, or RateExceeded, and logged with who, what
and why.
Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html.
"""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple

from edge.access.authority import Authority, Claim
from edge.access.canonical import Wire
from edge.access.evaluation import Deed
from edge.access.faults import IncompleteSignature
from edge.access.keyring import AccessKey
from edge.access.signature import (
    EMPTY_DIGEST,
    UNSIGNED_BODY,
    check_digest,
    named_digest,
)
from edge.front.asgi import body_digest
from edge.front.context import RequestContext
from edge.front.failures import LOGGED_CHARS_MAX, log_refusal
from edge.front.target import Target
from edge.model.caller import Caller
from edge.model.errors import Denied, EdgeError, RateExceeded
from edge.model.function import Version
from edge.model.ids import LATEST, function_arn
from edge.model.url import AuthType

ACTIONS = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
_AUTHORIZATION = b"authorization"
_REFUSALS = (Denied, IncompleteSignature, RateExceeded)
_NEEDED = MappingProxyType(
    {
        AuthType.TOKEN: "this function asks who you are: send Authorization: Bearer TOKEN, or sign",
        AuthType.AWS_IAM: "this function takes signed requests only: sign for the service lambda",
    }
)


class Visit(NamedTuple):
    """A request for a function that is not open to everybody. `source` is the peer's address."""

    wire: Wire
    source: str
    is_secure: bool
    target: Target
    version: Version
    auth_type: AuthType

    @property
    def resource(self) -> str:
        """The ARN it is for, with the qualifier as it was named."""
        qualifier = self.target.qualifier
        return function_arn(self.target.function, None if qualifier == LATEST else qualifier)


class Entry:
    """A caller on the way in. Give it the body, then `finish`: until then nothing may run."""

    __slots__ = ("_check", "_hash", "caller")

    def __init__(self, caller: Caller, check: Callable[[str], None] | None = None) -> None:
        """`check` takes the body's SHA-256 in hex; None where no body can change the verdict."""
        self.caller = caller
        self._check = check
        self._hash = None if check is None else sha256()

    @property
    def wants_body(self) -> bool:
        """Whether the verdict needs the body."""
        return self._check is not None

    def add(self, piece: bytes) -> None:
        """Some of the body."""
        if self._hash is not None:
            self._hash.update(piece)

    def finish(self) -> None:
        """The body has ended. Raises Denied, RateExceeded, StorageFailure."""
        if self._check is not None and self._hash is not None:
            self._check(self._hash.hexdigest())

    async def finish_with(self, body: bytes) -> None:
        """This is the body, whole. Raises as `finish` does."""
        if self._check is not None:
            self._check(await body_digest(body))


class Authorizer:
    """Judges who may call a function by its URL."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def admit(self, visit: Visit, *, has_body: bool) -> Entry:
        """Check all that can be checked before the body.

        Raises Denied, RateExceeded, StorageFailure.
        """
        claim: Claim | None = None
        try:
            claim = self._identify(visit)
            digest = _digest_known(claim, visit.wire, has_body=has_body)
            if digest is not None:
                self._let_in(visit, claim, digest)
        except _REFUSALS as error:
            raise _refusal(visit, claim, error) from None
        caller = Caller(claim.key.access_key_id, claim.key.arn)
        if claim.signature is None or digest == UNSIGNED_BODY or not has_body:
            return Entry(caller)
        return Entry(caller, partial(self._judge_body, visit, claim, digest))

    def _identify(self, visit: Visit) -> Claim:
        if _AUTHORIZATION not in visit.wire.fields:
            raise Denied(_NEEDED[visit.auth_type])
        claim = self._authority.identify(visit.wire)
        if claim.signature is None and visit.auth_type is AuthType.AWS_IAM:
            raise Denied(_NEEDED[visit.auth_type])
        return claim

    def _let_in(self, visit: Visit, claim: Claim, digest: str) -> None:
        """Raises one of _REFUSALS unless the caller is who he says, and may call this function."""
        key = self._authority.confirm(claim, visit.wire, digest)
        resource = visit.resource
        for action in ACTIONS:
            if (action, resource) not in key.allowed:
                deed = Deed(key.arn, action, resource, _context(visit, key), key.access_key_id)
                policy = visit.version.shared.policy(visit.target.qualifier)
                self._authority.permit(key, deed, policy)

    def _judge_body(self, visit: Visit, claim: Claim, named: str | None, digest: str) -> None:
        """Whether a body with this digest is the signed one; `named` is what was signed by name."""
        try:
            if named is None:
                self._let_in(visit, claim, digest)
            else:
                check_digest(digest, named)
        except _REFUSALS as error:
            raise _refusal(visit, claim, error) from None


def _context(visit: Visit, key: AccessKey) -> RequestContext:
    """What policies may ask about it."""
    more = {
        "lambda:functionurlauthtype": visit.auth_type,
        "lambda:invokedviafunctionurl": "true",
    }
    headers = visit.wire.headers
    return RequestContext(key, visit.source, headers, is_secure=visit.is_secure, more=more)


def _digest_known(claim: Claim, wire: Wire, *, has_body: bool) -> str | None:
    """What is to be signed of the body, as far as that is known before it was read."""
    named = None if claim.signature is None else named_digest(wire)
    if named == UNSIGNED_BODY or (has_body and claim.signature is not None):
        return named
    return EMPTY_DIGEST


def _refusal(visit: Visit, claim: Claim | None, error: EdgeError) -> EdgeError:
    """The refusal that the caller is told, logged: a Denied, or that he asks too often."""
    log_refusal(
        "data",
        source=visit.source,
        method=visit.wire.method,
        path=visit.wire.path.decode("latin-1")[:LOGGED_CHARS_MAX],
        action=" ".join(ACTIONS),
        resource=visit.resource,
        key=claim.key.access_key_id if claim is not None else "",
        reason=error.message,
    )
    return error if isinstance(error, RateExceeded) else Denied(error.message)
