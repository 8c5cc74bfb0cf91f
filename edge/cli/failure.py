"""How a verb ends when it could not do its work.

Neighbours: every verb raises it; `program.py` turns platform failures into it.
Invariant: exit code 1, and one line on stderr that says what to do.
"""

from typing import IO, Any

import click


class CommandFailed(click.ClickException):
    """The verb was used rightly and failed all the same (wrong usage is click's own, code 2)."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line, its first word red on a terminal."""
        line = f"{click.style('Error:', fg='red')} {self.format_message()}"
        click.echo(line, file=file, err=True, color=self.show_color)
