"""Append-only segment files of CBOR items: what the journal and the logs are kept in.

A directory holds `<worker>-<sequence>.cbor` files. Each worker process writes its own, so an
append needs no lock: it is a copy into the mapped end of the file, its first byte last. Readers in
any process follow along by (segment, offset). Zeros follow the last item until the segment is
closed, and for good when its process was killed; so the number 0 is no item.

Neighbours: `meter/journal.py` and `meter/logs.py`; nothing here knows what an item means.
Invariants: a segment is written by the one process that created it and never reopened, so only
its last item can be torn (by a kill); a failed append leaves no partial item; a worker's sequence
numbers rise, as long as its newest segment is never deleted.
"""

import mmap
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Generic, TypeVar

import cbor2

from edge.model.errors import StorageFailure
from edge.model.limits import KIB, MIB
from edge.storage.failures import storage_failure

ITEM_BYTES_MAX = MIB
# A whole number of items is read at a time, so a page has to hold the largest.
PAGE_BYTES_MAX = ITEM_BYTES_MAX
ITEM_DEPTH_MAX = 16
WINDOW_BYTES = 256 * KIB
"""How much of a segment is mapped, and taken from the disk ahead."""
# Some 200 µs of reading, and long enough for a waiting thread to wake up.
ITEMS_PER_PAUSE = 64
PAUSE_S = 50e-6

_WORKER = re.compile(r"[A-Za-z0-9]{1,32}")
_SEGMENT = re.compile(r"([A-Za-z0-9]{1,32})-(\d{8,})\.cbor")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of a worker's sequence; sorts by worker, then by age."""

    worker: str
    sequence: int
    path: Path = field(compare=False)

    @property
    def name(self) -> str:
        """The file's name, which no other segment of the directory ever has."""
        return self.path.name


def give_way(done: int) -> None:
    """Called after each of many items: now and then it lets another thread have the interpreter.

    Without it a long read holds the event loop beside it back by 5 ms at every turn.
    """
    if done % ITEMS_PER_PAUSE == 0:
        time.sleep(PAUSE_S)


def segment_path(directory: Path, worker: str, sequence: int) -> Path:
    """Where a worker's segment of that number lies."""
    return directory / f"{worker}-{sequence:08d}.cbor"


def list_segments(directory: Path, worker: str | None = None) -> tuple[Segment, ...]:
    """All segments, or one worker's, oldest first within each worker; other files are ignored."""
    try:
        names = [path.name for path in directory.iterdir()]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise storage_failure(directory, error) from error
    found = (match for name in names if (match := _SEGMENT.fullmatch(name)))
    segments = (Segment(m[1], int(m[2]), directory / m[0]) for m in found)
    return tuple(sorted(s for s in segments if worker in (None, s.worker)))


def delete_segment(segment: Segment) -> None:
    """Delete the file; one that is gone already is fine. Raises StorageFailure."""
    try:
        segment.path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_failure(segment.path, error) from error


def sync_segment(segment: Segment) -> None:
    """Make what the segment holds survive a power cut; one that is gone is fine.

    Costs a disk write, so it is for readers that keep something derived from it. Raises
    StorageFailure.
    """
    try:
        with segment.path.open("rb") as file:
            os.fdatasync(file.fileno())
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_failure(segment.path, error) from error


