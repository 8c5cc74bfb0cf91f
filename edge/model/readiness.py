"""How well a function's fresh sandboxes were there before they were needed.

Neighbours: `sandbox/component/ready.py` counts, doors show it.
"""

from typing import NamedTuple


class Readiness(NamedTuple):
    """On one worker: sandboxes that wait now, events that found one, events that did not, and the
    memory held by those that wait."""

    ready: int = 0
    hits: int = 0
    misses: int = 0
    memory_bytes: int = 0
