"""The keys of a data directory, opened: for the workers, and for verbs that need no host.

Neighbours: `worker.py` and `cli/key.py`. Whoever can write the data directory may make keys, so the
first key needs no key.
Invariant: beside `worker.py`, the only place that names a storage backend.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge.access.keyring import Keyring
from edge.access.seal import Seal
from edge.storage.generation import Generation
from edge.storage.sqlite.keys import SqliteKeys

HOST_KEY = "host.key"


@contextmanager
def open_keyring(data: Path) -> Iterator[Keyring]:
    """The keyring of the host that keeps its data here, running or not. Raises StorageFailure."""
    with (
        closing(SqliteKeys(data / "keys.db")) as store,
        closing(Generation(data / "generation")) as generation,
    ):
        yield Keyring(store, Seal(data / HOST_KEY), generation)
