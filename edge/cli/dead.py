"""`edge dead`: async events that were given up."""

import click

from edge.cli.client import ControlPlane
from edge.cli.options import json_option
from edge.cli.output import moment, print_json, print_table

_HEADER = ("REQUEST ID", "FUNCTION", "CONDITION", "DIED", "REASON")
_ids = click.argument("request_ids", metavar="REQUEST_ID...", nargs=-1, required=True)


@click.group()
def dead() -> None:
    """Async events that were given up: list, show, redrive, rm."""


@dead.command("list")
@click.option("--function", metavar="NAME", help="Only those of this function.")
@json_option
def list_dead(function: str | None, as_json: bool) -> None:
    """List dead letters."""
    with ControlPlane() as control:
        letters = list(control.dead(function))
    if as_json:
        print_json({"dead": letters})
    elif not letters:
        click.echo("there are no dead letters")
    else:
        rows = [
            (
                letter["requestId"],
                letter["function"],
                letter["condition"],
                moment(letter["diedMs"]),
                letter["reason"],
            )
            for letter in letters
        ]
        print_table(_HEADER, rows)


@dead.command("show")
@click.argument("request_id")
def show_dead(request_id: str) -> None:
    """Print one as JSON, with Lambda's destination record."""
    with ControlPlane() as control:
        print_json(control.dead_letter(request_id))


@dead.command("redrive")
@_ids
def redrive_dead(request_ids: tuple[str, ...]) -> None:
    """Run dead letters again, as if they were accepted now."""
    with ControlPlane() as control:
        for request_id in request_ids:
            control.redrive(request_id)
            click.echo(f"redriven {request_id}")


@dead.command("rm")
@_ids
def remove_dead(request_ids: tuple[str, ...]) -> None:
    """Remove dead letters."""
    with ControlPlane() as control:
        for request_id in request_ids:
            control.remove_dead(request_id)
            click.echo(f"removed {request_id}")
