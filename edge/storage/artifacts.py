"""Where modules and images are kept, by the digest of their bytes: the protocol.

Neighbours: `deploy/` fills it and `sandbox/` reads it; `files.py` is the backend.
"""

from math import inf
from pathlib import Path
from typing import Protocol


class ArtifactStore(Protocol):
    """Bytes by their SHA-256 in lower-case hex. Every method raises StorageFailure.

    What `put` took is on disk when it returns, whole: no reader sees part of it. A digest that
    is not 64 lower-case hex digits is an InvalidRequest.
    """

    def put(self, digest: str, data: bytes) -> None:
        """Store `data`; what was there under this digest is replaced, which heals damage."""

    def get(self, digest: str) -> bytes:
        """The bytes, checked against their digest. Raises NotFound."""

    def path(self, digest: str) -> Path:
        """Where the bytes lie, or would lie, unchecked: for what maps a file."""

    def delete(self, digest: str, *, written_before: float = inf) -> bool:
        """Remove an artifact, unless it was put at or after `written_before` (Unix seconds).

        Whether it was removed; False if there is none.
        """

    def digests(self) -> set[str]:
        """Everything stored."""
