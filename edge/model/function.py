"""A function as deployed: its versions, what they may do, what became of their snapshot.

Neighbours: `registry/` stores these, `deploy/` makes them, `invoke/` runs them.
Invariant: everything here is immutable; a change is a new value with a new revision.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from edge.model.errors import InvalidConfiguration
from edge.model.ids import LATEST
from edge.model.limits import Limits
from edge.model.policy import FunctionPolicy
from edge.model.prime import Prime
from edge.model.rate import Rate
from edge.model.route import Route
from edge.model.url import AuthType, UrlConfig

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
class ShownSettings:
    """What Lambda's clients set and read again, and what changes nothing here: a tool that found
    another value than it set would set it at each of its runs.

    `logging` has the members of a LoggingConfig; `snap_start` is ApplyOn as it was asked for.
    """

    tracing_mode: str = "PassThrough"
    ephemeral_storage_mb: int = 512
    logging: tuple[tuple[str, str], ...] = ()
    snap_start: str = "None"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the deployer chose. `grants` are texts: `kv`, `kv:shared`, `fetch:host[:port]`.

    `primes` run before the snapshot is taken. `shown` is kept for who reads it.
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
    shown: ShownSettings = ShownSettings()


@dataclass(frozen=True, slots=True)
class Provision:
    """Provisioned concurrency of a numbered version or an alias: how many sandboxes stand ready."""

    qualifier: str
    count: int
    modified_ms: int


@dataclass(frozen=True, slots=True)
class SharedSettings:
    """What holds for a function with all its versions, and takes effect without a deploy.

    `concurrency_max` is the function's own ceiling on this host; None leaves it to the host's.
    `rate` bounds how often it is invoked.
    `urls` has one entry for each qualifier with a URL config, `provisions` one for each with
    provisioned concurrency, `policies` one for each with a policy. `routes` are where it answers
    beside its own name.
    """

    concurrency_max: int | None = None
    tags: tuple[tuple[str, str], ...] = ()
    urls: tuple[UrlConfig, ...] = ()
    provisions: tuple[Provision, ...] = ()
    policies: tuple[FunctionPolicy, ...] = ()
    routes: tuple[Route, ...] = ()
    rate: Rate | None = None

    def __post_init__(self) -> None:
        """Refuse what no host would follow; raises InvalidConfiguration."""
        if self.concurrency_max is not None and self.concurrency_max < 0:
            raise InvalidConfiguration("concurrency must be 0 or more")

    def url(self, qualifier: str) -> UrlConfig | None:
        """The URL config of a qualifier."""
        return next((url for url in self.urls if url.qualifier == qualifier), None)

    def auth_type(self, qualifier: str) -> AuthType:
        """Who may call a qualifier's URL: as its own config says, else as the function's."""
        url = self.url(qualifier) or self.url(LATEST)
        return AuthType.NONE if url is None else url.auth_type

    def with_url(self, url: UrlConfig) -> "SharedSettings":
        """These settings with a URL config, in place of the one its qualifier has."""
        others = (each for each in self.urls if each.qualifier != url.qualifier)
        return replace(self, urls=tuple(sorted((*others, url), key=lambda each: each.qualifier)))

    def with_auth_type(self, auth_type: AuthType, now_ms: int) -> "SharedSettings":
        """These settings with another AuthType of the function's own URL."""
        if auth_type is self.auth_type(LATEST):
            return self
        url = self.url(LATEST) or UrlConfig(LATEST, auth_type, now_ms, now_ms)
        return self.with_url(replace(url, auth_type=auth_type, modified_ms=now_ms))

    def policy(self, qualifier: str) -> FunctionPolicy | None:
        """The policy of a qualifier."""
        return next((each for each in self.policies if each.qualifier == qualifier), None)

    def without(self, qualifier: str) -> "SharedSettings":
        """These settings once a qualifier is gone."""
        return replace(
            self,
            urls=tuple(each for each in self.urls if each.qualifier != qualifier),
            provisions=tuple(each for each in self.provisions if each.qualifier != qualifier),
            policies=tuple(each for each in self.policies if each.qualifier != qualifier),
            routes=tuple(each for each in self.routes if each.qualifier != qualifier),
        )


Change = Callable[[SharedSettings], SharedSettings]
"""Makes new shared settings of those that stand; an EdgeError from it leaves them."""


@dataclass(frozen=True, slots=True)
class Package:
    """The zip that a module came in, by the SHA-256 hex of its bytes.

    One with source in it (`is_source`) is kept among the artifacts, to be built from again.
    """

    digest: str
    size_bytes: int
    is_source: bool = False


class Code(NamedTuple):
    """A module as a deploy takes it, and the zip that it came in."""

    module: bytes
    package: Package | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A prepared module. `digest` is the SHA-256 hex of the module as uploaded; `image` that of
    the module that runs (the snapshot's rewrite, or the upload itself). `package` is None for a
    module that came in no zip."""

    digest: str
    size_bytes: int
    image: str
    kind: GuestKind
    snapshot: SnapshotReport
    package: Package | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One runnable version of a function.

    `slot` numbers the function in the host's counters; `shared` is the function's as it stands.
    """

    function: str
    artifact: Artifact
    settings: Settings
    slot: int
    revision_id: str
    modified_ms: int
    version: str = LATEST
    shared: SharedSettings = SharedSettings()


@dataclass(frozen=True, slots=True)
class Census:
    """What all functions of a host amount to, together; `reserved` is of their concurrency."""

    functions: int
    code_bytes: int
    reserved: int
