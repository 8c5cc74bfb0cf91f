"""Makes the module of a declared function: reads it, or builds it from its source.

Neighbours: `deploy`, `build` and `up` call it; `edge/build` does the work.
Invariant: a build that fails is a BuildFailed with the compiler's text; nothing is deployed then.
"""

import threading
import time
from pathlib import Path

import click

from edge.build.builder import build
from edge.build.cache import Cache
from edge.build.command import Command
from edge.build.language import Language
from edge.build.languages import ENGINES, language_of_directory, language_of_file
from edge.build.project import Project, Recipe
from edge.cli.failure import CommandFailed
from edge.cli.manifest import Declaration
from edge.cli.output import progress


def compile_function(declaration: Declaration, stop: threading.Event | None = None) -> bytes:
    """The bytes of the function's module or component. `stop` ends the build early.

    Raises BuildFailed, MissingToolchain among them, and CommandFailed.
    """
    if declaration.source is None and not declaration.build:
        return _read_module(declaration)
    language, project = _project(declaration, stop or threading.Event())
    started = time.monotonic()
    with progress(f"building {declaration.name}"):
        built = build(language, project, Cache())
    if built.is_new:
        click.echo(f"built {declaration.name} in {time.monotonic() - started:.1f} s", err=True)
    return built.module


def _project(declaration: Declaration, stop: threading.Event) -> tuple[Language, Project]:
    """The language of a declaration, and what to build with it."""
    directory = declaration.directory.resolve()
    if declaration.source is None:
        assert declaration.module is not None
        recipe = Recipe(declaration.build, declaration.module.absolute())
        return Command(), _make(declaration, directory, directory, stop, recipe)
    source = declaration.source.resolve()
    if source.is_dir():
        found = language_of_directory(source)
        if found is not None:
            language = ENGINES.get(declaration.engine, found[0])
            return language, _make(declaration, found[1], source, stop)
    elif (known := language_of_file(source)) is not None:
        language = ENGINES.get(declaration.engine, known)
        return language, _make(declaration, source, source.parent, stop)
    raise CommandFailed(f"{declaration.name}: {source} is no source that edge builds any more")


def _make(
    declaration: Declaration,
    source: Path,
    directory: Path,
    stop: threading.Event,
    recipe: Recipe | None = None,
) -> Project:
    settings = declaration.settings
    return Project(
        name=declaration.name,
        source=source,
        directory=directory,
        recipe=recipe,
        primes=settings.primes,
        environment=settings.environment,
        stop=stop,
    )


def _read_module(declaration: Declaration) -> bytes:
    assert declaration.module is not None
    try:
        return declaration.module.read_bytes()
    except OSError as error:
        raise CommandFailed(
            f"{declaration.name}: cannot read {declaration.module}: {error.strerror};"
            " build it first"
        ) from None
