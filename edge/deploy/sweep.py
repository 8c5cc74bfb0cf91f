"""Collect the artifacts and compiled files that no version needs any more.

Neighbours: `worker.py` calls it now and then; `registry/` knows what is in use.
Invariant: what a version needs is never collected, nor what a deploy in progress has just written.
"""

import time
from pathlib import Path

from edge.registry.registry import Registry
from edge.storage.artifacts import ArtifactStore

SETTLED_S = 3_600
"""Younger files are left alone: a deploy writes its artifacts before it registers them."""


def sweep_artifacts(
    registry: Registry, artifacts: ArtifactStore, compiled: Path, *, settled_s: float = SETTLED_S
) -> set[str]:
    """Delete what is unused and settled; the digests that went. Raises StorageFailure."""
    horizon = time.time() - settled_s
    # Listed first: what is registered after this line was written after it, too.
    stored = artifacts.digests()
    in_use = registry.artifacts_in_use()
    unused = stored - in_use
    gone = {digest for digest in unused if artifacts.delete(digest, written_before=horizon)}
    for path in compiled.glob("*/*.cwasm*"):
        if path.name.split(".")[0] not in in_use and _is_settled(path, horizon):
            path.unlink(missing_ok=True)
    return gone


def _is_settled(path: Path, horizon: float) -> bool:
    try:
        return path.stat().st_mtime < horizon
    except OSError:
        return False
