"""Access keys: made, rotated, revoked, and found by their id or their token.

Neighbours: `storage/keys.py` keeps them, `seal.py` encrypts their secrets, `authority.py` asks.
Invariant: a secret and a token are shown once, by the call that made them. Once a change was
answered, no process of the host lets an old secret in: a change commits, then bumps the generation,
and what is cached is used only while the generation is the one it was read at.
"""

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.access.digest import digest_of
from edge.access.policy import Policy, parse_key_policy
from edge.access.principals import user_arn
from edge.access.seal import Seal
from edge.model.errors import InvalidRequest, NotFound
from edge.model.rate import Rate
from edge.storage.generation import Generation
from edge.storage.keys import KeyRecord, KeyStore

KEYS_CACHED_MAX = 1_024
TOKEN_LENGTH_MAX = 256
FULL_ACCESS = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_NEVER = -1
_TOKEN_PREFIX = "edge_"
_ID_PREFIX = "EDGE"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is shown once. `token` is for `Authorization: Bearer`, the rest for signing."""

    access_key_id: str
    name: str
    secret: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key that may be used now.

    `allowed` are pairs of action and resource that it was found to be allowed, unconditionally:
    this object lives as long as no key and no function's policy changes.
    """

    access_key_id: str
    arn: str
    policy: Policy
    secret: str = field(repr=False)
    rate: Rate | None = None
    slot: int = -1
    allowed: set[tuple[str, str]] = field(default_factory=set, repr=False, compare=False)

    @property
    def number(self) -> int:
        """The id as a number of 64 bits."""
        return int(self.access_key_id.removeprefix(_ID_PREFIX), 16)


class Keyring:
    """The keys of a host, as one process knows them."""

    def __init__(self, store: KeyStore, seal: Seal, generation: Generation) -> None:
        """Raises StorageFailure when the store cannot be read."""
        self._store = store
        self._seal = seal
        self._generation = generation
        self._cached: dict[str, AccessKey] = {}
        self._cached_at = generation.current()
        self._is_closed = store.is_closed()
        self._change_count = store.change_count()

    @property
    def is_closed(self) -> bool:
        """Whether this host ever had a key, and so lets nobody in without one."""
        if not self._is_closed and self._generation.current() != self._cached_at:
            self._forget()
        return self._is_closed

    def refresh(self, *, is_stale: bool = False) -> None:
        """Notice a change whose process died between commit and bump; call it once a second.

        `is_stale` says that one was noticed elsewhere, of what keys were found to be allowed. Any
        thread may. Raises StorageFailure.
        """
        change_count = self._store.change_count()
        if is_stale or change_count != self._change_count:
            self._change_count = change_count
            self._cached_at = _NEVER  # the loop's next look empties the cache

    def by_id(self, access_key_id: str) -> AccessKey | None:
        """The key with this id, or None. Raises StorageFailure."""
        return self._find(access_key_id, lambda: self._store.get(access_key_id))

    def by_token(self, token: str) -> AccessKey | None:
        """The key with this bearer token, or None. Raises StorageFailure."""
        if len(token) > TOKEN_LENGTH_MAX or not token.startswith(_TOKEN_PREFIX):
            return None
        digest = _digest(token)
        return self._find(digest, lambda: self._store.find(digest))

    def list(self) -> tuple[KeyRecord, ...]:
        """Every key, by name. Raises StorageFailure."""
        return self._store.list()

    def create(self, name: str, policy: str = FULL_ACCESS, rate: Rate | None = None) -> NewKey:
        """A new key. Raises InvalidRequest, InvalidConfiguration for its policy, Conflict."""
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                f"{name[:80]!r} is no name for a key: use 1 to 64 letters, digits or _.@-"
            )
        parse_key_policy(policy)
        made = _new_key(f"{_ID_PREFIX}{secrets.token_hex(8).upper()}", name)
        self._store.add(self._record(made, policy, rate))
        self._generation.bump()
        return made

    def rotate(self, reference: str) -> NewKey:
        """New secrets for the key with this id or name; the old ones end now. Raises NotFound."""
        found = self.named(reference)
        made = _new_key(found.access_key_id, found.name)
        if not self._store.replace(self._record(made, found.policy, found.rate)):
            raise _no_key(reference)
        self._generation.bump()
        return made

    def revoke(self, reference: str) -> KeyRecord:
        """End the key with this id or name. Raises NotFound."""
        found = self.named(reference)
        if not self._store.remove(found.access_key_id):
            raise _no_key(reference)
        self._generation.bump()
        return found

    def named(self, reference: str) -> KeyRecord:
        """The key with this id or name. Raises NotFound."""
        for record in self._store.list():
            if reference in (record.access_key_id, record.name):
                return record
        raise _no_key(reference)

    def _record(self, made: NewKey, policy: str, rate: Rate | None) -> KeyRecord:
        return KeyRecord(
            made.access_key_id,
            made.name,
            policy,
            self._seal.close_up(made.secret, made.access_key_id),
            _digest(made.token),
            time.time_ns() // 1_000_000,
            rate,
        )

    def _forget(self) -> None:
        """Empty the cache. The generation is read before what will be cached under it."""
        self._cached_at = self._generation.current()
        self._cached.clear()
        self._is_closed = self._store.is_closed()

    def _find(self, label: str, read: Callable[[], KeyRecord | None]) -> AccessKey | None:
        if self._generation.current() != self._cached_at:
            self._forget()
        found = self._cached.get(label)
        if found is not None:
            return found
        record = read()
        if record is None:
            return None
        key = AccessKey(
            record.access_key_id,
            user_arn(record.name),
            parse_key_policy(record.policy),
            self._seal.open(record.sealed_secret, record.access_key_id),
            record.rate,
            record.slot,
        )
        if len(self._cached) >= KEYS_CACHED_MAX:
            self._cached.clear()
        self._cached[label] = key
        return key


def _new_key(access_key_id: str, name: str) -> NewKey:
    token = _TOKEN_PREFIX + secrets.token_urlsafe(32)
    return NewKey(access_key_id, name, secrets.token_urlsafe(30), token)


def _digest(token: str) -> str:
    """Tokens are 256 random bits: a fast hash hides them as well as a slow one would."""
    return digest_of(token.encode("utf-8", "surrogatepass"))


def _no_key(reference: str) -> NotFound:
    return NotFound(f"there is no key {reference[:80]}: see 'edge key list'")
