"""How far a reader of logs has come: a position in each worker's segments, as one short text.

Neighbours: `logs.py` makes and takes cursors; callers hand them back unread.
Invariant: `parse` takes what `format` gave and refuses everything else that is not of its shape.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from edge.model.errors import InvalidRequest

CURSOR_LENGTH_MAX = 16_384

_POSITION = re.compile(r"([A-Za-z0-9]{1,32})\.(\d{1,12})\.(\d{1,12})\.(\d{1,6})")


class Position(NamedTuple):
    """The next line to read: segment number, offset of the record, lines of it already read."""

    sequence: int = 0
    offset: int = 0
    line: int = 0


def format_cursor(positions: Mapping[str, Position]) -> str:
    """`worker.sequence.offset.line` for each worker, between tildes: safe in a URL as it is."""
    return "~".join(
        f"{worker}.{position.sequence}.{position.offset}.{position.line}"
        for worker, position in sorted(positions.items())
    )


def parse_cursor(text: str) -> dict[str, Position]:
    """Positions by worker; none for the empty text. Raises InvalidRequest."""
    if not text:
        return {}
    if len(text) > CURSOR_LENGTH_MAX:
        raise InvalidRequest(f"the cursor is over {CURSOR_LENGTH_MAX} characters")
    positions = {}
    for part in text.split("~"):
        match = _POSITION.fullmatch(part)
        if match is None:
            raise InvalidRequest(
                f"{text[:80]!r} is not a log cursor: pass on the `next` of an earlier answer"
            )
        positions[match[1]] = Position(int(match[2]), int(match[3]), int(match[4]))
    return positions
