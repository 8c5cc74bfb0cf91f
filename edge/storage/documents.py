"""Artifacts and settings as JSON documents: written and read member by member, with a format.

Neighbours: the backends of `functions.py` keep these texts in their columns.
Invariant: decoding gives back what was encoded, or raises StorageFailure. A member this edge does
not know is refused, never dropped: it would be lost at the next write.

To add a member: raise FORMAT, and let the decoder tell the formats apart.
"""

import json
from collections.abc import Mapping
from typing import NoReturn

from edge.model.errors import EdgeError, StorageFailure
from edge.model.function import Artifact, GuestKind, Settings, SnapshotReport, SnapshotState
from edge.model.limits import Limits
from edge.model.prime import Prime

FORMAT = 2
"""2 added the primes of settings."""
_PRIMES_SINCE = 2


def encode_artifact(artifact: Artifact) -> str:
    """The JSON text of an artifact."""
    snapshot = artifact.snapshot
    return _encode(
        {
            "digest": artifact.digest,
            "sizeBytes": artifact.size_bytes,
            "image": artifact.image,
            "kind": artifact.kind.value,
            "snapshot": {
                "state": snapshot.state.value,
                "reason": snapshot.reason,
                "warnings": list(snapshot.warnings),
                "imageBytes": snapshot.image_bytes,
                "initFuel": snapshot.init_fuel,
            },
        }
    )


def decode_artifact(text: str) -> Artifact:
    """The artifact of a JSON text. Raises StorageFailure."""
    members = _decode("artifact", text)
    snapshot = members.members("snapshot")
    try:
        artifact = Artifact(
            digest=members.text("digest"),
            size_bytes=members.integer("sizeBytes"),
            image=members.text("image"),
            kind=GuestKind(members.text("kind")),
            snapshot=SnapshotReport(
                state=SnapshotState(snapshot.text("state")),
                reason=snapshot.text("reason"),
                warnings=snapshot.texts("warnings"),
                image_bytes=snapshot.integer("imageBytes"),
                init_fuel=snapshot.integer("initFuel"),
            ),
        )
    except ValueError as error:
        raise StorageFailure(f"the stored artifact is unknown to this edge: {error}") from error
    snapshot.refuse_rest()
    members.refuse_rest()
    return artifact


def encode_settings(settings: Settings) -> str:
    """The JSON text of settings; pairs are kept as lists, for their order."""
    limits = settings.limits
    return _encode(
        {
            "limits": {
                "timeoutMs": limits.timeout_ms,
                "memoryMb": limits.memory_mb,
                "concurrencyMax": limits.concurrency_max,
            },
            "environment": [list(pair) for pair in settings.environment],
            "grants": list(settings.grants),
            "snapshot": settings.snapshot,
            "description": settings.description,
            "handler": settings.handler,
            "runtime": settings.runtime,
            "role": settings.role,
            "architectures": list(settings.architectures),
            "tags": [list(pair) for pair in settings.tags],
            "primes": [[prime.name, prime.event, prime.answers] for prime in settings.primes],
        }
    )


def decode_settings(text: str) -> Settings:
    """The settings of a JSON text. Raises StorageFailure."""
    members = _decode("settings", text)
    bounds = members.members("limits")
    try:
        limits = Limits(
            timeout_ms=bounds.integer("timeoutMs"),
            memory_mb=bounds.integer("memoryMb"),
            concurrency_max=bounds.integer_or_none("concurrencyMax"),
        )
    except StorageFailure:
        raise
    except EdgeError as error:
        raise StorageFailure(f"the stored limits are beyond this edge's: {error}") from error
    settings = Settings(
        limits=limits,
        environment=members.pairs("environment"),
        grants=members.texts("grants"),
        snapshot=members.flag("snapshot"),
        description=members.text("description"),
        handler=members.text("handler"),
        runtime=members.text("runtime"),
        role=members.text("role"),
        architectures=members.texts("architectures"),
        tags=members.pairs("tags"),
        primes=members.primes("primes"),
    )
    bounds.refuse_rest()
    members.refuse_rest()
    return settings


def _encode(members: Mapping[str, object]) -> str:
    # ASCII, so that even a lone surrogate in an environment value can be stored.
    return json.dumps({"format": FORMAT, **members}, separators=(",", ":"))


def _decode(what: str, text: str) -> "_Members":
    try:
        members = _Members(what, json.loads(text))
    except ValueError as error:
        raise StorageFailure(f"the stored {what} is not JSON: {error}") from error
    if not 1 <= (found := members.integer("format")) <= FORMAT:
        raise StorageFailure(
            f"the stored {what} has format {found}, this edge knows {FORMAT}: upgrade edge"
        )
    if found < _PRIMES_SINCE and what == "settings":
        members.add("primes", [])
    return members


class _Members:
    """The members of one JSON object, each taken once and checked for its type."""

    def __init__(self, what: str, value: object) -> None:
        if not isinstance(value, dict):
            raise StorageFailure(f"the stored {what} is no JSON object")
        self._what = what
        self._rest: dict[str, object] = dict(value)

    def text(self, name: str) -> str:
        value = self._take(name)
        return value if isinstance(value, str) else self._refuse(name)

    def integer(self, name: str) -> int:
        value = self._take(name)
        return value if type(value) is int else self._refuse(name)

    def integer_or_none(self, name: str) -> int | None:
        value = self._take(name)
        return value if value is None or type(value) is int else self._refuse(name)

    def flag(self, name: str) -> bool:
        value = self._take(name)
        return value if isinstance(value, bool) else self._refuse(name)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(
            each if isinstance(each, str) else self._refuse(name) for each in self._list(name)
        )

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        pairs: list[tuple[str, str]] = []
        for each in self._list(name):
            match each:
                case [str(key), str(value)]:
                    pairs.append((key, value))
                case _:
                    self._refuse(name)
        return tuple(pairs)

    def primes(self, name: str) -> tuple[Prime, ...]:
        primes: list[Prime] = []
        for each in self._list(name):
            match each:
                case [str(label), str(event), str(answers)]:
                    primes.append(Prime(label, event, answers))
                case _:
                    self._refuse(name)
        return tuple(primes)

    def members(self, name: str) -> "_Members":
        return _Members(f"{self._what}'s {name}", self._take(name))

    def add(self, name: str, value: object) -> None:
        """What an older format lacks."""
        self._rest.setdefault(name, value)

    def refuse_rest(self) -> None:
        """Raise StorageFailure when a member was not taken."""
        if self._rest:
            names = ", ".join(sorted(self._rest))
            raise StorageFailure(
                f"the stored {self._what} has members unknown to this edge ({names}): upgrade edge"
            )

    def _list(self, name: str) -> list[object]:
        value = self._take(name)
        return value if isinstance(value, list) else self._refuse(name)

    def _take(self, name: str) -> object:
        if name not in self._rest:
            raise StorageFailure(f"the stored {self._what} lacks {name!r}")
        return self._rest.pop(name)

    def _refuse(self, name: str) -> NoReturn:
        raise StorageFailure(f"the stored {self._what} has no usable {name!r}")
