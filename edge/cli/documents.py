"""The documents of the control plane as the CLI reads them: `/v1`'s, and Lambda's for versions.

Neighbours: `client.py` fetches them, the verbs show them; `front/` writes them.
"""

from typing import NotRequired, TypedDict


class SnapshotDocument(TypedDict):
    """What the snapshot pipeline did."""

    state: str
    reason: str
    warnings: list[str]
    imageBytes: int
    initFuel: int


class ReadyDocument(TypedDict):
    """The sandboxes that wait for a function's events, on the worker that was asked."""

    waiting: int
    hits: int
    misses: int
    memoryBytes: int


class RouteDocument(TypedDict):
    """A path at which a function answers; no methods are all, and no host is any."""

    path: str
    methods: list[str]
    host: str
    qualifier: str


class RateDocument(TypedDict):
    """How often something may be asked for."""

    perSecond: float
    burst: int


class InfoDocument(TypedDict):
    """One function as deployed. `changed` stands only in the answer to a deploy, `ready` only where
    one function was asked for."""

    name: str
    version: str
    revisionId: str
    modifiedMs: int
    digest: str
    sizeBytes: int
    kind: str
    memoryMb: int
    timeoutMs: int
    concurrency: int | None
    rate: RateDocument | None
    auth: str
    environment: dict[str, str]
    grants: list[str]
    snapshot: SnapshotDocument
    prime: list[str]
    description: str
    routes: list[RouteDocument]
    changed: NotRequired[bool]
    ready: NotRequired[ReadyDocument]
    url: NotRequired[str]


class AuditDocument(TypedDict):
    """A record of the audit log."""

    time: str
    id: str
    stage: str
    who: str
    key: str
    source: str
    action: str
    resource: str
    request: str
    reason: str
    status: int


class AuditPageDocument(TypedDict):
    """Some records, the newest last, and the cursor of the page before."""

    records: list[AuditDocument]
    next: str | None


class VersionDocument(TypedDict):
    """One version of a function, as Lambda's API shows it: what the CLI reads of it."""

    Version: str
    Description: str
    CodeSha256: str
    CodeSize: int
    LastModified: str
    RevisionId: str


class VersionsDocument(TypedDict):
    """One page of versions, and where the following one starts, if there is one."""

    Versions: list[VersionDocument]
    NextMarker: NotRequired[str]


class RoutingDocument(TypedDict):
    """What share of an alias's events another version gets."""

    AdditionalVersionWeights: NotRequired[dict[str, float]]


class AliasDocument(TypedDict):
    """An alias, as Lambda's API shows it."""

    AliasArn: str
    Name: str
    FunctionVersion: str
    Description: str
    RevisionId: str
    RoutingConfig: NotRequired[RoutingDocument]


class AliasesDocument(TypedDict):
    """One page of aliases, and where the following one starts, if there is one."""

    Aliases: list[AliasDocument]
    NextMarker: NotRequired[str]


class ListDocument(TypedDict):
    """One page of functions; `next` is where the following page starts, if there is one."""

    functions: list[InfoDocument]
    next: str | None


class LogLineDocument(TypedDict):
    """One line that a function logged; `level` is 0 (trace) to 4 (error)."""

    timeMs: int
    requestId: str
    level: int
    message: str
    version: str


class LogsDocument(TypedDict):
    """Log lines, and the cursor after the last of them."""

    lines: list[LogLineDocument]
    next: str


class UsageTotalDocument(TypedDict):
    """What one function, or one day, used."""

    function: NotRequired[str]
    day: NotRequired[str]
    requests: int
    errors: int
    rejected: int
    billedMs: int
    gbSeconds: float
    cost: float
    fuel: int


class UsageDocument(TypedDict):
    """Totals with the currency of their cost."""

    totals: list[UsageTotalDocument]
    currency: str


class DeadDocument(TypedDict):
    """A dead letter in a list."""

    requestId: str
    function: str
    qualifier: str
    condition: str
    reason: str
    acceptedMs: int
    diedMs: int


class DeadListDocument(TypedDict):
    """A page of `GET /v1/dead`."""

    dead: list[DeadDocument]
    next: str | None
