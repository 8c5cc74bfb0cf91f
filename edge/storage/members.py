"""JSON documents as they are stored: with a format, and taken apart member by member.

Neighbours: `documents.py` says which members there are.
Invariant: what is missing, of another type, or left over is a StorageFailure.
"""

import json
from collections.abc import Mapping
from typing import NoReturn

from edge.model.errors import StorageFailure
from edge.model.prime import Prime

FORMAT = 9
"""2 added the primes of settings; 3 moved concurrency and tags to the function's own; 4 added the
packages of artifacts, 5 what is provisioned, 6 the policies of functions, 7 their routes, 8 their
rates, 9 the settings that are only shown."""


def encode(members: Mapping[str, object]) -> str:
    """The text of a document of FORMAT."""
    # ASCII, so that even a lone surrogate in an environment value can be stored.
    return json.dumps({"format": FORMAT, **members}, separators=(",", ":"))


def decode(what: str, text: str) -> "Members":
    """The members of a document of any format up to FORMAT. Raises StorageFailure."""
    try:
        members = Members(what, json.loads(text))
    except ValueError as error:
        raise StorageFailure(f"the stored {what} is not JSON: {error}") from error
    members.format = members.integer("format")
    if not 1 <= members.format <= FORMAT:
        raise StorageFailure(
            f"the stored {what} has format {members.format}, this edge knows {FORMAT}: upgrade edge"
        )
    return members


class Members:
    """The members of one JSON object, each taken once and checked for its type.

    Every method raises StorageFailure. `format` is that of the document.
    """

    format = 0

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

    def number(self, name: str) -> float:
        value = self._take(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        return self._refuse(name)

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

    def members(self, name: str) -> "Members":
        return Members(f"{self._what}'s {name}", self._take(name))

    def many(self, name: str) -> tuple["Members", ...]:
        """The documents of a list."""
        what = f"{self._what}'s {name}"
        return tuple(Members(what, each) for each in self._list(name))

    def add(self, name: str, value: object) -> None:
        """What an older format lacks."""
        self._rest.setdefault(name, value)

    def drop(self, name: str) -> None:
        """What only an older format has."""
        self._rest.pop(name, None)

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
