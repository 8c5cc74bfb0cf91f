"""What `importlib.metadata` finds of the packages a function was built with.

Neighbours: `modules.py` holds the files and is the finder that asks. Packages that look for their
extensions by entry point, as Markdown does, need it at a request.
"""

import importlib.metadata
from collections.abc import Iterator, Mapping

_SUFFIX = ".dist-info"


class KeptDistribution(importlib.metadata.Distribution):
    """One package, its metadata in memory."""

    def __init__(self, folder: str, files: Mapping[str, bytes]) -> None:
        self._folder = folder
        self._files = files

    def read_text(self, filename: str) -> str | None:
        """A file of its `.dist-info`, None if there is no such file."""
        content = self._files.get(f"{self._folder}/{filename}")
        return None if content is None else content.decode()

    def locate_file(self, path: object) -> str:
        """Where a file of the package was at build."""
        return f"{self._folder.rpartition('/')[0]}/{path}"


def find_distributions(
    name: str | None, files: Mapping[str, bytes]
) -> Iterator[importlib.metadata.Distribution]:
    """The package of that name, in any spelling of it; all without a name."""
    wanted = None if name is None else _plain(name)
    for folder in sorted({path.rpartition("/")[0] for path in files}):
        if not folder.endswith(_SUFFIX):
            continue
        said, _, _ = folder.rpartition("/")[2].removesuffix(_SUFFIX).rpartition("-")
        if wanted in (None, _plain(said)):
            yield KeptDistribution(folder, files)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
