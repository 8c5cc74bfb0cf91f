"""What `importlib.metadata` finds of the packages a function was built with.

Neighbours: `modules.py` knows the folders and is the finder that asks. Packages that look for their
extensions by entry point, as Markdown does, need it at a request.
"""

import importlib.metadata
from collections.abc import Iterator, Sequence

_SUFFIX = ".dist-info"


class KeptDistribution(importlib.metadata.Distribution):
    """One package, by the folder of its metadata."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read_text(self, filename: str) -> str | None:
        """A file of its `.dist-info`, None if there is no such file."""
        try:
            with open(f"{self._folder}/{filename}", encoding="utf-8") as file:
                return file.read()
        except OSError:
            return None

    def locate_file(self, path: object) -> str:
        """Where a file of the package was at build."""
        return f"{self._folder.rpartition('/')[0]}/{path}"


def find_distributions(
    name: str | None, folders: Sequence[str]
) -> Iterator[importlib.metadata.Distribution]:
    """The package of that name, in any spelling of it; all without a name."""
    wanted = None if name is None else _plain(name)
    for folder in folders:
        said, _, _ = folder.rpartition("/")[2].removesuffix(_SUFFIX).rpartition("-")
        if wanted in (None, _plain(said)):
            yield KeptDistribution(folder)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
