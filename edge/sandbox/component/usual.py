"""The pages a component's guests usually use, faulted in while a guest waits for its event.

The first write to a page has the kernel copy it from the guest's image: 1.7 µs each, and a request
to a Python guest has 300 faults. So the first requests are looked at when they end, and what at
least half of them used is asked for in the memories of those that are started ahead.

Neighbours: `loaded.py` has one of these for each component; `instance.py` asks it.
Invariant: it learns from at most `SAMPLES` guests, and guesses: which memory is whose it does not
know, so it has those pages ready in all that lack them, within a bound.
"""

import contextlib
import re
from collections.abc import Generator
from io import FileIO
from pathlib import Path
from time import monotonic
from typing import Final

from edge.sandbox.component import pages
from edge.sandbox.component.pages import PAGE_BYTES, READ, WRITTEN, Region, Run
from edge.sandbox.engine import DECOMMIT_BATCH, RESIDENT_BYTES

SAMPLES = 4
"""Guests to learn from; fewer will do until there are as many."""
PAGES_MAX: Final = {READ: 4_096, WRITTEN: 512}
"""Of one memory; whoever uses more waits with the first of them. Only those written take memory."""
SPARE_MAX = DECOMMIT_BATCH + 2
"""Memories, beside those of guests that wait, that may hold the pages: some that ended guests left
and Wasmtime has not cleared yet, and one or two that the next guests get."""
PAGES_AT_ONCE = 64
"""0.1 ms: what is asked for before somebody else may have the loop."""
REGIONS_MAX = 128
LOOK_AGAIN_S = 0.05

_RUN = re.compile(bytes([READ]) + b"+|" + bytes([WRITTEN]) + b"+")


class UsualPages:
    """What the guests of one compiled component use, learned from the first that ran here."""

    def __init__(self, path: Path | None) -> None:
        """`path` is the compiled file; of a component that has none, nothing is learned."""
        self._path = str(path)
        self._samples: list[bytes] = []
        self._regions: tuple[Region, ...] = ()
        self._runs: tuple[Run, ...] = ()
        self._last = -1  # where the last page is that is written
        self._looked_s = float("-inf")
        self.is_learning = False
        self.bytes = 0
        """How much memory a guest holds by them: a page that is only read is everybody's."""

    def begin(self) -> None:
        """There are guests that will wait: look at those that run, until enough is known."""
        self.is_learning = len(self._samples) < SAMPLES

    def learn(self) -> None:
        """Look at what a guest used that is about to be cleared. It takes 2 ms."""
        with contextlib.suppress(OSError), pages.open_pagemap() as pagemap:
            self._look()
            used = [pages.kinds(pagemap, region) for region in self._regions]
            # Of others there is less to see: they wait, or have not ended.
            self._samples.append(max(used, key=lambda each: each.count(WRITTEN), default=b""))
            self._runs = tuple(_runs(_usual(self._samples)))
            written = [run for run in self._runs if run.kind == WRITTEN]
            self._last = written[-1].end - PAGE_BYTES if written else -1
            self.bytes = sum(run.bytes for run in written)
        self.begin()

    def fault_in(self, guests: int, bytes_max: int) -> Generator[None, None, None]:
        """Have the pages ready in the memories of these guests that lack them, in short steps.

        There are at least `guests` of them; one that is free now is the next guest's. `bytes_max`
        bounds what they take together, and so does `guests`: a free memory keeps its pages.
        """
        if self._last < 0:
            return
        with contextlib.suppress(OSError), pages.open_pagemap() as pagemap:
            lacking = [region for region in self._regions if self._lacks(region, pagemap)]
            if not lacking and self._may_be_more(guests):
                self._look()
                yield
                lacking = [region for region in self._regions if self._lacks(region, pagemap)]
            ready = len(self._regions) - len(lacking)
            most = min(guests + SPARE_MAX, bytes_max // self.bytes)
            for region in lacking[: max(0, most - ready)]:
                for piece in _pieces(self._runs):
                    pages.populate(region, piece)
                    yield

    def _look(self) -> None:
        self._looked_s = monotonic()
        self._regions = pages.find_regions(self._path)[:REGIONS_MAX]

    def _may_be_more(self, guests: int) -> bool:
        return len(self._regions) < guests or monotonic() - self._looked_s > LOOK_AGAIN_S

    def _lacks(self, region: Region, pagemap: FileIO) -> bool:
        """Whether nobody wrote or asked for the last usual page."""
        address = region.start + self._last
        return address < region.end and not pages.is_written(pagemap, address)


def _usual(samples: list[bytes]) -> bytes:
    """For each page what at least half of the guests did with it; those that Wasmtime keeps for
    the next guest are nobody's."""
    length = max(map(len, samples))
    uses = zip(*(sample.ljust(length, b"\0") for sample in samples), strict=True)
    usual = bytes(sorted(each)[len(samples) // 2] for each in uses)
    kept = min(length, RESIDENT_BYTES // PAGE_BYTES)
    return bytes(kept) + usual[kept:]


def _runs(usual: bytes) -> Generator[Run, None, None]:
    """Neighbouring pages of a kind together, none longer than what is asked for at once."""
    left = dict(PAGES_MAX)
    for match in _RUN.finditer(usual):
        kind = usual[match.start()]
        for first in range(match.start(), match.end(), PAGES_AT_ONCE):
            count = min(match.end() - first, PAGES_AT_ONCE, left[kind])
            left[kind] -= count
            if count:
                start = first * PAGE_BYTES
                yield Run(start, start + count * PAGE_BYTES, kind)


def _pieces(runs: tuple[Run, ...]) -> Generator[list[Run], None, None]:
    """The same runs, some at a time."""
    piece: list[Run] = []
    left = PAGES_AT_ONCE * PAGE_BYTES
    for run in runs:
        piece.append(run)
        left -= run.bytes
        if left <= 0:
            yield piece
            piece, left = [], PAGES_AT_ONCE * PAGE_BYTES
    if piece:
        yield piece
