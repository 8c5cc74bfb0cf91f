"""`edge versions` and `edge publish`: the numbered versions of a function."""

import click

from edge.cli.client import ControlPlane
from edge.cli.options import json_option
from edge.cli.output import print_json, print_table, size

_HEADER = ("VERSION", "SIZE", "MODIFIED", "DESCRIPTION")


@click.command()
@click.argument("name")
@json_option
def versions(name: str, as_json: bool) -> None:
    """List the versions of the function NAME."""
    with ControlPlane() as control:
        found = list(control.versions(name))
    if as_json:
        print_json({"versions": found})
        return
    rows = [
        (each["Version"], size(each["CodeSize"]), each["LastModified"], each["Description"])
        for each in found
    ]
    print_table(_HEADER, rows, right=(1,))


@click.command()
@click.argument("name")
@click.option("--description", help="What this version is.")
@json_option
def publish(name: str, description: str | None, as_json: bool) -> None:
    """Keep the function NAME as it is now under the next number.

    What is published never changes; call it as NAME:NUMBER.
    """
    with ControlPlane() as control:
        version = control.publish(name, description)
    if as_json:
        print_json(version)
    else:
        click.echo(f"published {name}:{version['Version']}")
