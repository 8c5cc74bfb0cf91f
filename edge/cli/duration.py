"""Durations as people write them: `500ms`, `3s`, `1.5m`, `2h`.

Neighbours: `manifest.py` and the options of the verbs read them.
"""

import re

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h)", re.ASCII)
_MS_PER_UNIT = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def parse_duration(text: str) -> int:
    """The duration in whole milliseconds; raises ValueError that says how to write one."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f'{text!r} is not a duration: write a number and ms, s, m or h, as in "3s"'
        )
    number, unit = match.groups()
    return round(float(number) * _MS_PER_UNIT[unit])
