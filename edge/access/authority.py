"""Who is asking, and may they? The one place where a request becomes a caller.

Neighbours: `front/` brings requests; `signature.py` and `keyring.py` tell who it is,
`evaluation.py` whether the policies allow it.
Invariant: `identify` does the cheap checks before a body is read; nobody is
let in before `confirm`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.access.evaluation import Deed, decide
from edge.access.faults import (
    IncompleteSignature,
    MissingAuthenticationToken,
    UnrecognizedClient,
)
from edge.access.keyring import AccessKey, Keyring
from edge.access.policy import Policy
from edge.access.signature import ALGORITHM, Signature, Wire, read_signature, verify
from edge.model.errors import Denied

_AUTHORIZATION = b"authorization"
_BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Claim:
    """A known key, and the signature that is still to be checked; None for a bearer of a token."""

    key: AccessKey
    signature: Signature | None


class Authority:
    """Identifies callers by a signature or a token, and judges what they want."""

    def __init__(self, keyring: Keyring, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self._keyring = keyring
        self._clock = clock

    @property
    def is_closed(self) -> bool:
        """Whether callers need a key."""
        return self._keyring.is_closed

    def identify(self, wire: Wire) -> Claim:
        """Whose key the request names, as far as can be told without its body.

        Raises MissingAuthenticationToken, IncompleteSignature, InvalidSignature,
        UnrecognizedClient, StorageFailure.
        """
        found = [value for name, value in wire.headers if name == _AUTHORIZATION]
        if not found:
            raise MissingAuthenticationToken(
                "this host has keys: sign the request, or send Authorization: Bearer TOKEN"
                " (the command edge takes it from EDGE_TOKEN)"
            )
        if len(found) > 1:
            raise IncompleteSignature("the request has more than one Authorization header")
        text = found[0].decode("latin-1")
        scheme, _, rest = text.partition(" ")
        if scheme.lower() == _BEARER:
            return Claim(_known(self._keyring.by_token(rest.strip())), None)
        if scheme != ALGORITHM:
            raise IncompleteSignature(f"Authorization must be Bearer or {ALGORITHM}")
        signature = read_signature(text, wire.headers, self._clock())
        return Claim(_known(self._keyring.by_id(signature.access_key_id)), signature)

    def confirm(self, claim: Claim, wire: Wire, body: bytes) -> AccessKey:
        """The key, once the signature fits request and body. Raises InvalidSignature."""
        if claim.signature is not None:
            verify(claim.signature, claim.key.secret, wire, body)
        return claim.key

    def permit(self, key: AccessKey, deed: Deed, function_policy: Policy | None = None) -> None:
        """Raise Denied unless the policies allow the deed."""
        decision = decide(deed, (key.policy,), function_policy)
        if not decision.allowed:
            raise Denied(
                f"User: {deed.caller} is not authorized to perform: {deed.action}"
                f" on resource: {deed.resource} because {decision.reason}"
            )


def _known(key: AccessKey | None) -> AccessKey:
    if key is None:
        raise UnrecognizedClient("no key of this host has this id or token: it may be revoked")
    return key
