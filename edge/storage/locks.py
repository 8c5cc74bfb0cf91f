"""Advisory locks between the processes of a host.

Neighbours: `generation.py` and `audit.py` hold one for the time of a change.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Hold a file's advisory lock; the kernel drops it when its holder dies."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
