"""Python, made a component by componentize-py, with its pure-Python packages.

Neighbours: `sdk/python` is what is componentized: it loads the function at build, primes it and
calls it for each event. `requirements.py` installs packages.
Invariant: the packages are those of `requirements.txt` and no others: an environment that this
runs in is not looked at. The same source gives the same bytes (`steady.py`), unless it draws
randomness while it is built: the component has a warning of that with it.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from edge.build.files import pack_files
from edge.build.process import compiler_failure, run_to_end, tool_environment
from edge.build.project import Project, tree_files
from edge.build.requirements import REQUIREMENTS, install_requirements
from edge.build.sdk import TEMPLATE, sdk_directory, wit_directory
from edge.build.steady import STEADY_SOURCE, steady_environment
from edge.model.errors import BuildFailed, MissingToolchain
from edge.model.sections import FILES, WARNINGS, add_section

_COMPILER = "componentize-py"
_WORLD = "function"
_APP = "edge_function"
_TASK = "edge_task.json"
_SEED, _SEED_BYTES = "edge_seed", 32
_WARNINGS = "edge_warnings"
_MOUNTS = ("/var/task", "/1")
"""Where a request sees the function's files: as on Lambda, and as the build did, which is what
`__file__` says. componentize-py calls the folders of its path by their number."""
_MODULES = (".py", ".pyc")
_MADE_OR_TEMPLATE = shutil.ignore_patterns("__pycache__", TEMPLATE, "*.md")
_ROOTS = ("main.py", "app.py", "lambda_function.py", "handler.py", "index.py")
"""What a directory's handler may be in, in the order in which they are looked for."""
_TRACEBACK = "Traceback (most recent call last):"
_CAUSE = "\nCaused by:"
_VERSION_SECONDS_MAX = 60


