"""`edge serve`: run a host in the foreground until it is told to stop.

Neighbours: `edge/serve.py` does the work; `host.py` has the options.
"""

import json

import click

from edge import __version__
from edge.cli.host import host_options
from edge.cli.options import json_option
from edge.config import Settings
from edge.keyring import open_keyring
from edge.serve import Ready, run


@click.command()
@host_options
@json_option
def serve(settings: Settings, as_json: bool) -> None:
    """Run a host until Ctrl-C or SIGTERM."""

    def announce(ready: Ready) -> None:
        if as_json:
            click.echo(json.dumps({"http": ready.http_url, "control": ready.control_url}))
            return
        click.echo(f"edge {__version__} serves functions at {ready.http_url}")
        click.echo(f"control plane at {ready.control_url}; Ctrl-C stops")
        with open_keyring(settings.data) as keyring:
            if not keyring.is_closed:
                click.echo(
                    "it is open to everybody on this machine: 'edge key create' closes it", err=True
                )

    run(settings, on_ready=announce)
