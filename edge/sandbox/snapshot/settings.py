"""The bounds within which a snapshot is taken.

Neighbours: every stage of this package reads them; the deploy side fills them in.
"""

from dataclasses import dataclass

from edge.model.limits import KIB, MIB
from edge.model.prime import Prime


@dataclass(frozen=True, slots=True)
class SnapshotSettings:
    """Bounds of an initialiser's run and of the image it leaves.

    `fuel_max` and `memory_bytes_max` (over all memories) hold while it runs. `environment` and
    `arguments` are what it may see of the world; they are frozen into the image, so never put
    secrets there. `primes` run after the initialiser, within the same bounds.
    """

    fuel_max: int
    memory_bytes_max: int
    environment: tuple[tuple[str, str], ...] = ()
    primes: tuple[Prime, ...] = ()
    arguments: tuple[str, ...] = ("function",)
    table_elements_max: int = 100_000
    data_segments_max: int = 100_000
    """Wasmtime takes no module with more."""
    image_bytes_max: int = 256 * MIB
    log_bytes_max: int = 256 * KIB
