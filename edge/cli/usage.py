"""`edge usage`: what functions used, and what it costs."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import click

from edge.cli.client import ControlPlane
from edge.cli.documents import UsageTotalDocument
from edge.cli.options import json_option
from edge.cli.output import print_json, print_table

_DAY = "%Y-%m-%d"
_day_type = click.DateTime([_DAY])


@click.command()
@click.argument("name", required=False)
@click.option("--by", type=click.Choice(["function", "day"]), default="function", show_default=True)
@click.option("--since", type=_day_type, metavar="YYYY-MM-DD", help="The first day that counts.")
@click.option("--until", type=_day_type, metavar="YYYY-MM-DD", help="The last day that counts.")
@json_option
def usage(
    name: str | None, by: str, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Show what functions used, and its cost."""
    query = {"by": by}
    if name is not None:
        query["function"] = name
    if since is not None:
        query["since"] = since.strftime(_DAY)
    if until is not None:
        query["until"] = until.strftime(_DAY)
    with ControlPlane() as control:
        document = control.usage(query)
    if as_json:
        print_json(document)
        return
    totals = document["totals"]
    if not totals:
        click.echo("nothing was used yet")
        return
    header = (by.upper(), "REQUESTS", "ERRORS", "REJECTED", "BILLED MS", "GB-SECONDS", "FUEL")
    rows = [_row(total.get(by, ""), [total]) for total in totals]
    if len(totals) > 1:
        rows.append(_row("total", totals))
    print_table((*header, f"COST {document['currency']}"), rows, right=range(1, 8))


def _row(label: object, totals: Sequence[UsageTotalDocument]) -> tuple[str, ...]:
    """One line of the table: the sums of `totals`."""
    return (
        str(label),
        f"{sum(total['requests'] for total in totals):,}",
        f"{sum(total['errors'] for total in totals):,}",
        f"{sum(total['rejected'] for total in totals):,}",
        f"{sum(total['billedMs'] for total in totals):,}",
        f"{sum(Decimal(str(total['gbSeconds'])) for total in totals):,.4f}",
        f"{sum(total['fuel'] for total in totals):,}",
        f"{sum(Decimal(str(total['cost'])) for total in totals):,.8f}",
    )
