"""Who is next among functions that all want this worker: the one that has used least of it.

Start-time fair queueing (Goyal, Vin and Cheng, 1996) with fuel as its unit: each function has an
account of what it used; the next turn is the one's whose account is lowest, and within a function
the first come. A function that was away comes back at the clock, which is the account last served:
idleness cannot be saved up.

Neighbours: `scheduler.py` queues guests and turns here, and charges what they burn.
Invariant: of two functions that always want more, neither gets ahead of the other by more than one
turn's fuel, however many requests either has.
"""

from collections import deque
from heapq import heappop, heappush, heapreplace
from typing import Generic, TypeVar

T = TypeVar("T")

ACCOUNTS_MAX = 8_192
"""Beyond this, accounts that are behind the clock, and so mean nothing, are dropped."""


class Accounts:
    """What each function used, in fuel, on a scale that has no beginning."""

    __slots__ = ("_used", "clock")

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self.clock = 0

    def of(self, function: str) -> int:
        """Where the function stands; the clock when it was away."""
        used = self._used.get(function, 0)
        return used if used > self.clock else self.clock

    def charge(self, function: str, fuel: int) -> None:
        """The function used some more, beginning now at the earliest."""
        used = self._used
        begun = used.get(function, 0)
        if begun < self.clock:
            begun = self.clock
            if len(used) >= ACCOUNTS_MAX:
                self._prune()
        used[function] = begun + fuel

    def serve(self, function: str) -> None:
        """The function is served now: the clock comes to where it stands."""
        used = self._used.get(function, 0)
        if used > self.clock:
            self.clock = used

    def _prune(self) -> None:
        self._used = {name: used for name, used in self._used.items() if used > self.clock}


class FairQueue(Generic[T]):
    """Items of many functions. As long as its owner lets it: it has no bound of its own."""

    __slots__ = ("_accounts", "_heap", "_length", "_lines", "_sequence")

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._lines: dict[str, deque[T]] = {}
        # One entry for each line. An account that was charged since makes its entry too low,
        # which is put right when it comes to the top.
        self._heap: list[tuple[int, int, str]] = []
        self._sequence = 0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def functions(self) -> int:
        """How many functions have something here."""
        return len(self._lines)

    def push(self, function: str, item: T) -> None:
        """Put `item` behind the function's others."""
        self._length += 1
        line = self._lines.get(function)
        if line is not None:
            line.append(item)
            return
        self._lines[function] = deque((item,))
        self._sequence += 1
        heappush(self._heap, (self._accounts.of(function), self._sequence, function))

    def pop(self) -> T | None:
        """Take the next item."""
        while self._heap:
            entered, _, function = self._heap[0]
            standing = self._accounts.of(function)
            line = self._lines[function]
            if standing > entered and line:
                self._sequence += 1
                heapreplace(self._heap, (standing, self._sequence, function))
                continue
            item = line.popleft() if line else None
            if not line:
                heappop(self._heap)
                del self._lines[function]
            if item is not None:
                self._length -= 1
                self._accounts.serve(function)
                return item
        return None

    def is_before(self, function: str) -> bool:
        """Whether the function has used less than all that wait here."""
        return not self._heap or self._accounts.of(function) < self._heap[0][0]

    def remove(self, function: str, item: T) -> None:
        """Take `item` out, if it is here."""
        line = self._lines.get(function)
        if line is not None and item in line:
            line.remove(item)
            self._length -= 1
