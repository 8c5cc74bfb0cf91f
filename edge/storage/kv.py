"""The key-value protocol: what every backend guarantees to the functions that use it.

Guarantees
- A write is durable when its call returns, and every read that begins later sees it.
- Writes of one namespace happen one after another, whichever process makes them.
- A key's versions only grow. None is ever used twice, not even after the key was deleted, so
  compare-and-set cannot mistake a new entry for an old one.
- An entry is gone the moment it expires: for reads, for compare-and-set, and for the quota.
- A write that would pass the namespace's quota changes nothing.

Reads answer at once and never wait for a writer: they run on the event loop, within microseconds.

Neighbours: `host/kv.py` asks on behalf of guests; `sqlite/kv.py` keeps the guarantees, and
`tests/storage/test_kv.py` holds every backend to them.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from edge.model.errors import StorageFailure
from edge.model.limits import MIB

KEY_BYTES_MAX = 512
VALUE_BYTES_MAX = 1 * MIB
LIST_LIMIT_DEFAULT = 100
LIST_LIMIT_MAX = 1_000
TTL_MS_MAX = 10 * 365 * 86_400_000
INCREMENT_MIN, INCREMENT_MAX = -(1 << 63), (1 << 63) - 1

NAMESPACE_ENTRIES_MAX_DEFAULT = 100_000
NAMESPACE_BYTES_MAX_DEFAULT = 128 * MIB


class QuotaExceeded(StorageFailure):
    """The namespace holds as much as it may: delete something, or let it expire."""

    code = "quota_exceeded"


@dataclass(frozen=True, slots=True)
class Quota:
    """What one namespace may hold. Bytes are those of keys and values."""

    entries_max: int = NAMESPACE_ENTRIES_MAX_DEFAULT
    bytes_max: int = NAMESPACE_BYTES_MAX_DEFAULT


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored value (CBOR, as it was put), its version (from 1), its expiry in Unix ms."""

    value: bytes
    version: int
    expires_ms: int | None


class Listed(NamedTuple):
    """A key as `list` shows it."""

    key: str
    version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Keys in order of their UTF-8 bytes. `next` is the cursor of the page after, or None.

    Expired entries are left out, so a page may be short, even empty, and still have a `next`.
    """

    entries: tuple[Listed, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What an increment made of an integer."""

    value: int
    version: int


class Kv(Protocol):
    """A store of CBOR values by namespace and key.

    Callers keep to `KEY_BYTES_MAX`, `VALUE_BYTES_MAX`, `LIST_LIMIT_MAX` and `TTL_MS_MAX`. In
    `if_version`, 0 means that the key must be absent; another version, or none, is a Conflict.
    Every method raises StorageFailure when the store cannot do it now. A write that is cancelled
    may still take place.
    """

    def get(self, namespace: str, key: str) -> Entry | None:
        """The live entry, or None."""

    def list(self, namespace: str, *, prefix: str, after: str, limit: int) -> Page:
        """Keys that begin with `prefix` and come after `after` (exclusive; "" is the start)."""

    async def put(
        self,
        namespace: str,
        key: str,
        value: bytes,
        *,
        ttl_ms: int | None = None,
        if_version: int | None = None,
    ) -> int:
        """Set the value and its expiry; the new version. Raises Conflict, QuotaExceeded."""

    async def delete(self, namespace: str, key: str, *, if_version: int | None = None) -> bool:
        """Remove the entry; whether there was one. Raises Conflict."""

    async def increment(
        self, namespace: str, key: str, by: int, *, ttl_ms: int | None = None
    ) -> Counted:
        """Add `by` to an integer, 0 if absent, in one step.

        `ttl_ms` holds for an entry that this call creates; one that exists keeps its expiry, so a
        counter of a time window ends with it. Raises InvalidRequest when the value is no integer
        or would pass 64 bits, and QuotaExceeded.
        """

    async def clear(self, namespace: str) -> None:
        """Remove every entry; versions still go on from where they were."""

    def close(self) -> None:
        """Finish the writes that were taken, and let go of the store."""
