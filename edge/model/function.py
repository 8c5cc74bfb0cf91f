"""A function as deployed: its versions, what they may do, what became of their snapshot.

Neighbours: `registry/` stores these, `deploy/` makes them, `invoke/` runs them.
Invariant: everything here is immutable; a change is a new value with a new revision.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from edge.model.ids import LATEST
from edge.model.limits import Limits
from edge.model.prime import Prime

DESCRIPTION_CHARS_MAX = 256


class GuestKind(StrEnum):
    """How a module or component is driven, told by what it exports."""

    ABI = "abi"
    COMMAND = "command"
    COMPONENT = "component"
    WASI_HTTP = "wasi_http"


class SnapshotState(StrEnum):
    """What a fresh sandbox of this version is made from."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNNEEDED = "unneeded"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """What the snapshot pipeline did, for `edge info` and the deployer."""

    state: SnapshotState
    reason: str = ""
    warnings: tuple[str, ...] = ()
    image_bytes: int = 0
    init_fuel: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the deployer chose. `grants` are texts: `kv`, `kv:shared`, `fetch:host[:port]`.

    `primes` run before the snapshot is taken.
    """

    limits: Limits = field(default_factory=Limits)
    environment: tuple[tuple[str, str], ...] = ()
    grants: tuple[str, ...] = ()
    snapshot: bool = True
    primes: tuple[Prime, ...] = ()
    description: str = ""
    handler: str = ""
    runtime: str = "wasm"
    role: str = ""
    architectures: tuple[str, ...] = ("x86_64",)
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A prepared module. `digest` is the SHA-256 hex of the module as uploaded; `image` that of
    the module that runs (the snapshot's rewrite, or the upload itself)."""

    digest: str
    size_bytes: int
    image: str
    kind: GuestKind
    snapshot: SnapshotReport


@dataclass(frozen=True, slots=True)
class Version:
    """One runnable version of a function. `slot` numbers the function in the host's counters."""

    function: str
    artifact: Artifact
    settings: Settings
    slot: int
    revision_id: str
    modified_ms: int
    version: str = LATEST
