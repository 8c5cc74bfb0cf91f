"""What the options of the verbs take: durations, assignments, days.

Neighbours: every verb with such an option. Invariant: a wrong value is wrong usage, exit 2.
"""

import click

from edge.cli.duration import parse_duration


class Duration(click.ParamType[int]):
    """`500ms`, `3s`, `2m`, `1h`, as whole milliseconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Milliseconds; raises BadParameter."""
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Assignment(click.ParamType[tuple[str, str]]):
    """`KEY=VALUE`, as a pair."""

    name = "KEY=VALUE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The pair; raises BadParameter."""
        key, separator, text = str(value).partition("=")
        if not key or not separator:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, text


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
