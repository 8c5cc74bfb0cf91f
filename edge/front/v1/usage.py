"""What was used and what it costs.

Neighbours: `meter/ledger.py` adds up; reading rolls up first, so that an answer is never behind.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from edge.front.endpoints import json_response
from edge.front.services import Services
from edge.front.v1.query import day, function_name
from edge.meter.bill import CURRENCY, Tariff
from edge.meter.ledger import UsageTotal
from edge.model.errors import InvalidRequest

GROUPINGS = ("function", "day")


class Usages:
    """The endpoint at `/v1/usage`."""

    def __init__(self, services: Services) -> None:
        """Read from `services.ledger`."""
        self._services = services

    async def read(self, request: Request) -> Response:
        """GET ?function=&by=function|day&since=YYYY-MM-DD&until=YYYY-MM-DD, both inclusive."""
        by = request.query_params.get("by", GROUPINGS[0])
        if by not in GROUPINGS:
            raise InvalidRequest(f"by must be {' or '.join(GROUPINGS)}")
        ledger = self._services.ledger
        await asyncio.to_thread(ledger.rollup)
        totals = await asyncio.to_thread(
            ledger.totals,
            function_name(request, "function"),
            day(request, "since"),
            day(request, "until"),
            by,
        )
        document = {
            "totals": [_total(total) for total in totals],
            "currency": CURRENCY,
            "tariff": _tariff(self._services.tariff),
        }
        return json_response(200, document)


def _total(total: UsageTotal) -> dict[str, object]:
    key = {"function": total.function} if total.day is None else {"day": total.day.isoformat()}
    return {
        **key,
        "requests": total.requests,
        "errors": total.errors,
        "rejected": total.rejected,
        "billedMs": total.billed_ms,
        "gbSeconds": float(total.gb_seconds),
        "cost": float(total.cost),
        "fuel": total.fuel,
    }


def _tariff(tariff: Tariff) -> dict[str, object]:
    return {
        "fuelPerMs": tariff.fuel_per_ms,
        "priceRequest": float(tariff.price_request),
        "priceGbSecond": float(tariff.price_gb_second),
    }
