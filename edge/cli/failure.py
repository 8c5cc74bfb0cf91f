"""How a verb ends when it could not do its work.

Neighbours: every verb raises it; `program.py` turns platform failures into it.
Invariant: exit code 1, and one line on stderr that says what to do.
"""

import click


class CommandFailed(click.ClickException):
    """The verb was used rightly and failed all the same (wrong usage is click's own, code 2)."""

    exit_code = 1
