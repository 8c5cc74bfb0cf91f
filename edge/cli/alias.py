"""`edge alias`: names for versions of a function, and how much of its traffic each version gets."""

import click

from edge.cli.client import ControlPlane
from edge.cli.documents import AliasDocument
from edge.cli.options import Assignment, json_option
from edge.cli.output import print_json, print_table

_HEADER = ("ALIAS", "VERSION", "ALSO", "DESCRIPTION")


@click.group()
def alias() -> None:
    """Name the versions of a function."""


@alias.command("set")
@click.argument("name")
@click.argument("alias_name", metavar="ALIAS")
@click.argument("version")
@click.option(
    "--also",
    type=Assignment(),
    metavar="VERSION=WEIGHT",
    help="A second version and its share of the events, such as 2=0.1.",
)
@click.option("--description", help="What this alias is for.")
@json_option
def set_alias(
    name: str,
    alias_name: str,
    version: str,
    also: tuple[str, str] | None,
    description: str | None,
    as_json: bool,
) -> None:
    """Let ALIAS of the function NAME stand for VERSION.

    Call it as NAME:ALIAS. Without --also every event goes to VERSION.
    """
    weights = {} if also is None else {also[0]: _weight(also[1])}
    document: dict[str, object] = {
        "FunctionVersion": version,
        "RoutingConfig": {"AdditionalVersionWeights": weights},
    }
    if description is not None:
        document["Description"] = description
    with ControlPlane() as control:
        made = control.set_alias(name, alias_name, document)
    if as_json:
        print_json(made)
    else:
        second = f" and {_also(made)}" if _also(made) else ""
        click.echo(f"{name}:{alias_name} is version {made['FunctionVersion']}{second}")


@alias.command("list")
@click.argument("name")
@json_option
def list_aliases(name: str, as_json: bool) -> None:
    """List the aliases of the function NAME."""
    with ControlPlane() as control:
        found = list(control.aliases(name))
    if as_json:
        print_json({"aliases": found})
        return
    rows = [
        (each["Name"], each["FunctionVersion"], _also(each), each["Description"]) for each in found
    ]
    print_table(_HEADER, rows)


@alias.command("rm")
@click.argument("name")
@click.argument("alias_name", metavar="ALIAS")
def remove_alias(name: str, alias_name: str) -> None:
    """Remove ALIAS of the function NAME. Its versions stay."""
    with ControlPlane() as control:
        control.delete_alias(name, alias_name)
    click.echo(f"removed {name}:{alias_name}")


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a weight from 0 to 1", param_hint="--also"
        ) from None


def _also(document: AliasDocument) -> str:
    """The second version with its share, such as `2 (0.1)`; empty without one."""
    routing = document.get("RoutingConfig")
    weights = routing.get("AdditionalVersionWeights", {}) if routing else {}
    return ", ".join(f"{version} ({weight:.4g})" for version, weight in weights.items())
