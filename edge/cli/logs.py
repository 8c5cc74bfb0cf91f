"""`edge logs`: what a function logged, and what it logs from now on."""

import json
import time

import click

from edge.cli.client import LOG_WAIT_SECONDS, ControlPlane
from edge.cli.documents import LogLineDocument
from edge.cli.options import Duration
from edge.cli.output import moment, printable

_LEVELS = ("trace", "debug", "info", "warn", "error")
_COLOURS = (None, None, None, "yellow", "red")
_REQUEST_ID_SHOWN = 8


@click.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--since", type=Duration(), metavar="DURATION", help="Only the last 10m, 2h, …")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def logs(name: str, follow: bool, since: int | None, as_json: bool) -> None:
    """Print what the function NAME logged."""
    oldest_ms = 0 if since is None else time.time_ns() // 1_000_000 - since
    show = _as_json if as_json else _as_text
    try:
        with ControlPlane() as control:
            cursor = ""
            while True:
                page = control.logs(name, cursor, LOG_WAIT_SECONDS if follow else 0)
                texts = [show(line) for line in page["lines"] if line["timeMs"] >= oldest_ms]
                if texts:
                    click.echo("\n".join(texts))
                if not page["lines"] and not follow:
                    return
                cursor = page["next"]
    except KeyboardInterrupt:
        if not follow:
            raise


def _as_json(line: LogLineDocument) -> str:
    return json.dumps(line, ensure_ascii=False)


def _as_text(line: LogLineDocument) -> str:
    level = min(max(line["level"], 0), len(_LEVELS) - 1)
    origin = f"{moment(line['timeMs'])}  {line['requestId'][:_REQUEST_ID_SHOWN]}"
    mark = click.style(f"{_LEVELS[level]:<5}", fg=_COLOURS[level])
    return f"{click.style(origin, dim=True)}  {mark}  {printable(line['message'])}"
