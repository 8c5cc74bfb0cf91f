"""The table, for people and for programs.

Neighbours: `__main__.py` prints it; `machine.py` says where it was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bench.line import Line

_HEAD = ("", "p50", "p99", "unit", "ratio", "bound", "verdict", "")
_NUMBERS = (1, 2)


def render(machine: Mapping[str, str], lines: Sequence[Line]) -> str:
    """The whole table as text, under a line that names machine and commit."""
    rows = [_HEAD, *map(_cells, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    printed = [
        "  ".join(
            cell.rjust(width) if column in _NUMBERS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    printed.insert(1, "-" * max(map(len, printed)))
    where = " · ".join(f"{key} {value}" for key, value in machine.items())
    return "\n".join((where, "", *printed))


def document(machine: Mapping[str, str], lines: Sequence[Line]) -> dict[str, object]:
    """The same as plain values."""
    return {
        "machine": dict(machine),
        "lines": [{**asdict(line), "verdict": line.verdict} for line in lines],
    }


def _cells(line: Line) -> tuple[str, ...]:
    ratio = "" if line.ratio is None else f"{_number(line.ratio)} × {line.against}"
    return (
        line.name,
        _number(line.p50),
        _number(line.p99),
        line.unit,
        ratio,
        line.bound,
        line.verdict,
        line.note,
    )


def _number(value: float | None) -> str:
    """Three figures that matter, without an exponent."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
