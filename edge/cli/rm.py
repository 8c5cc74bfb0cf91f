"""`edge rm`: remove functions."""

import click

from edge.cli.client import ControlPlane


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def rm(names: tuple[str, ...]) -> None:
    """Remove functions. What they used stays in the bill."""
    with ControlPlane() as control:
        for name in names:
            control.delete(name)
            click.echo(f"removed {name}")
