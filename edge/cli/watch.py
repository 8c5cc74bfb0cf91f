"""Deploys what a path declares, and again whenever its files change.

Neighbours: `up` runs it in a thread beside the host; `compile.py` and `deploy.py` do the work,
`changes.py` sees the files.
Invariant: a function that is live stays live while its next build or deploy fails.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from edge.build.project import is_made
from edge.cli.changes import changed_files, real_path
from edge.cli.client import ControlPlane
from edge.cli.compile import compile_function
from edge.cli.deploy import change_text, ship
from edge.cli.documents import InfoDocument
from edge.cli.failure import CommandFailed
from edge.cli.manifest import Declaration
from edge.cli.output import print_warning, size
from edge.cli.project import MODULE_SUFFIX, find_functions, is_file_of_one
from edge.model.errors import BuildFailed, EdgeError, MissingToolchain

Built = tuple[Declaration, bytes]


class Watcher:
    """The functions of one path, kept live as they are edited, until `stop` is set."""

    def __init__(self, path: Path, stop: threading.Event, ignored: Path) -> None:
        """`ignored` is a directory whose changes are not the user's: the host's data."""
        self._path = path
        self._stop = stop
        self._live: set[str] = set()
        self._batches = changed_files(
            path if path.is_dir() else path.parent,
            stop,
            ignored=ignored,
            recursive=not is_file_of_one(path),
        )

    def build_all(self) -> Sequence[Built]:
        """Begin to watch, and build every function; one whose build fails is shown and left out.

        Raises MissingToolchain and InvalidConfiguration: the user has to mend those first.
        """
        next(self._batches, None)
        built = []
        for declaration in find_functions(self._path):
            try:
                built.append((declaration, compile_function(declaration, self._stop)))
            except MissingToolchain:
                raise
            except BuildFailed as error:
                CommandFailed(error.message).show()
            except CommandFailed as error:
                error.show()
        return built

    def run(self, control_url: str, http_url: str, built: Iterable[Built]) -> None:
        """Deploy `built`, then follow the files until stopped."""
        with ControlPlane(control_url) as control:
            for declaration, module in built:
                with self._reporting(declaration):
                    self._show(ship(control, declaration, module), http_url)
            if self._stop.is_set():
                return
            click.echo(f"watching {self._path}: what you save is deployed; Ctrl-C stops")
            for declaration in self._affected():
                with self._reporting(declaration):
                    module = compile_function(declaration, self._stop)
                    self._show(ship(control, declaration, module), http_url)

    def _affected(self) -> Iterator[Declaration]:
        """Each declared function again whenever a file that it is made of changed."""
        for changed in self._batches:
            try:
                declared = find_functions(self._path)
            except EdgeError as error:
                CommandFailed(error.message).show()
                continue
            yield from affected(declared, changed)

    @contextmanager
    def _reporting(self, declaration: Declaration) -> Iterator[None]:
        """Show how the body failed, and go on; say nothing of it while the host stops."""
        try:
            yield
        except (CommandFailed, BuildFailed) as error:
            if self._stop.is_set():
                return
            CommandFailed(error.message).show()
            if declaration.name in self._live:
                click.echo(f"{declaration.name} goes on as it was", err=True)

    def _show(self, function: InfoDocument, http_url: str) -> None:
        name, snapshot = function["name"], function["snapshot"]
        facts = [function["kind"], size(function["sizeBytes"])]
        if snapshot["imageBytes"]:
            facts.append(f"snapshot {size(snapshot['imageBytes'])}")
        click.echo(f"{change_text(function)} {click.style(name, bold=True)}: {', '.join(facts)}")
        for warning in snapshot["warnings"]:
            print_warning(f"{name}: {warning}")
        if name not in self._live:
            click.echo(f"  curl {http_url}/{name}")
        self._live.add(name)


def affected(declared: Iterable[Declaration], changed: set[Path]) -> Sequence[Declaration]:
    """The functions that `changed` files are part of.

    Any file beside the manifest or the source is part of a function that is built, save what
    builds write; of one that is not, only its module and its manifest are.
    """
    declared = tuple(declared)
    sources = {path for path in changed if path.suffix != MODULE_SUFFIX}
    return [d for d in declared if _is_affected(d, changed, sources)]


def _is_affected(declaration: Declaration, changed: set[Path], sources: set[Path]) -> bool:
    manifest = real_path(declaration.declared_in)
    if declaration.source is None and not declaration.build:
        assert declaration.module is not None
        return not changed.isdisjoint({real_path(declaration.module), manifest})
    roots = [declaration.directory.resolve()]
    if declaration.source is not None:
        source = declaration.source.resolve()
        roots.append(source if source.is_dir() else source.parent)
    return any(_is_source(path, root) for path in sources for root in roots)


def _is_source(path: Path, root: Path) -> bool:
    """Whether a changed file lies under `root`, and not in a directory that tools fill there."""
    if not path.is_relative_to(root):
        return False
    depth = len(path.relative_to(root).parts) - 1
    return not any(is_made(parent) for parent in list(path.parents)[:depth])
