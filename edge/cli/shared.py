"""What a deploy says of a function beside its version: how often, for whom, where it answers.

Neighbours: `manifest.py` and the options of `deploy.py` say it, `client.py` sends it.
Invariant: what is not said stays as the host has it.
"""

from dataclasses import asdict, dataclass

from edge.model.rate import Rate
from edge.model.route import Route
from edge.model.url import AuthType

AUTH_TYPES = tuple(each.lower() for each in AuthType)


@dataclass(frozen=True, slots=True)
class SharedChange:
    """None leaves what the function has. `auth` is one of AUTH_TYPES."""

    concurrency_max: int | None = None
    rate: Rate | None = None
    auth: str | None = None
    routes: tuple[Route, ...] | None = None

    def under(self, other: "SharedChange") -> "SharedChange":
        """This change, with what `other` says in its place."""
        return SharedChange(
            self.concurrency_max if other.concurrency_max is None else other.concurrency_max,
            other.rate or self.rate,
            other.auth or self.auth,
            self.routes if other.routes is None else other.routes,
        )

    def document(self) -> dict[str, object]:
        """What is said, as `/v1` takes it among the settings."""
        members = {
            "concurrency": self.concurrency_max,
            "rate": rate_document(self.rate),
            "auth": self.auth,
            "routes": None if self.routes is None else [asdict(each) for each in self.routes],
        }
        return {name: value for name, value in members.items() if value is not None}


def rate_document(rate: Rate | None) -> dict[str, object] | None:
    """A rate as `/v1` shows and takes it."""
    return None if rate is None else {"perSecond": rate.per_s, "burst": rate.burst}


def rate_text(rate: Rate) -> str:
    """A rate for people."""
    return f"{rate.per_s:g} a second, {rate.burst} at once"
