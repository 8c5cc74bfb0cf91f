"""Who is asking, and may they? The one place where a request becomes a caller.

Neighbours: `front/` brings requests; `signature.py` and `keyring.py` tell who it is,
`evaluation.py` whether the policies allow it.
Invariant: `identify` does the cheap checks before a body is read; nobody is
let in before `confirm`.
"""

import time
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from edge.access.canonical import Wire
from edge.access.digest import Signer
from edge.access.evaluation import Deed, decide
from edge.access.faults import (
    IncompleteSignature,
    MissingAuthenticationToken,
    UnrecognizedClient,
)
from edge.access.keyring import AccessKey, Keyring
from edge.access.policy import Policy, parse_function_policy
from edge.access.signature import ALGORITHM, Signature, read_signature, signer_of, verify
from edge.model.errors import Denied, RateExceeded
from edge.model.policy import FunctionPolicy
from edge.storage.buckets import Buckets

POLICIES_CACHED_MAX = 1_024
SIGNERS_CACHED_MAX = 1_024
ALLOWED_CACHED_MAX = 1_024
_AUTHORIZATION = b"authorization"
_BEARER = b"bearer"


class Claim(NamedTuple):
    """A known key, and the signature that is still to be checked; None for a bearer of a token."""

    key: AccessKey
    signature: Signature | None


class Authority:
    """Identifies callers by a signature or a token, and judges what they want."""

    def __init__(
        self,
        keyring: Keyring,
        rates: Buckets,
        *,
        is_local: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`rates` has a bucket for each key's slot. `is_local`: only this machine's users can ask.
        `clock` gives Unix seconds.
        """
        self._keyring = keyring
        self._rates = rates
        self._clock = clock
        self._policies: dict[str, Policy] = {}
        self.is_local = is_local
        self._signers: dict[tuple[str, bytes], Signer] = {}

    @property
    def is_closed(self) -> bool:
        """Whether callers need a key: once there is one, and from everywhere but this machine."""
        return not self.is_local or self._keyring.is_closed

    def identify(self, wire: Wire) -> Claim:
        """Whose key the request names, as far as can be told without its body.

        Raises MissingAuthenticationToken, IncompleteSignature, InvalidSignature,
        UnrecognizedClient, StorageFailure.
        """
        if not self._keyring.is_closed:
            raise MissingAuthenticationToken(
                "this host is reached from other machines and has no keys yet: make the first with"
                " 'edge key create' on the host, with its --data or EDGE_DATA"
            )
        found = wire.fields.get(_AUTHORIZATION)
        if found is None:
            raise MissingAuthenticationToken(
                "this host has keys: sign the request, or send Authorization: Bearer TOKEN"
                " (the command edge takes it from EDGE_TOKEN)"
            )
        scheme, _, rest = found.partition(b" ")
        if scheme == ALGORITHM:
            signature = read_signature(found, wire, self._clock())
            return Claim(_known(self._keyring.by_id(signature.terms.access_key_id)), signature)
        if scheme.lower() == _BEARER:
            return Claim(_known(self._keyring.by_token(rest.strip().decode("latin-1"))), None)
        raise IncompleteSignature(f"Authorization must be Bearer or {ALGORITHM.decode()}")

    def confirm(self, claim: Claim, wire: Wire, digest: str) -> AccessKey:
        """The key, once the signature fits the request, which counts for the key's rate.

        `digest` is the SHA-256 of the body in hex, or UNSIGNED_BODY where any body will do.
        Raises InvalidSignature, RateExceeded.
        """
        key = claim.key
        if claim.signature is not None:
            signer = self._signer(key.secret, claim.signature.terms.scope)
            verify(claim.signature, signer, wire, digest)
        if key.rate is not None:
            wait_s = self._rates.take(key.slot, key.number, key.rate)
            if wait_s > 0:
                text = f"{key.arn} asks more often than it may: {key.rate.per_s:g} times a second"
                raise RateExceeded(text, ceil(wait_s))
        return key

    def permit(self, key: AccessKey, deed: Deed, policy: FunctionPolicy | None = None) -> None:
        """Raise Denied unless the key's policy or the function's allows the deed, and neither
        denies it. What needs no judging again is noted in `key.allowed`."""
        of_function = None if policy is None else self._read(policy)
        decision = decide(deed, (key.policy,), of_function)
        if not decision.allowed:
            raise Denied(
                f"User: {deed.caller} is not authorized to perform: {deed.action}"
                f" on resource: {deed.resource} because {decision.reason}"
            )
        if key.policy.is_unconditional and (of_function is None or of_function.is_unconditional):
            if len(key.allowed) >= ALLOWED_CACHED_MAX:
                key.allowed.clear()
            key.allowed.add((deed.action, deed.resource))

    def _signer(self, secret: str, scope: bytes) -> Signer:
        """What `secret` signs with on one day in one region: the same for many requests."""
        label = (secret, scope)
        found = self._signers.get(label)
        if found is None:
            if len(self._signers) >= SIGNERS_CACHED_MAX:
                self._signers.clear()
            found = self._signers[label] = signer_of(secret, scope)
        return found

    def _read(self, policy: FunctionPolicy) -> Policy:
        """A function's policy, read once for each revision of it."""
        found = self._policies.get(policy.revision_id)
        if found is None:
            if len(self._policies) >= POLICIES_CACHED_MAX:
                self._policies.clear()
            found = parse_function_policy(policy.document())
            self._policies[policy.revision_id] = found
        return found


def _known(key: AccessKey | None) -> AccessKey:
    if key is None:
        raise UnrecognizedClient("no key of this host has this id or token: it may be revoked")
    return key
