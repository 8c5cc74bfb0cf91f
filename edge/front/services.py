"""What the doors need of the rooms below, as protocols, and nothing more.

Neighbours: `serve.py` fills a `Services` with the real objects; `data.py` and `control.py` use it.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from edge.access.authority import Authority
from edge.front.answers import Answer
from edge.front.authorizer import Authorizer
from edge.front.lambda_api.joins import Call
from edge.front.streams import Taker
from edge.meter.bill import Tariff
from edge.meter.ledger import UsageTotal
from edge.model.alias import Alias
from edge.model.async_event import DeadLetter, EventConfig
from edge.model.event import Event
from edge.model.function import Census, Change, Code, Package, Settings, SharedSettings, Version
from edge.model.limits import MIB
from edge.model.policy import FunctionPolicy
from edge.model.progress import Progress
from edge.model.readiness import Readiness
from edge.model.result import LogLine, Refusal, Result
from edge.registry.routes import RouteTable


class Invoker(Protocol):
    """The one door inside."""

    def invoke(self, event: Event, taker: Taker | None = None) -> Coroutine[Any, Any, Result]:
        """Run one event. What a guest did wrong is in the Result; raises EdgeError for ours.

        An answer that comes in pieces is `taker`'s, or the Result's value once it is whole."""

    def start(self, event: Event) -> Result | Any:
        """Run the first slice: the Result, or what `finish` goes on with. Raises as `invoke`."""

    async def finish(self, started: Any, taker: Taker | None = None) -> Result:
        """Run what was started to its Result; cancelling this ends the guest."""

    def must_wait(self, function: str) -> bool:
        """Whether others come before an event for `function` can be started."""

    def await_turn(self, function: str, begin: Callable[[], object]) -> Any:
        """Have `begin` called at the function's turn, unless the `canceled` of what is returned
        is set by then; None when too many wait."""

    def turn_away(self, event: Event, refusal: Refusal = ...) -> Result:
        """The Result of an event that is not run: by default, for nobody has time for it."""

    def refuses(self, version: Version) -> Refusal | None:
        """What an event for `version` would be refused with now: a limit, or too much load."""

    def readiness(self, function: str) -> Readiness:
        """How many sandboxes wait for a function's events on this worker, and how that helped."""


class Intake(Protocol):
    """Takes events that run later."""

    async def accept(self, event: Event) -> None:
        """On disk when it returns; raises PayloadTooLarge, TooManyEvents and others."""


