"""`edge key`: make, list, rotate and revoke access keys.

Neighbours: `edge/keyring.py` opens the data directory; a running host sees a change at once.
Invariant: a secret is printed by the verb that made it, and by no other.
"""

import json
from pathlib import Path

import click

from edge.access.keyring import FULL_ACCESS, NewKey
from edge.access.principals import user_arn
from edge.cli.audit import audited
from edge.cli.options import json_option, rate_options
from edge.cli.shared import rate_document, rate_text
from edge.config import default_data
from edge.keyring import open_keyring
from edge.model.rate import Rate

data_option = click.option(
    "--data", type=click.Path(path_type=Path), default=default_data, metavar="DIR",
    help="The data directory of the host (also EDGE_DATA).",
)  # fmt: skip


@click.group()
def key() -> None:
    """Say who may do what: access keys and their policies.

    Works on the data directory of this machine, whether its host runs or not. The first key closes
    the control plane for everybody without one.
    """


@key.command()
@click.option("--name", default="admin", show_default=True, help="Whose key it is.")
@click.option(
    "--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A policy in IAM's JSON grammar; without one the key may do everything.",
)  # fmt: skip
@rate_options
@data_option
@json_option
def create(name: str, policy: Path | None, rate: Rate | None, data: Path, as_json: bool) -> None:
    """Make a key. Its secret and its token are shown now and never again."""
    text = policy.read_text() if policy else FULL_ACCESS
    with open_keyring(data) as keyring, audited(data, "edge:CreateKey", user_arn(name)):
        made = keyring.create(name, text, rate)
    _show(made, as_json)


@key.command("list")
@data_option
@json_option
def list_keys(data: Path, as_json: bool) -> None:
    """Print every key, without its secrets."""
    with open_keyring(data) as keyring:
        records = keyring.list()
    if as_json:
        keys = [
            {
                "accessKeyId": record.access_key_id,
                "name": record.name,
                "createdMs": record.created_ms,
                "policy": json.loads(record.policy),
                "rate": rate_document(record.rate),
            }
            for record in records
        ]
        click.echo(json.dumps({"keys": keys}))
        return
    for record in records:
        rate = f"  {rate_text(record.rate)}" if record.rate else ""
        click.echo(f"{record.access_key_id}  {record.name}{rate}")


@key.command()
@click.argument("reference", metavar="KEY")
@data_option
@json_option
def rotate(reference: str, data: Path, as_json: bool) -> None:
    """Give a key, named by its id or name, new secrets; the old ones end at once."""
    with open_keyring(data) as keyring:
        found = keyring.named(reference)
        with audited(data, "edge:RotateKey", user_arn(found.name)):
            made = keyring.rotate(found.access_key_id)
    _show(made, as_json)


@key.command()
@click.argument("reference", metavar="KEY")
@data_option
def revoke(reference: str, data: Path) -> None:
    """End a key, named by its id or name."""
    with open_keyring(data) as keyring:
        found = keyring.named(reference)
        with audited(data, "edge:RevokeKey", user_arn(found.name)):
            keyring.revoke(found.access_key_id)
    click.echo(f"revoked {found.access_key_id}")


def _show(made: NewKey, as_json: bool) -> None:
    document = {
        "accessKeyId": made.access_key_id,
        "secretAccessKey": made.secret,
        "token": made.token,
    }
    if as_json:
        click.echo(json.dumps(document))
        return
    for name, value in document.items():
        click.echo(f"{name:<16} {value}")
    click.echo("Keep them: they are not shown again. Export the token as EDGE_TOKEN.", err=True)
