"""How the verbs write: tables, sizes, moments, progress, and JSON for programs.

Invariant: colour and movement appear on a terminal only, and text that a guest wrote never
carries a control character to it.
"""

import json
import re
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import zip_longest

import click

from edge.model.limits import KIB

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_ERASE_LINE = "\r\x1b[2K"  # movement, not colour: written whatever NO_COLOR says
_PROGRESS_SECONDS = 0.2


def print_json(document: object) -> None:
    """`document` as indented JSON on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()
) -> None:
    """Aligned columns under a dim header; the columns numbered in `right` are aligned there."""
    widths = [max(map(len, column)) for column in zip_longest(header, *rows, fillvalue="")]
    click.secho(_table_line(header, widths, right), dim=True)
    for row in rows:
        click.echo(_table_line(row, widths, right))


def print_pairs(pairs: Sequence[tuple[str, str]], indent: int = 0) -> None:
    """Names with their values, aligned; a pair without a value is left out."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        if value:
            click.echo(" " * indent + click.style(f"{name:<{width}}", dim=True) + f"  {value}")


def print_warning(text: str) -> None:
    """One line on stderr about what may surprise."""
    click.echo(click.style("Warning: ", fg="yellow") + printable(text), err=True)


def size(size_bytes: int) -> str:
    """A size for people: `812 B`, `12.3 KiB`."""
    amount, unit = float(size_bytes), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < KIB:
            break
        amount, unit = amount / KIB, larger
    return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"


def milliseconds(duration_ms: int) -> str:
    """A duration for people: `500 ms`, `3 s`."""
    return f"{duration_ms} ms" if duration_ms % 1000 else f"{duration_ms // 1000} s"


def moment(time_ms: int) -> str:
    """A moment of local time, to the millisecond."""
    return datetime.fromtimestamp(time_ms / 1000).isoformat(sep=" ", timespec="milliseconds")


def printable(text: str) -> str:
    """`text` with its control characters spelled out, so that it cannot drive the terminal."""
    return _CONTROL_CHARACTERS.sub(lambda match: repr(match.group())[1:-1], text)


@contextmanager
def progress(label: str) -> Iterator[None]:
    """Show `label` and the seconds gone by on a terminal while the body runs; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield
        return
    done, drawn = threading.Event(), threading.Event()
    ticker = threading.Thread(target=_tick, args=(label, done, drawn), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
        if drawn.is_set():
            click.echo(_ERASE_LINE, nl=False, err=True, color=True)


def _tick(label: str, done: threading.Event, drawn: threading.Event) -> None:
    waited = 0.0
    while not done.wait(_PROGRESS_SECONDS):
        drawn.set()
        waited += _PROGRESS_SECONDS
        click.echo(f"{_ERASE_LINE}{label} … {waited:.0f} s", nl=False, err=True, color=True)


def _table_line(cells: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    padded = (
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()