class Python:
    """Python, from one file, or from a directory with the packages it requires."""

    name = "python"
    suffixes: tuple[str, ...] = (".py",)

    def find_source(self, directory: Path) -> Path | None:
        """The directory itself, if one of its files is named as a handler's."""
        return directory if _root_of(directory) else None

    def find_handler(self, directory: Path, handler: str) -> Path:
        """The directory, where it has the module of Lambda's `module.function`.

        Raises BuildFailed.
        """
        module, dot, function = handler.rpartition(".")
        names = module.replace("/", ".").split(".")
        place = directory.joinpath(*names)
        found = any(file.is_file() for file in (place.with_suffix(".py"), place / "__init__.py"))
        if not all((dot, function.isidentifier(), *names)) or not found:
            raise BuildFailed(
                f"Handler {handler[:80]!r} names no function of the package: write MODULE.FUNCTION,"
                " for a file MODULE.py"
            )
        return directory

    def inputs(self, project: Project) -> Collection[Path] | None:
        """The directory's files, or the one. Packages are taken as `requirements.txt` names them:
        pin their versions, and the text says everything. Unknown where packages lie beside."""
        if project.is_packed:
            return None
        own = tree_files(project.source) if project.source.is_dir() else (project.source,)
        return (*own, *tree_files(wit_directory()), STEADY_SOURCE)

    def check_toolchain(self) -> str:
        """What `componentize-py --version` says; raises MissingToolchain."""
        found = shutil.which(_COMPILER, path=tool_environment()["PATH"])
        if found is None:
            raise MissingToolchain(
                "componentize-py is not on the PATH: run 'pip install componentize-py'"
            )
        said = subprocess.run(
            [found, "--version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_SECONDS_MAX,
            check=False,
        )
        return said.stdout.strip()

    def compile(self, project: Project, output: Path) -> None:
        """Gather the function's files and packages, then run it to where it waits for events."""
        with tempfile.TemporaryDirectory() as scratch:
            task, sdk = Path(scratch, "task"), Path(scratch, "sdk")
            packages = Path(scratch, "packages", "lib", "site-packages")
            packages.mkdir(parents=True)
            (packages / _SEED).write_bytes(os.urandom(_SEED_BYTES))
            module = _gather(project, task)
            if (task / REQUIREMENTS).is_file() and not project.is_packed:
                install_requirements(project, task / REQUIREMENTS, task)
            _write_task(project, module, task)
            # A copy: what Python compiled of it before would be seen, and end up in the image.
            shutil.copytree(sdk_directory(self.name), sdk, ignore=_MADE_OR_TEMPLATE)
            exit_code, said = run_to_end(
                [
                    *(_COMPILER, "--quiet", "--wit-path", wit_directory(), "--world", _WORLD),
                    *("componentize", _APP, "--output", output),
                    *("--python-path", sdk, "--python-path", task),
                ],
                project,
                directory=Path(scratch),
                # Else it adds the packages of the Python that it finds.
                environment={
                    "VIRTUAL_ENV": str(Path(scratch, "packages")),
                    "RUST_BACKTRACE": "0",
                    **steady_environment(project, Path(scratch), with_files=True),
                },
            )
            files, warnings = pack_files(task, _readable(project, task), _MOUNTS)
            if (packages / _WARNINGS).is_file():
                warnings = (*warnings, (packages / _WARNINGS).read_text().rstrip())
        if exit_code != 0:
            raise compiler_failure(project, exit_code, _guest_traceback(said))
        if not output.is_file():
            raise BuildFailed(f"{project.name}: componentize-py made no component")
        _add_sections(output, {FILES: files, WARNINGS: "\n".join(warnings).encode()})


def _root_of(directory: Path) -> Path | None:
    return next((directory / root for root in _ROOTS if (directory / root).is_file()), None)


def _gather(project: Project, task: Path) -> str:
    """Copy the function's files to `task`; returns the name of its module."""
    if not project.source.is_dir():
        if not project.source.stem.isidentifier():
            raise BuildFailed(
                f"{project.source.name} is no name for a module: use letters, digits and '_'"
            )
        task.mkdir()
        shutil.copy(project.source, task)
        return project.source.stem
    module = _module_of(project)
    for file in tree_files(project.source):
        place = task / file.relative_to(project.source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    return module


def _module_of(project: Project) -> str:
    """The name of the module in a directory that has the handler."""
    if project.handler:
        return project.handler.rpartition(".")[0].replace("/", ".")
    root = _root_of(project.source)
    if root is None:
        raise BuildFailed(f"{project.source} has none of {', '.join(_ROOTS)}")
    return root.stem


def _guest_traceback(said: str) -> str:
    """The function's own traceback, out of what componentize-py wraps around it; all if none."""
    begins, ends = said.rfind(_TRACEBACK), said.find(_CAUSE)
    return said[begins : ends if ends > begins else None].strip() if begins >= 0 else said


def _readable(project: Project, task: Path) -> Iterator[Path]:
    """What a request may open: the function's own files first, then those of its packages; modules
    are imported, and native parts are gone."""
    files = tree_files(project.source) if project.source.is_dir() else ()
    own = [task / path.relative_to(project.source) for path in files]
    for path in dict.fromkeys((*own, *sorted(task.rglob("*")))):
        if path.is_file() and path.suffix not in _MODULES and path.name != _TASK:
            yield path


def _add_sections(component: Path, sections: Mapping[str, bytes]) -> None:
    """Those that say anything."""
    content = component.read_bytes()
    for name, said in sections.items():
        if said:
            content = add_section(content, name, said)
    component.write_bytes(content)


def _write_task(project: Project, module: str, task: Path) -> None:
    """Tell the SDK what to load."""
    primes = [
        {"name": prime.name, "event": prime.event, "answers": prime.answers}
        for prime in project.primes
    ]
    document = {
        "module": module,
        "handler": project.handler.rpartition(".")[2],
        "environment": dict(project.environment),
        "primes": primes,
    }
    (task / _TASK).write_text(json.dumps(document))
