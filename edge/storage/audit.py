"""The audit log: JSON lines that are only ever appended to, in files that are rotated and bounded.

`DIRECTORY/00000001.jsonl` and so on, the newest with the highest number; any tool for JSON lines
reads them. All processes of a host, and verbs that need no host, write the same file in turn, under
an advisory lock.

Neighbours: `model/audit.py` says what a record is.
Invariant: a record is on disk when `append` returns, and none was changed; the oldest file goes
when there are more than fit.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from edge.model.errors import InvalidRequest
from edge.model.limits import MIB
from edge.storage.failures import storage_failure
from edge.storage.locks import locked

FILE_BYTES_MAX = 8 * MIB
AUDIT = "audit"
"""The directory's name, under the data directory."""
_FILE = re.compile(r"([0-9]{8})\.jsonl")
_CURSOR = re.compile(r"([0-9]{1,8}):([0-9]{1,9})")
_LINE_END = b"\n"

Record = Mapping[str, object]


class AuditLog:
    """The audit log of one data directory, seen from one process; any thread may use it."""

    def __init__(
        self,
        directory: Path,
        *,
        bytes_max: int | None,
        file_bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        """Make the directory if need be. `bytes_max` bounds all files; None leaves that to others.

        Raises StorageFailure.
        """
        self._directory = directory
        self._file_bytes_max = file_bytes_max
        self._files_max = None if bytes_max is None else max(2, bytes_max // file_bytes_max)
        self._threads = Lock()  # a file lock only keeps processes apart
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise storage_failure(directory, error) from error

    def append(self, record: Record) -> None:
        """Write one record. Raises StorageFailure, and then nothing of it is kept."""
        line = json.dumps(record, separators=(",", ":")).encode() + _LINE_END
        try:
            with self._threads, locked(self._lock):
                self._append(line)
        except OSError as error:
            raise storage_failure(self._directory, error) from error

    def read(self, before: str | None, limit: int) -> tuple[tuple[Record, ...], str | None]:
        """Up to `limit` records, the newest last, all older than the cursor `before`.

        With them the cursor of the first one, None when there is none older. Raises InvalidRequest
        for what is no cursor, and StorageFailure.
        """
        newest, offset = _parse_cursor(before)
        found: list[tuple[Record, str]] = []
        try:
            for number in reversed(self._numbers()):
                if number > newest:
                    continue
                content = self._content(number, offset if number == newest else None)
                found[:0] = _records(content, number)
                if len(found) > limit:
                    break
        except OSError as error:
            raise storage_failure(self._directory, error) from error
        page = found[-limit:]
        is_more = len(found) > len(page)
        return tuple(record for record, _ in page), page[0][1] if is_more else None

    def close(self) -> None:
        """Close what is open."""
        os.close(self._lock)

    def _append(self, line: bytes) -> None:
        number = (self._numbers() or [1])[-1]
        size = self._size(number)
        if size and size + len(line) > self._file_bytes_max:
            number, size = number + 1, 0
        descriptor = self._open(number)
        try:
            if size and os.pread(descriptor, 1, size - 1) != _LINE_END:
                line = _LINE_END + line  # after what a crash of the machine tore
            _write(descriptor, line, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if not size:
            self._sync_directory()
            self._drop_oldest()

    def _open(self, number: int) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self._path(number), flags, 0o600)

    def _size(self, number: int) -> int:
        try:
            return self._path(number).stat().st_size
        except FileNotFoundError:
            return 0

    def _drop_oldest(self) -> None:
        if self._files_max is None:
            return
        for number in self._numbers()[: -self._files_max]:
            self._path(number).unlink(missing_ok=True)

    def _sync_directory(self) -> None:
        """Make a new file's name survive a power cut, too."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _content(self, number: int, end: int | None) -> bytes:
        try:
            content = self._path(number).read_bytes()
        except FileNotFoundError:  # it was the oldest
            return b""
        return content if end is None else content[:end]

    def _numbers(self) -> list[int]:
        names = (_FILE.fullmatch(path.name) for path in self._directory.iterdir())
        return sorted(int(found[1]) for found in names if found)

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:08d}.jsonl"


def _write(descriptor: int, line: bytes, size: int) -> None:
    """Write a whole line at the end of a file of `size` bytes, or nothing."""
    try:
        written = os.write(descriptor, line)
        while written < len(line):  # it succeeds, or says why the first did not
            written += os.write(descriptor, line[written:])
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _records(content: bytes, number: int) -> list[tuple[Record, str]]:
    """The records of a file's content with their cursors; what is none is passed over."""
    found: list[tuple[Record, str]] = []
    at = 0
    for line in content.splitlines(keepends=True):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict):
            found.append((record, f"{number}:{at}"))
        at += len(line)
    return found


def _parse_cursor(text: str | None) -> tuple[int, int | None]:
    """The file and the offset before which to read: without a cursor, behind all."""
    if text is None:
        return 10**8, None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InvalidRequest("before must be the cursor of an earlier page")
    return int(found[1]), int(found[2])
