"""A small order service as it runs on Lambda, routed by Powertools; nothing in it knows of edge."""

import json

from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.event_handler.exceptions import BadRequestError, NotFoundError

app = LambdaFunctionUrlResolver()
PRICES = {"tea": 250, "cake": 420}


@app.get("/items")
def list_items():
    return {"items": sorted(PRICES)}


@app.get("/items/<name>")
def get_item(name: str):
    if name not in PRICES:
        raise NotFoundError(f"no item is called {name}")
    return {"name": name, "price": PRICES[name]}


@app.post("/orders")
def take_order():
    order = app.current_event.json_body
    try:
        total = sum(PRICES[name] * count for name, count in order.items())
    except KeyError as missing:
        raise BadRequestError(f"no item is called {missing.args[0]}") from None
    currency = (app.current_event.query_string_parameters or {}).get("in", "EUR")
    return Response(
        status_code=201,
        content_type="application/json",
        body=json.dumps({"total": total, "currency": currency}),
        headers={"x-order": str(len(order))},
    )


def lambda_handler(event, context):
    return app.resolve(event, context)
