"""`edge list`: what is deployed."""

import click

from edge.cli.client import ControlPlane
from edge.cli.documents import InfoDocument
from edge.cli.info import route_text
from edge.cli.options import json_option
from edge.cli.output import milliseconds, moment, print_json, print_table, size

_HEADER = ("NAME", "KIND", "SIZE", "MEMORY", "TIMEOUT", "SNAPSHOT", "MODIFIED", "ROUTES")
ROUTES_SHOWN = 2
"""Of one function; `edge info` has all."""


@click.command("list")
@json_option
def list_functions(as_json: bool) -> None:
    """List the deployed functions."""
    with ControlPlane() as control:
        functions = list(control.functions())
    if as_json:
        print_json({"functions": functions})
    elif not functions:
        click.echo("no function is deployed: deploy one with 'edge deploy PATH'")
    else:
        rows = [
            (
                function["name"],
                function["kind"],
                size(function["sizeBytes"]),
                f"{function['memoryMb']} MB",
                milliseconds(function["timeoutMs"]),
                function["snapshot"]["state"],
                moment(function["modifiedMs"]),
                _routes_text(function),
            )
            for function in functions
        ]
        print_table(_HEADER, rows, right=(2, 3, 4))


def _routes_text(function: InfoDocument) -> str:
    routes = [route_text(route) for route in function["routes"]]
    more = len(routes) - ROUTES_SHOWN
    return ", ".join(routes[:ROUTES_SHOWN]) + (f", {more} more" if more > 0 else "")
