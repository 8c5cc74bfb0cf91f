"""Packages of PyPI for a Python function: pip fetches them, what is native is left out.

Neighbours: `python.py` asks. Invariant: nothing is installed but into the folder given.
"""

import sys
from pathlib import Path

from edge.build.process import run_compiler
from edge.build.project import Project
from edge.model.errors import BuildFailed

REQUIREMENTS = "requirements.txt"
_NATIVE = ("*.so", "*.pyd", "*.dylib")
_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


def install_requirements(project: Project, requirements: Path, folder: Path) -> None:
    """Install to `folder`; raises BuildFailed with what pip said.

    A package may have native parts and do without them, as MarkupSafe does: they are removed. One
    that cannot fails at its import, which the build reports.
    """
    try:
        run_compiler(
            [
                *(sys.executable, *_PIP, "install", "--no-compile", "--upgrade"),
                *("--target", folder, "--requirement", requirements),
            ],
            project,
        )
    except BuildFailed as failed:
        if "No module named pip" in failed.message:
            raise BuildFailed(
                f"{project.name} requires packages, and this Python has no pip: run"
                f" '{sys.executable} -m ensurepip'"
            ) from None
        raise
    for pattern in _NATIVE:
        for native in folder.rglob(pattern):
            native.unlink()
