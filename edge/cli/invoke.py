"""`edge invoke`: run a function once and print what it returned."""

import json
import sys
from base64 import b64decode
from pathlib import Path

import click

from edge.cli.client import ControlPlane
from edge.cli.failure import CommandFailed
from edge.cli.output import printable, progress


class EventText(click.ParamType[bytes]):
    """JSON as it stands, `@FILE` that holds it, or `-` for stdin."""

    name = "JSON|@FILE|-"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """The event as JSON in UTF-8; raises BadParameter."""
        text = str(value)
        try:
            event = _read(text)
            json.loads(event)
        except OSError as error:
            self.fail(f"{text[1:]}: {error.strerror}", param, ctx)
        except (ValueError, RecursionError) as error:
            self.fail(f"the event is not JSON: {error}", param, ctx)
        return event


def _read(text: str) -> bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    return Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()


@click.command()
@click.argument("name")
@click.option("--event", type=EventText(), default="{}", metavar="JSON|@FILE|-", help="The event.")
@click.option("--qualifier", metavar="Q", help="A version or an alias.")
@click.option("--log", is_flag=True, help="Print the end of its log on stderr.")
@click.option(
    "--async", "asynchronous", is_flag=True, help="Let it run later; print its request id."
)
def invoke(name: str, event: bytes, qualifier: str | None, log: bool, asynchronous: bool) -> None:
    """Run the function NAME once."""
    if asynchronous:
        with ControlPlane() as control:
            click.echo(control.invoke_later(name, event, qualifier))
        return
    with ControlPlane() as control, progress(f"waiting for {name}"):
        invocation = control.invoke(name, event, qualifier)
    if log and invocation.log_tail:
        tail = b64decode(invocation.log_tail).decode(errors="replace")
        for line in tail.splitlines():
            click.echo(printable(line), err=True)
    if invocation.function_error is not None:
        raise CommandFailed(_function_error(invocation.payload))
    click.echo(invocation.payload)


def _function_error(payload: bytes) -> str:
    """Lambda's error object as one line."""
    try:
        document = json.loads(payload)
        text = f"{document['errorType']}: {document['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        text = payload.decode(errors="replace")
    return printable(text)
