"""What the options of the verbs take: durations, assignments, days.

Neighbours: every verb with such an option. Invariant: a wrong value is wrong usage, exit 2.
"""

from collections.abc import Callable
from functools import wraps

import click

from edge.cli.duration import parse_duration
from edge.model.rate import rate_of


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


def rate_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options of a rate, and call it with `rate` made of them, or None."""

    @click.option("--rate", type=float, metavar="N", help="Most requests a second.")
    @click.option("--burst", type=int, metavar="N", help="Most of them at once; default: --rate.")
    @wraps(command)
    def with_rate(*, rate: float | None, burst: int | None, **rest: object) -> None:
        if rate is None and burst is not None:
            raise click.UsageError("--burst needs --rate")
        command(rate=None if rate is None else rate_of(rate, burst), **rest)

    return with_rate


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
