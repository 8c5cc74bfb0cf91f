"""Priming: sample events that run before a snapshot is taken, so that what they warm is kept.

Neighbours: the manifest names them, `deploy/` and `build/` hand them to whoever snapshots.
Invariant: equal primes are equal values, so a deploy can tell whether anything changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.model import json
from edge.model.errors import InvalidConfiguration

PRIMES_MAX = 32
PRIME_BYTES_MAX = 256 * 1024
"""Of one prime's texts, and of all of a function's together."""
_ANSWER_KEYS = frozenset(("call", "answer"))
_OUTCOMES = frozenset(("ok", "error"))


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """What a host call is told whose request has every member of `call`, with its value."""

    call: Mapping[str, object]
    answer: Mapping[str, object]

    def is_for(self, request: object) -> bool:
        """Whether this answers `request`."""
        if not isinstance(request, dict):
            return False
        return all(key in request and request[key] == self.call[key] for key in self.call)


@dataclass(frozen=True, slots=True)
class Prime:
    """One sample event. `event` is JSON; `answers` a JSON array of what host calls are told.

    Each answer is `{"call": {"op": …}, "answer": {"ok": …}}` or with `{"error": …}`. In both,
    `{"$bytes": "<base64>"}` is a byte string.
    """

    name: str
    event: str
    answers: str = "[]"


def read_answers(prime: Prime) -> tuple[HostAnswer, ...]:
    """The answers of a prime, in their order; raises InvalidConfiguration."""
    listed = _decode(prime, prime.answers)
    if not isinstance(listed, list):
        raise InvalidConfiguration(f"the answers of {prime.name!r} are a list, not {listed!r:.80}")
    return tuple(_answer(prime, item) for item in listed)


def read_event(prime: Prime) -> object:
    """The event of a prime, as plain values; raises InvalidConfiguration."""
    return _decode(prime, prime.event)


def check_primes(primes: tuple[Prime, ...]) -> None:
    """Raise InvalidConfiguration for what cannot be run or is over the limits."""
    size = sum(len(prime.event.encode()) + len(prime.answers.encode()) for prime in primes)
    if len(primes) > PRIMES_MAX or size > PRIME_BYTES_MAX:
        raise InvalidConfiguration(
            f"at most {PRIMES_MAX} events and {PRIME_BYTES_MAX // 1024} KiB to prime with"
        )
    for prime in primes:
        read_event(prime)
        read_answers(prime)


def _answer(prime: Prime, item: object) -> HostAnswer:
    if isinstance(item, dict) and item.keys() == _ANSWER_KEYS:
        call, answer = item["call"], item["answer"]
        is_pair = isinstance(call, dict) and isinstance(answer, dict)
        if is_pair and len(answer) == 1 and answer.keys() <= _OUTCOMES:
            return HostAnswer(call, answer)
    raise InvalidConfiguration(
        f'an answer of {prime.name!r} is {{"call": {{"op": …}}, "answer": {{"ok": …}}}}, or with'
        f' "error"; not {item!r:.80}'
    )


def _decode(prime: Prime, text: str) -> object:
    try:
        return json.decode(text.encode())
    except ValueError as error:
        raise InvalidConfiguration(f"{prime.name!r} is not JSON of plain values: {error}") from None
