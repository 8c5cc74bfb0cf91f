"""`edge new`: a directory with a function that works, to start from.

Neighbours: the templates are those of the SDKs, `sdk/LANGUAGE/template`.
Invariant: nothing that is there already is touched.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from edge.build.languages import LANGUAGES
from edge.build.sdk import template_directory
from edge.cli.failure import CommandFailed
from edge.model.ids import is_name

_NAME = "{{name}}"
"""In the name or the text of a template's file, the function's name stands in its place."""


def _offered() -> list[str]:
    return [language.name for language in LANGUAGES if template_directory(language.name).is_dir()]


@click.command()
@click.argument("language", type=click.Choice(_offered()), metavar="LANG")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
def new(language: str, directory: Path) -> None:
    """Start a function in LANG: write a template to DIR, whose name the function gets."""
    name = directory.resolve().name
    if not is_name(name):
        raise CommandFailed(
            f"{name!r} cannot name a function: name the directory with 1 to 64 letters, digits,"
            " '-' or '_'"
        )
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise CommandFailed(f"{directory} is there already: name a new or an empty directory")
    try:
        for place, content in _files(template_directory(language), name):
            path = directory / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            click.echo(f"  {click.style(str(path), dim=True)}")
    except OSError as error:
        raise CommandFailed(f"cannot write {directory}: {error.strerror}") from None
    click.echo(f"{click.style(name, bold=True)} is ready: edge up {directory}")


def _files(template: Path, name: str) -> Iterator[tuple[Path, bytes]]:
    """Each file of the template: its place, and what it holds for a function of this name."""
    for path in sorted(template.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            place = Path(str(path.relative_to(template)).replace(_NAME, name))
            yield place, path.read_bytes().replace(_NAME.encode(), name.encode())