class SegmentWriter:
    """One worker's appending end. Not thread-safe: it belongs to the worker's event loop.

    Items are copied into a mapped window of the file: what is in it survives a kill as what was
    written does, and costs no system call (2 to 4 µs of a request). The file is grown before it is
    touched, so that a full disk is an error and no signal.
    """

    def __init__(self, directory: Path, worker: str, *, segment_bytes_max: int) -> None:
        """`worker` (letters and digits) must be unique among the processes that run now."""
        if not _WORKER.fullmatch(worker):
            raise ValueError(f"{worker!r} is not a worker's name: use up to 32 letters and digits")
        self.directory = directory
        self.worker = worker
        self._bytes_max = segment_bytes_max
        self._descriptor = -1
        self._size = segment_bytes_max  # full: the first append begins a segment
        self._window = memoryview(b"")
        self._at = 0  # in the window
        self._is_new = False  # the segment, and nobody was told so
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_failure(directory, error) from error
        segments = list_segments(directory, worker)
        self._sequence = segments[-1].sequence if segments else 0

    def append(self, item: bytes) -> bool:
        """Append one encoded item, which survives a kill of this process once this returns.

        Returns whether a new segment was begun for it. Raises StorageFailure, and then the item
        is not in the file, nor any part of it.
        """
        length = len(item)
        begun = False
        if self._at + length > len(self._window) or self._size + length > self._bytes_max:
            begun = self._make_room(length)
        at, window = self._at, self._window
        self._at = end = at + length
        self._size += length
        # Its first byte last: until then a reader sees the end of the segment.
        window[at + 1 : end] = item[1:]
        window[at] = item[0]
        return begun

    def close(self) -> None:
        """Close the segment; a later append begins another."""
        self._window.release()
        self._window, self._at = memoryview(b""), 0
        if self._descriptor >= 0:
            with suppress(OSError):  # readers know the end by its zeros, too
                os.ftruncate(self._descriptor, self._size)
            os.close(self._descriptor)
        self._descriptor = -1
        self._size = self._bytes_max

    def _make_room(self, length: int) -> bool:
        """A window with room for an item; whether it is in a new segment. Raises StorageFailure."""
        if length > ITEM_BYTES_MAX:
            raise StorageFailure(f"an item of {length} bytes is over {ITEM_BYTES_MAX}")
        try:
            if self._size + length > self._bytes_max and self._size > 0:
                self._begin()
            self._map(length)
        except OSError as error:
            raise storage_failure(self.directory, error) from error
        is_new, self._is_new = self._is_new, False
        return is_new

    def _begin(self) -> None:
        """Open the next segment; the old one stays in use should that fail."""
        path = segment_path(self.directory, self.worker, self._sequence + 1)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError as error:
            raise StorageFailure(f"{path} exists: is this worker running twice?") from error
        self.close()
        self._descriptor = descriptor
        self._sequence += 1
        self._size = 0
        self._is_new = True

    def _map(self, length: int) -> None:
        """Map the end of the segment, grown so that an item fits; the old window stays in use
        should that fail."""
        begin = self._size - self._size % mmap.ALLOCATIONGRANULARITY
        need = self._size - begin + length
        ahead = -(-need // WINDOW_BYTES) * WINDOW_BYTES
        size = max(need, min(ahead, self._bytes_max - begin))
        os.posix_fallocate(self._descriptor, begin, size)
        window = memoryview(mmap.mmap(self._descriptor, size, offset=begin))
        self._window.release()
        self._window, self._at = window, self._size - begin


class Tail(StrEnum):
    """What follows the items of a page."""

    END = "end"
    MORE = "more"
    TORN = "torn"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in a row: `ends[i]` is the offset behind `items[i]`, `end` the one behind them all.

    `unread_bytes` follow in the file. They are further items (`MORE`), an item without its end,
    which its writer is still writing or was killed over (`TORN`), or no item at all (`DAMAGED`).
    """

    items: tuple[T, ...]
    ends: tuple[int, ...]
    end: int
    tail: Tail
    unread_bytes: int


def read_page(segment: Segment, offset: int, decode: Callable[[object], T]) -> Page[T]:
    """The items from `offset` on, up to PAGE_BYTES_MAX; a segment that is gone has none.

    `decode` turns a CBOR item into what it means; a ValueError from it marks the item as damage.
    Raises StorageFailure when the file cannot be read.
    """
    try:
        with segment.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(offset)
            data = file.read(min(PAGE_BYTES_MAX, max(0, size - offset)))
    except FileNotFoundError:
        return Page((), (), offset, Tail.END, 0)
    except OSError as error:
        raise storage_failure(segment.path, error) from error
    items, ends, sound = _decode_items(data, decode)
    read = ends[-1] if ends else 0
    end = offset + read
    unread_bytes = max(0, size - end)
    if read < len(data) and data.count(0, read) == len(data) - read:
        unread_bytes = 0
    if not unread_bytes:
        tail = Tail.END
    elif not sound or (not items and len(data) == PAGE_BYTES_MAX):
        tail = Tail.DAMAGED
    else:
        tail = Tail.MORE if len(data) == PAGE_BYTES_MAX else Tail.TORN
    return Page(tuple(items), tuple(offset + each for each in ends), end, tail, unread_bytes)


def _decode_items(data: bytes, decode: Callable[[object], T]) -> tuple[list[T], list[int], bool]:
    """All whole items, the offsets behind them, and whether the rest may be a cut item."""
    stream = BytesIO(data)
    items: list[T] = []
    ends: list[int] = []
    end, size = 0, len(data)
    while end < size:
        if not data[end]:
            break
        try:
            items.append(decode(cbor2.load(stream, max_depth=ITEM_DEPTH_MAX)))
        except cbor2.CBORDecodeEOF:
            return items, ends, True
        except (cbor2.CBORDecodeError, ValueError):
            return items, ends, False
        end = stream.tell()
        ends.append(end)
        give_way(len(ends))
    return items, ends, True
