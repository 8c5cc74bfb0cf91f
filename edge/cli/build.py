"""`edge build`: make the modules that a path declares, without deploying them."""

from pathlib import Path

import click

from edge.cli.compile import compile_function
from edge.cli.failure import CommandFailed
from edge.cli.manifest import Declaration
from edge.cli.options import json_option
from edge.cli.output import print_json, size
from edge.cli.project import MODULE_SUFFIX, find_functions


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--name", help="Name a source's function, or choose one of a manifest's.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write the modules; beside their sources otherwise.",
)
@json_option
def build(path: Path, name: str | None, output: Path | None, as_json: bool) -> None:
    """Build the functions of PATH.

    PATH is a source file, an edge.toml, or a directory with one or with a project.
    """
    built = []
    for declaration in find_functions(path, name):
        module = compile_function(declaration)
        place = _place(declaration, output)
        _write(place, module)
        built.append({"name": declaration.name, "module": str(place), "sizeBytes": len(module)})
        if not as_json:
            click.echo(f"{click.style(declaration.name, bold=True)}: {place}, {size(len(module))}")
    if as_json:
        print_json({"modules": built})


def _place(declaration: Declaration, output: Path | None) -> Path:
    if output is None and declaration.module is not None:
        return declaration.module
    return (output or declaration.directory) / f"{declaration.name}{MODULE_SUFFIX}"


def _write(place: Path, module: bytes) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(module)
    except OSError as error:
        raise CommandFailed(f"cannot write {place}: {error.strerror}") from None
