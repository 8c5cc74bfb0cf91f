"""What the audit log keeps of a change: who, what, when, from where, and what came of it.

Neighbours: `front/gate.py` and `cli/key.py` write it through `storage/audit.py`.
Invariant: a change has a record that it began before it is made, and one of its end before it is
answered.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from time import time_ns

TEXT_CHARS_MAX = 512
"""Of each text of a record: what strangers write is cut there."""


class Stage(StrEnum):
    """How far a change is: `begun`, or ended, one way or another."""

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line. `id` is the same at the beginning and at the end of a change: its request's.

    `who` is an ARN, `anonymous` on a host without keys, or `local:USER`; `source` is an address,
    empty for this machine's own users; `status` is that of HTTP, 0 where there is none.
    """

    id: str
    who: str
    key_id: str
    source: str
    action: str
    resource: str
    request: str
    stage: Stage = Stage.BEGUN
    status: int = 0
    reason: str = ""
    time_ms: int = 0

    def at(self, stage: Stage, status: int = 0, reason: str = "") -> "AuditRecord":
        """This change at another stage, now."""
        now_ms = time_ns() // 1_000_000
        return replace(self, stage=stage, status=status, reason=reason, time_ms=now_ms)

    def document(self) -> dict[str, object]:
        """The record as it is written and shown."""
        moment = datetime.fromtimestamp(self.time_ms / 1_000, UTC)
        texts = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "id": self.id,
            "stage": self.stage.value,
            "who": self.who,
            "key": self.key_id,
            "source": self.source,
            "action": self.action,
            "resource": self.resource,
            "request": self.request,
            "reason": self.reason,
        }
        cut: dict[str, object] = {name: text[:TEXT_CHARS_MAX] for name, text in texts.items()}
        return {**cut, "status": self.status}


def stage_of(status: int) -> Stage:
    """How a change ended that was answered with this status of HTTP."""
    if status < 400:
        return Stage.DONE
    return Stage.REFUSED if status in (401, 403, 429) else Stage.FAILED
