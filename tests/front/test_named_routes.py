"""Named routes on the data plane, behind either door: the event, 405, hosts, CORS, conflicts."""

from collections.abc import Iterator
from typing import Any

import cbor2
import httpx
import pytest

from tests.front.lambda_calls import create
from tests.running import Server


@pytest.fixture(scope="module")
def routed(host: Server) -> Server:
    """The host, with routes of `echo` and an alias of it."""
    client = httpx.Client(base_url=host.control_url, trust_env=False)
    with client:
        client.post("/2015-03-31/functions/echo/versions", json={}).raise_for_status()
        alias = {"Name": "live", "FunctionVersion": "1"}
        client.post("/2015-03-31/functions/echo/aliases", json=alias).raise_for_status()
    put_routes(
        host,
        "echo",
        {"path": "/items/{id}", "methods": ["GET", "PUT"]},
        {"path": "/proxy/{path+}"},
        {"path": "/shop/{name}", "host": "shop.example", "qualifier": "live"},
    ).raise_for_status()
    return host


def put_routes(host: Server, name: str, *routes: dict[str, object]) -> httpx.Response:
    """Give a function routes and nothing else, through `/v1`."""
    found = host.control.get(f"/v1/functions/{name}").json()
    return host.control.put(
        f"/v1/functions/{name}",
        content=cbor2.dumps({"digest": found["digest"], "settings": {"routes": routes}}),
        headers={"content-type": "application/cbor"},
    )


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def public(routed: Server, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of the data plane, through our door or Hypercorn's HTTP/2."""
    http2 = request.param == "HTTP/2"
    with httpx.Client(
        base_url=routed.http_url, http1=not http2, http2=http2, trust_env=False
    ) as client:
        yield client


def test_the_event_says_which_route(public: httpx.Client) -> None:
    """`routeKey`, `pathParameters` decoded, `rawPath` whole and as it came."""
    event = public.get("/items/a%20b?x=1").json()
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "GET /items/{id}"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/items/a%20b"
    assert event["rawQueryString"] == "x=1"
    event = public.post("/proxy/deep/er", content=b"{}").json()
    assert event["routeKey"] == "ANY /proxy/{path+}"
    assert event["pathParameters"] == {"path": "deep/er"}
    assert public.head("/items/7").status_code == 200


def test_names_answer_beside_routes(public: httpx.Client) -> None:
    """A function's own path is what it was, and its event has no parameters."""
    event = public.get("/echo/items/7").json()
    assert (event["routeKey"], event["rawPath"]) == ("$default", "/items/7")
    assert "pathParameters" not in event
    assert public.get("/items").status_code == 404


def test_another_method_is_405(public: httpx.Client) -> None:
    """With Allow, and the body of any error."""
    for method in ("DELETE", "OPTIONS"):
        answer = public.request(method, "/items/7")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD, PUT"
        assert answer.json()["error"]["code"] == "method_not_allowed"
        assert answer.json()["error"]["requestId"] == answer.headers["x-edge-request-id"]


def test_a_route_of_a_host_leads_to_its_alias(public: httpx.Client) -> None:
    """At that host only, whatever its letters and port."""
    answer = public.get("/shop/tea", headers={"host": "Shop.example:8080"})
    assert answer.headers["x-edge-version"] == "1"
    assert answer.json()["pathParameters"] == {"name": "tea"}
    assert public.get("/shop/tea").status_code == 404


def test_a_preflight_is_for_the_request_it_asks_about(
    routed: Server, public: httpx.Client, client: Any
) -> None:
    """CORS of the function's URL answers it; without that the function itself may."""
    asks = {"origin": "https://a.example", "access-control-request-method": "PUT"}
    assert public.options("/items/7", headers=asks).json()["routeKey"] == "PUT /items/{id}"
    cors = {"AllowOrigins": ["*"], "AllowMethods": ["PUT"]}
    client.create_function_url_config(FunctionName="echo", AuthType="NONE", Cors=cors)
    try:
        answer = public.options("/items/7", headers=asks)
        assert answer.headers["access-control-allow-methods"] == "PUT"
        assert answer.content == b""
        asks["access-control-request-method"] = "DELETE"
        assert public.options("/items/7", headers=asks).status_code == 405
    finally:
        client.delete_function_url_config(FunctionName="echo")


def test_a_route_that_is_taken_is_409_and_changes_nothing(routed: Server, cat: bytes) -> None:
    """Neither a deploy with new code nor a change of routes alone takes it."""
    taken = {"path": "/items/{other}", "methods": ["PUT"]}
    for answer in (
        put_routes(routed, "cat", taken),
        routed.control.put(
            "/v1/functions/new",
            content=cbor2.dumps({"module": cat, "settings": {"routes": [taken]}}),
            headers={"content-type": "application/cbor"},
        ),
    ):
        assert answer.status_code == 409
        assert "echo has GET,PUT /items/{id}" in answer.json()["error"]["message"]
    assert routed.control.get("/v1/functions/new").status_code == 404
    assert routed.control.get("/v1/functions/cat").json()["routes"] == []


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ("/x", "list of maps"),
        (["/x"], "map of the text"),
        ([{"methods": ["GET"]}], "map of the text"),
        ([{"path": "/x", "verbs": ["GET"]}], "map of the text"),
        ([{"path": 7}], "map of the text"),
        ([{"path": "/x", "methods": "GET"}], "map of the text"),
        ([{"path": "/x", "methods": [7]}], "map of the text"),
        ([{"path": "x"}], "is no path"),
    ],
)
def test_wrong_routes_are_400(routed: Server, routes: object, said: str) -> None:
    """The message says what a route is."""
    answer = routed.control.put(
        "/v1/functions/cat",
        content=cbor2.dumps({"digest": "x", "settings": {"routes": routes}}),
        headers={"content-type": "application/cbor"},
    )
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_updates_by_lambda_s_api_leave_routes(routed: Server, client: Any, cat: bytes) -> None:
    """What Lambda has no word for stays as it is."""
    create(client, "kept", cat)
    put_routes(routed, "kept", {"path": "/kept"}).raise_for_status()
    client.update_function_configuration(FunctionName="kept", Timeout=5)
    info = routed.control.get("/v1/functions/kept").json()
    assert [route["path"] for route in info["routes"]] == ["/kept"]
    client.delete_function(FunctionName="kept")
    assert routed.http.get("/kept").status_code == 404
