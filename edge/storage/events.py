"""Async events on disk: what any backend must do.

Neighbours: `sqlite/events.py` does it; `invoke/` accepts and runs events through it.

Guarantees
- `add` ends after the event is on disk. `settle` removes an event and adds what follows from it
  (an event for its destination, a dead letter) in one commit: a kill leaves either or the other.
- An event is claimed by one owner until the claim's lease ends; then anybody may claim it. A change
  by an owner whose claim is gone changes nothing and says so.
- Waiting events and dead letters together stay within the bounds; `add` refuses what is over them,
  `settle` and `redrive` never do.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.model.async_event import AsyncEvent, DeadLetter, EventConfig
from edge.model.limits import MIB


@dataclass(frozen=True, slots=True)
class EventBounds:
    """How much is kept at once: events and dead letters, and the bytes of their content."""

    events_max: int = 100_000
    bytes_max: int = 1_024 * MIB


class AsyncEvents(Protocol):
    """The async events of one host. Every method raises StorageFailure."""

    def add(self, event: AsyncEvent) -> Awaitable[None]:
        """Keep an event, due now. Raises TooManyEvents."""

    def is_due(self, now_ms: int) -> bool:
        """Whether a claim made now could take something; costs no lock."""

    def claim(
        self, owner: str, now_ms: int, until_ms: int, limit: int
    ) -> Awaitable[Sequence[AsyncEvent]]:
        """Take up to `limit` events that are due, those due longest first."""

    def renew(self, owner: str, until_ms: int) -> Awaitable[int]:
        """Keep all of an owner's claims until then; how many they are."""

    def put_off(self, owner: str, event: AsyncEvent, due_ms: int) -> Awaitable[bool]:
        """Let a claimed event wait, with its counts as in `event`; whether the claim held."""

    def settle(
        self, owner: str, request_id: str, follows: AsyncEvent | DeadLetter | None
    ) -> Awaitable[bool]:
        """Remove a claimed event and keep what follows; whether the claim held."""

    def give_back(self, owner: str, now_ms: int) -> Awaitable[int]:
        """Let go of all of an owner's claims, due now; how many they were."""

    def counts(self) -> tuple[int, int]:
        """(events that wait or are claimed, dead letters)."""

    def dead_letters(self, function: str | None, after: str, limit: int) -> Sequence[DeadLetter]:
        """Dead letters in order of request id, after the one named."""

    def dead_letter(self, request_id: str) -> DeadLetter | None:
        """One dead letter."""

    def redrive(self, request_id: str, now_ms: int) -> Awaitable[bool]:
        """Make a dead letter an event again, as if accepted now; whether there was one."""

    def remove_dead(self, request_id: str) -> Awaitable[bool]:
        """Drop a dead letter; whether there was one."""

    def put_config(self, config: EventConfig) -> Awaitable[object]:
        """Set the rules of a function's qualifier."""

    def config(self, function: str, qualifier: str) -> EventConfig | None:
        """The rules set for a function's qualifier."""

    def configs(self, function: str, after: str, limit: int) -> Sequence[EventConfig]:
        """A function's rules in order of qualifier, after the one named."""

    def remove_config(self, function: str, qualifier: str) -> Awaitable[bool]:
        """Forget rules; whether there were any."""
