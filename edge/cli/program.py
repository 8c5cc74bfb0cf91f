"""The command `edge`: its verbs, its exit codes, and where colour is allowed.

Neighbours: every verb's module. Invariant: exit 0 done, 1 failed, 2 wrong usage.
"""

import os

import click

from edge import __version__
from edge.cli.alias import alias
from edge.cli.audit import audit
from edge.cli.build import build
from edge.cli.dead import dead
from edge.cli.deploy import deploy
from edge.cli.failure import CommandFailed
from edge.cli.info import info
from edge.cli.invoke import invoke
from edge.cli.key import key
from edge.cli.list import list_functions
from edge.cli.logs import logs
from edge.cli.new import new
from edge.cli.rm import rm
from edge.cli.serve import serve
from edge.cli.up import up
from edge.cli.usage import usage
from edge.cli.versions import publish, versions
from edge.model.errors import EdgeError


class Program(click.Group):
    """A group of verbs that ends a platform failure with its message and exit code 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; raises CommandFailed for every EdgeError."""
        try:
            return super().invoke(ctx)
        except EdgeError as error:
            raise CommandFailed(error.message) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order in which one meets them."""
        return list(self.commands)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edge", message="%(prog)s %(version)s")
@click.pass_context
def program(context: click.Context) -> None:
    """Lambda-style functions in WebAssembly, on one small host.

    Start with 'edge new LANG DIR' and 'edge up DIR'.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


_VERBS = (new, up, build, serve, deploy, invoke, list_functions, info, versions, publish, logs)
for verb in (*_VERBS, alias, usage, dead, rm, key, audit):
    program.add_command(verb)


def main() -> None:
    """Entry point of the command `edge`."""
    program(prog_name="edge")
