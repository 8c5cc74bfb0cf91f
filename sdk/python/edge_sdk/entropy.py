"""Randomness while a function is built: there is none, unless it is asked for.

A build has the same bytes each time, so its machine has no entropy. What module-level code or a
prime draws all the same comes from a seed of this one build, and the deployer is warned: it is the
same in every request, and no other build has it.

Neighbours: `task.py` begins and ends it; `edge/build/python.py` lays the seed out, and reads the
warnings.
Invariant: from the end of the build on, every draw is the host's own.
"""

import hashlib
import os
import random
import sys
import traceback

SEED = "edge_seed"
WARNINGS = "edge_warnings"
_draw = os.urandom


class BuildEntropy:
    """Stands in for `os.urandom` from `begin` to `end`; afterwards it draws from the host."""

    def __init__(self) -> None:
        self._folder = None
        self._drawn = 0
        self._told = set()

    def begin(self, task: str) -> None:
        """Take the place of `os.urandom`; `task` is where the function's files are."""
        self._folder = next(
            (each for each in sys.path if os.path.isfile(os.path.join(each, SEED))), None
        )
        self._task = task
        os.urandom = random._urandom = self

    def end(self) -> None:
        """Leave the place."""
        self._folder = None
        os.urandom = random._urandom = _draw

    def __call__(self, size: int) -> bytes:
        """So many bytes."""
        if self._folder is None:
            return _draw(size)
        self._tell()
        with open(os.path.join(self._folder, SEED), "rb") as file:
            seed = file.read()
        self._drawn += 1
        return hashlib.shake_256(seed + self._drawn.to_bytes(8)).digest(size)

    def _tell(self) -> None:
        """Warn once of each line of the function that draws."""
        frames = traceback.extract_stack()
        own = [frame for frame in frames if frame.filename.startswith(f"{self._task}/")]
        place = f"{os.path.relpath(own[-1].filename, self._task)}:{own[-1].lineno}" if own else "it"
        if place in self._told:
            return
        self._told.add(place)
        with open(os.path.join(self._folder, WARNINGS), "a") as file:
            file.write(
                f"{place} drew random bytes while the function was built: they are the same in"
                " every request, and others in each build; draw them in the handler\n"
            )
