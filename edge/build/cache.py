"""What was compiled before, by the digest of all that went into it.

Neighbours: `builder.py` asks before it compiles and keeps what it made.
Invariant: a file here is whole, as a rename gave it its name; two builds at once agree. It holds
at most ENTRIES_MAX files, the oldest used going first, and may be deleted at any time.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.build.project import INPUT_BYTES_MAX
from edge.model.errors import BuildFailed

CACHE_ENVIRONMENT = "EDGE_CACHE"
ENTRIES_MAX = 128
_SUFFIX = ".wasm"


class Cache:
    """Modules in one directory."""

    def __init__(self, directory: Path | None = None) -> None:
        """`directory` defaults to EDGE_CACHE, then to the user's cache directory."""
        self._directory = directory or _default_directory()

    def get(self, digest: str) -> bytes | None:
        """The module of these inputs, if it is kept."""
        path = self._directory / f"{digest}{_SUFFIX}"
        try:
            module = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return module

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A new directory on the cache's file system, gone afterwards."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._directory, prefix=".build-") as directory:
            yield Path(directory)

    def keep(self, digest: str, output: Path) -> None:
        """Take `output`, a file of a scratch directory, and let the oldest go."""
        output.replace(self._directory / f"{digest}{_SUFFIX}")
        kept = sorted(self._directory.glob(f"*{_SUFFIX}"), key=_used, reverse=True)
        for path in kept[ENTRIES_MAX:]:
            path.unlink(missing_ok=True)


def digest_of(facts: Iterable[str], files: Iterable[Path], root: Path) -> str:
    """Names a build by `facts` and by the place under `root` and content of each file.

    Raises BuildFailed for a file that cannot be read, or beyond INPUT_BYTES_MAX in all.
    """
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(f"{len(fact.encode())}:".encode() + fact.encode())
    left = INPUT_BYTES_MAX
    for path in sorted(files):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BuildFailed(f"cannot read {path}: {error.strerror}") from None
        left -= len(content)
        if left < 0:
            raise BuildFailed(
                f"{root} holds more than {INPUT_BYTES_MAX >> 20} MiB of source: give the function"
                " a directory of its own"
            )
        place = os.path.relpath(path, root)
        digest.update(f"{len(place.encode())}:{place}{len(content)}:".encode() + content)
    return digest.hexdigest()


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _default_directory() -> Path:
    named = os.environ.get(CACHE_ENVIRONMENT)
    if named:
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "edge" / "builds"
