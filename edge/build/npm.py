"""Packages of npm for a project: what `package.json` says, and how its dependencies get there.

Neighbours: `javascript.py` and `assemblyscript.py` ask.
Invariant: nothing is installed but into the project's own `node_modules`, and no script of a
package runs.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from edge.build.process import run_compiler
from edge.build.project import Project
from edge.model.errors import BuildFailed

PACKAGE = "package.json"
_LOCK = "package-lock.json"
_MODULES = "node_modules"
_FLAGS = ("--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def read_package(directory: Path) -> Mapping[str, object]:
    """What package.json says, nothing without one; raises BuildFailed where it is not JSON."""
    try:
        said = json.loads((directory / PACKAGE).read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BuildFailed(f"{directory / PACKAGE} is not JSON: {error}") from None
    return said if isinstance(said, dict) else {}


def is_settled(directory: Path) -> bool:
    """Whether the project's files say all that is installed: it needs nothing, or locks it."""
    return (directory / _LOCK).is_file() or not _depends(directory)


def install_packages(project: Project) -> None:
    """Put the dependencies beside the sources, as npm does, if they are not there.

    Raises BuildFailed with npm's own words.
    """
    directory = project.directory
    if project.is_packed or (directory / _MODULES).is_dir() or not _depends(directory):
        return
    verb = "ci" if (directory / _LOCK).is_file() else "install"
    run_compiler(["npm", verb, *_FLAGS], project, directory=directory)


def _depends(directory: Path) -> bool:
    return bool(read_package(directory).get("dependencies"))
