"""Token buckets that all processes of a host share, without a lock.

A bucket is two numbers in a file that every process maps: whose it is, and the moment at which it
will be full again (the generic cell rate algorithm). Taking a token moves that moment on by what a
token takes to come; there is none when the moment is further away than a whole bucket takes. Each
number is loaded and stored whole: two processes that take in the same microsecond may take one
token for both.

Neighbours: `access/` has a bucket for each key, `invoke/` one for each function.
Invariant: what is in the file can hold nobody up for longer than his own empty bucket does.
"""

import mmap
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns

from edge.model.rate import Rate
from edge.storage.failures import storage_failure

_BUCKET_BYTES = 16
_NS_PER_S = 1_000_000_000


class Buckets:
    """`count` buckets by number, each full at first. Their rates are the callers' to know."""

    def __init__(self, path: Path, count: int, clock_ns: Callable[[], int] = monotonic_ns) -> None:
        """Map the file, creating it if need be. `clock_ns` is the same in all processes.

        Raises StorageFailure.
        """
        size = count * _BUCKET_BYTES
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Taken from the disk first: touching a hole on a full one is a SIGBUS.
                os.posix_fallocate(descriptor, 0, size)
                self._map = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_failure(path, error) from error
        self._numbers = memoryview(self._map).cast("Q")
        self._clock_ns = clock_ns

    def take(self, bucket: int, owner: int, rate: Rate) -> float:
        """Take a token: 0.0, or the seconds until there will be one, and then none was taken.

        `owner` is a number of 64 bits that no former owner of the bucket had.
        """
        now_ns, full_ns, token_ns, wait_ns = self._look(bucket, owner, rate)
        if wait_ns > 0:
            return wait_ns / _NS_PER_S
        self._numbers[2 * bucket + 1] = max(full_ns, now_ns) + token_ns
        return 0.0

    def wait_s(self, bucket: int, owner: int, rate: Rate) -> float:
        """The seconds until there is a token; 0.0 when there is one now."""
        return max(0, self._look(bucket, owner, rate)[3]) / _NS_PER_S

    def close(self) -> None:
        """Unmap the file."""
        self._numbers.release()
        self._map.close()

    def _look(self, bucket: int, owner: int, rate: Rate) -> tuple[int, int, int, int]:
        """Now, when the bucket is full, what a token takes to come, how long until there is one.

        A moment beyond what an empty bucket takes is of another rate, or of before the machine was
        started: from now on the bucket is empty.
        """
        numbers, at = self._numbers, 2 * bucket
        now_ns = self._clock_ns()
        token_ns = int(_NS_PER_S / rate.per_s)
        whole_ns = token_ns * rate.burst
        if numbers[at] != owner:
            numbers[at + 1] = now_ns
            numbers[at] = owner
        full_ns = numbers[at + 1]
        if full_ns > now_ns + whole_ns:
            full_ns = numbers[at + 1] = now_ns + whole_ns
        return now_ns, full_ns, token_ns, full_ns + token_ns - whole_ns - now_ns