class Joins(Protocol):
    """Invocations that their client's own retries join."""

    async def run(self, call: Call, work: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """The answer of the call this is a retry of, else of `work`."""


class AsyncEvents(Protocol):
    """What is kept of async events: their rules, and those that were given up."""

    def dead_letters(self, function: str | None, after: str, limit: int) -> Sequence[DeadLetter]:
        """Dead letters in order of request id, after the one named."""

    def dead_letter(self, request_id: str) -> DeadLetter | None:
        """One dead letter."""

    def redrive(self, request_id: str, now_ms: int) -> Awaitable[bool]:
        """Make a dead letter an event again; whether there was one."""

    def remove_dead(self, request_id: str) -> Awaitable[bool]:
        """Drop a dead letter; whether there was one."""

    def counts(self) -> tuple[int, int]:
        """(events that wait or run, dead letters)."""

    def put_config(self, config: EventConfig) -> Awaitable[object]:
        """Set the rules of a function's qualifier."""

    def config(self, function: str, qualifier: str) -> EventConfig | None:
        """The rules set for a function's qualifier."""

    def configs(self, function: str, after: str, limit: int) -> Sequence[EventConfig]:
        """A function's rules in order of qualifier, after the one named."""

    def remove_config(self, function: str, qualifier: str) -> Awaitable[bool]:
        """Forget rules; whether there were any."""


class Deployer(Protocol):
    """Makes modules runnable; every change is live on all workers when it returns."""

    async def deploy(
        self,
        name: str,
        module: bytes,
        settings: Settings,
        *,
        package: Package | None = None,
        must_exist: bool | None = None,
        revision_id: str | None = None,
        change: Change | None = None,
    ) -> Version:
        """Prepare and publish `module`; raises InvalidModule, Conflict, NotFound and others."""

    async def configure(
        self,
        name: str,
        settings: Settings,
        *,
        revision_id: str | None = None,
        change: Change | None = None,
    ) -> Version:
        """Give a function other settings, its module unchanged."""

    async def delete(self, name: str) -> None:
        """Remove a function; raises NotFound."""


class Updates(Protocol):
    """Changes that may outlast the request for them."""

    async def run(
        self,
        function: str,
        work: Callable[[], Awaitable[Version]],
        *,
        latest: Version | None,
        draft: Version | None,
    ) -> Version | None:
        """Create `draft` or update `latest` by `work`: what it made, None when it goes on.

        Raises Conflict while another change of the function runs, and what `work` raises in time.
        """


class Progresses(Protocol):
    """Changes under way, and those that failed."""

    def find(self, function: str, latest: Version | None) -> Progress | None:
        """The change of a function whose latest version is `latest`, unless it succeeded."""

    def check_idle(self, function: str) -> None:
        """Raises Conflict while a function is being changed."""


class Packages(Protocol):
    """Turns deployment packages into modules."""

    async def open(self, archive: bytes, settings: Settings) -> Code:
        """Pick the module in a zip, or build it; raises InvalidZipFile, BuildFailed and others."""

    async def renew(self, current: Version, settings: Settings) -> Code | None:
        """What has to be built for other settings, if anything; raises as `open`."""


class Aliases(Protocol):
    """Names for versions."""

    def get(self, function: str, name: str) -> Alias:
        """An alias; raises NotFound."""

    def list(self, function: str, *, after: str = "", limit: int) -> tuple[Alias, ...]:
        """Aliases of a function in order of name, after the one named."""

    def create(self, alias: Alias) -> Alias:
        """Keep a new alias, its revision made anew; raises Conflict, NotFound, InvalidRequest."""

    def update(self, function: str, name: str, change: Callable[[Alias], Alias]) -> Alias:
        """Change an alias; raises NotFound, and what `change` raises."""

    def delete(self, function: str, name: str) -> bool:
        """Delete an alias; whether there was one."""


class Registry(Protocol):
    """Which functions there are."""

    @property
    def aliases(self) -> "Aliases":
        """The aliases of the functions."""

    @property
    def progress(self) -> Progresses:
        """What is being created and updated."""

    def resolve(self, name: str, qualifier: str, pin: str = "") -> Version:
        """The version that answers now; on the hot path. `pin` chooses among those that an alias
        stands for. Raises NotFound."""

    def routes(self) -> RouteTable | None:
        """The routes of all functions, None where none has any; on the hot path."""

    def primary(self, name: str, qualifier: str) -> Version:
        """The version a qualifier stands for, the same at each call. Raises NotFound."""

    def policy(self, name: str, qualifier: str) -> FunctionPolicy | None:
        """What a function's policy is now under a qualifier, if there is any."""

    def get(self, name: str) -> Version:
        """The latest version; raises NotFound."""

    def list(self, *, after: str = "", limit: int) -> tuple[Version, ...]:
        """Functions in order of name, after the one named."""

    def publish(
        self, name: str, *, description: str | None = None, revision_id: str | None = None
    ) -> Version:
        """The latest version under its next number; raises NotFound, Conflict."""

    def versions(self, name: str, *, after: int = 0, limit: int) -> tuple[Version, ...]:
        """Numbered versions in order, after the one numbered."""

    def delete_version(self, name: str, version: str) -> None:
        """Delete a numbered version; raises NotFound, and Conflict while an alias names it."""

    def share(self, name: str, change: Change) -> SharedSettings:
        """Change what a function's versions share; raises NotFound, and what `change` raises."""

    def census(self) -> Census:
        """What all functions amount to."""


class AuditLog(Protocol):
    """What was changed, by whom; its methods block, and may be called on threads."""

    def append(self, record: Mapping[str, object]) -> None:
        """On disk when it returns; raises StorageFailure."""

    def read(
        self, before: str | None, limit: int
    ) -> tuple[Sequence[Mapping[str, object]], str | None]:
        """The newest records older than a cursor, and the cursor of the first of them."""


class StoredLine(Protocol):
    """One line of a function's log, with where it came from."""

    @property
    def time_ms(self) -> int: ...
    @property
    def request_id(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def message(self) -> str: ...


class LogStore(Protocol):
    """Functions' logs, in time order; `read` may be called on threads."""

    def append(
        self, function: str, request_id: str, lines: Sequence[LogLine], version: str
    ) -> None:
        """Keep lines of one invocation."""

    def read(
        self, function: str, after: str | None, limit: int
    ) -> tuple[Sequence[StoredLine], str]:
        """Lines after a cursor, and the cursor behind them, unchanged when nothing is left."""


class Ledger(Protocol):
    """Usage, rolled up from the journals; its methods block, and may be called on threads."""

    def rollup(self) -> object:
        """Count everything that was journalled before this call."""

    def totals(
        self,
        function: str | None = None,
        since: date | None = None,
        until: date | None = None,
        by: Any = "function",
    ) -> tuple[UsageTotal, ...]:
        """Totals `by` `function` or `day` (a text enum below), from day to day inclusive."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the doors reach, in one value."""

    invoker: Invoker
    deployer: Deployer
    registry: Registry
    logs: LogStore
    ledger: Ledger
    tariff: Tariff
    intake: Intake
    events: AsyncEvents
    packages: Packages
    updates: Updates
    joins: Joins
    audit: AuditLog
    authority: Authority
    authorizer: Authorizer


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the doors read for one request."""

    payload_bytes_max: int = 6 * MIB
    module_bytes_max: int = 64 * MIB
    concurrency_max: int = 1_000
