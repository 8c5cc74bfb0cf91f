"""Priming: sample events that run before a snapshot is taken, so that what they warm is kept.

Neighbours: the manifest names them, `deploy/` and `build/` hand them to whoever snapshots.
Invariant: texts are JSON as written, so that equal primes are equal values.
"""

from dataclasses import dataclass

PRIMES_MAX = 32
PRIME_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Prime:
    """One sample event. `event` is JSON; `answers` a JSON array of what host calls are told.

    Each answer is `{"call": {"op": …}, "answer": {"ok": …}}` or with `{"error": …}`; it stands for
    every call whose request holds what `call` does. In both, `{"$bytes": "<base64>"}` is a byte
    string.
    """

    name: str
    event: str
    answers: str = "[]"
