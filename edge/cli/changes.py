"""Which files under a directory come to hold something else, as it happens.

Neighbours: `watch.py` decides what each change means.
Invariant: the same content twice is one change, so a build that writes its intermediate files
where it is watched does not start itself for ever.
"""

import hashlib
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

DEBOUNCE_MS_MAX = 1_000
SETTLE_MS = 50
QUIET_MS = 100
FILES_KNOWN_MAX = 10_000


def changed_files(
    directory: Path, stop: threading.Event, *, ignored: Path, recursive: bool = True
) -> Iterator[set[Path]]:
    """Batches of changed and new files, until `stop` is set; the first comes at once and is empty.

    From that first one on nothing is missed. A file that is gone by now is not reported: compilers
    come and go with files of random names, and what is deleted on purpose is missed by the next
    build at the latest. A batch ends SETTLE_MS after its last change, and DEBOUNCE_MS_MAX after
    its first. Paths are as `real_path` gives them. Files under `ignored`, and what editors and
    caches leave, are not reported.
    """
    wanted = DefaultFilter(ignore_paths=[ignored.resolve()])
    batches = watch(
        directory.resolve(),
        watch_filter=wanted,
        debounce=DEBOUNCE_MS_MAX,
        step=SETTLE_MS,
        stop_event=stop,
        rust_timeout=QUIET_MS,
        yield_on_timeout=True,
        recursive=recursive,
    )
    known: dict[Path, bytes] = {}
    is_first = True
    for batch in batches:
        if is_first:
            is_first = False
            yield set()
        changed = {path for path in _files(batch, wanted) if _is_news(path, known)}
        if changed:
            yield changed


def _files(batch: set[tuple[Change, str]], wanted: DefaultFilter) -> Iterator[Path]:
    """The files of a batch, with those in a new directory: they may have been there before it
    was watched."""
    for change, text in batch:
        path = Path(text)
        if change is Change.added and path.is_dir():
            inside = (found for found in path.rglob("*") if wanted(change, str(found)))
            yield from islice(inside, FILES_KNOWN_MAX)
        else:
            yield path


def _is_news(path: Path, known: dict[Path, bytes]) -> bool:
    """Whether the file is there and holds something else than `known`, where that is kept."""
    content = _digest(path)
    if content is None or known.get(path) == content:
        return False
    if len(known) >= FILES_KNOWN_MAX:
        known.clear()
    known[path] = content
    return True


def real_path(path: Path) -> Path:
    """`path` with its directory resolved and its own name kept, as a change reports it."""
    return path.parent.resolve() / path.name


def _digest(path: Path) -> bytes | None:
    """What the file holds, as SHA-256; None where there is no file to read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None
