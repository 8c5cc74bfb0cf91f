"""The options of a host, shared by the verbs that start one.

Neighbours: `serve` and `up`; `edge/config.py` knows every setting and its bounds.
"""

from collections.abc import Callable
from functools import wraps

import click

from edge.cli.options import Assignment
from edge.config import DOORS, load


def host_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options of a host, and call it with `settings` made of them."""

    @click.option("--data", metavar="DIR", help="Where everything is kept (also EDGE_DATA).")
    @click.option("--http", metavar="HOST:PORT", help="Where functions answer.")
    @click.option("--control", metavar="HOST:PORT", help="Where the host is controlled.")
    @click.option("--workers", type=int, metavar="N", help="How many processes serve.")
    @click.option(
        "--door", type=click.Choice(DOORS), help="What parses HTTP/1.1: edge's own, or Hypercorn."
    )
    @click.option("--tls-cert", metavar="FILE", help="Serve with this certificate: https.")
    @click.option("--tls-key", metavar="FILE", help="The certificate's private key.")
    @click.option(
        "--set",
        "assignments",
        type=Assignment(),
        multiple=True,
        metavar="KEY=VALUE",
        help="Any other setting of the host.",
    )
    @wraps(command)
    def with_settings(
        *,
        data: str | None,
        http: str | None,
        control: str | None,
        workers: int | None,
        door: str | None,
        tls_cert: str | None,
        tls_key: str | None,
        assignments: tuple[tuple[str, str], ...],
        **rest: object,
    ) -> None:
        named: dict[str, object] = {"data": data, "http": http, "control": control}
        named |= {"workers": workers, "door": door, "tls_cert": tls_cert, "tls_key": tls_key}
        given = {key: value for key, value in named.items() if value is not None}
        command(settings=load({**dict(assignments), **given}), **rest)

    return with_settings
