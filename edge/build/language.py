"""What edge knows of a language: how to tell its sources, and how to compile them.

Neighbours: one module per language implements it; `languages.py` lists them; `builder.py` calls.
Invariant: compiling reads nothing but `inputs`, the SDK and the toolchain, so their digest names
the output.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from edge.build.project import Project


class Language(Protocol):
    """One language. It has no state: every method may be called from any thread."""

    @property
    def name(self) -> str:
        """Its name on the command line, and of its folder in `sdk/`."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of its source files, such as `.c`; empty for one that no file tells."""

    def find_source(self, directory: Path) -> Path | None:
        """What to compile where `directory` is a project of this language, None where not.

        A file (`main.c`, `go.mod`) or the directory itself; it becomes `Project.source`.
        """

    def inputs(self, project: Project) -> Collection[Path] | None:
        """Every file that the output depends on, the SDK's aside; None if that is not known.

        Without it nothing is cached. `tree_files` lists a directory's.
        """

    def check_toolchain(self) -> str:
        """The compiler and its version, as text that tells one from another.

        Raises MissingToolchain, with the exact command that installs it.
        """

    def compile(self, project: Project, output: Path) -> None:
        """Write the module or component to `output`.

        Raises BuildFailed with the compiler's own text; `run_compiler` does.
        """
