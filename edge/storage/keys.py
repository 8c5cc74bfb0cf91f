"""Where access keys are kept: the protocol and its guarantees.

Neighbours: `access/keyring.py` holds it; `sqlite/keys.py` is the backend.
"""

from dataclasses import dataclass
from typing import Protocol

from edge.model.rate import Rate

KEYS_MAX_DEFAULT = 1_000


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A stored key: nothing in it opens a door without the host's key file.

    `sealed_secret` is encrypted, `token_digest` the SHA-256 hex of the bearer token, `policy` a
    policy document. `slot` numbers the key in the host's counters; `rate` bounds its requests.
    """

    access_key_id: str
    name: str
    policy: str
    sealed_secret: bytes
    token_digest: str
    created_ms: int
    rate: Rate | None = None
    slot: int = -1


class KeyStore(Protocol):
    """Keys by id. Every method raises StorageFailure; a failed write left nothing.

    A write is on disk when it returns, and whoever reads afterwards, in any process, sees it.
    """

    def get(self, access_key_id: str) -> KeyRecord | None:
        """The key with this id, or None."""

    def find(self, token_digest: str) -> KeyRecord | None:
        """The key whose token has this digest, or None."""

    def list(self) -> tuple[KeyRecord, ...]:
        """Every key, in order of name."""

    def add(self, record: KeyRecord) -> None:
        """Keep a new key under the lowest free slot, below the most keys there may be; its own is
        ignored. Raises Conflict for a name in use, InvalidRequest when full."""

    def replace(self, record: KeyRecord) -> bool:
        """Put new secrets in the place of those of the same id; False if there is none.

        Nothing else of the key changes.
        """

    def remove(self, access_key_id: str) -> bool:
        """Forget a key; False if there is none."""

    def change_count(self) -> int:
        """A number that differs whenever any process wrote since it was last asked."""

    def is_closed(self) -> bool:
        """Whether there ever was a key: a host that was closed once stays closed."""
