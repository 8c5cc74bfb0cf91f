"""WIT's `result` as Python has it.

Neighbours: the functions of this room return them, `sandbox/component/` writes them down.
Invariant: a refusal of ours is an `Err` that the guest sees, never an exception.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ok:
    """The good case. A plain value means the same where nothing else could be meant."""

    value: object = None


@dataclass(frozen=True, slots=True)
class Err:
    """The bad case: an error code by its name, or a variant as (name, payload)."""

    value: object = None
