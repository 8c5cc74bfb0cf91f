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
        if not ready.control_is_local and settings.tls.control is None:
            click.echo(
                "it is reached without TLS, and tokens can be read on their way to it:"
                " give --tls-cert and --tls-key",
                err=True,
            )
        with open_keyring(settings.data) as keyring:
            if keyring.is_closed:
                return
        if ready.control_is_local:
            told = "it is open to everybody on this machine: 'edge key create' closes it"
        else:
            told = "it is closed, for it has no keys yet: 'edge key create' makes the first"
        click.echo(told, err=True)

    run(settings, on_ready=announce)
