"""`/v1`, `/healthz`, and who is let in to the control plane, on a real host."""

import base64
import json
import threading
import time
from typing import Any

import cbor2
import httpx
import pytest

from edge import __version__
from tests.front.wire import exchange
from tests.running import Server

CBOR = {"content-type": "application/cbor"}
INFO_KEYS = {
    "name",
    "version",
    "revisionId",
    "modifiedMs",
    "digest",
    "sizeBytes",
    "kind",
    "memoryMb",
    "timeoutMs",
    "concurrency",
    "rate",
    "auth",
    "environment",
    "grants",
    "snapshot",
    "prime",
    "description",
    "routes",
}


def put(host: Server, name: str, document: dict[str, Any]) -> httpx.Response:
    """A deploy with this document as its body."""
    return host.control.put(f"/v1/functions/{name}", content=cbor2.dumps(document), headers=CBOR)


def error_of(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of an error in `/v1`'s one shape."""
    error = response.json()["error"]
    assert set(error) == {"code", "message", "requestId"}
    assert error["requestId"] == response.headers["x-edge-request-id"]
    return response.status_code, error["code"], error["message"]


# Functions


def test_a_deploy_tells_created_updated_and_unchanged(host: Server, echo: bytes) -> None:
    """201, then 200 with `changed` false, then 200 with it true; the documents are whole."""
    settings = {
        "memoryMb": 64,
        "timeoutMs": 1_500,
        "concurrency": 3,
        "rate": {"perSecond": 2.5, "burst": 7},
        "auth": "token",
        "environment": {"B": "2", "A": "1"},
        "grants": ["kv"],
        "description": "words",
    }
    created = put(host, "told", {"module": echo, "settings": settings})
    assert (created.status_code, created.json()["changed"]) == (201, True)
    assert set(created.json()) == INFO_KEYS | {"changed"}
    assert settings.items() <= created.json().items()
    assert created.json()["sizeBytes"] == len(echo)
    again = put(host, "told", {"module": echo, "settings": settings})
    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert again.json()["revisionId"] == created.json()["revisionId"]
    changed = put(host, "told", {"module": echo, "settings": {**settings, "memoryMb": 65}})
    assert (changed.status_code, changed.json()["changed"]) == (200, True)
    assert changed.json()["revisionId"] != created.json()["revisionId"]
    shown = host.control.get("/v1/functions/told").json()
    assert set(shown) - INFO_KEYS == {"ready"}
    assert {**shown, "changed": True} == {**changed.json(), "ready": shown["ready"]}


def test_settings_are_stated_whole_or_kept(host: Server, echo: bytes, cat: bytes) -> None:
    """A settings document leaves defaults for what it lacks; none at all leaves all as it was."""
    put(host, "kept", {"module": echo, "settings": {"memoryMb": 77, "grants": ["kv"]}})
    moved = put(host, "kept", {"module": cat}).json()
    assert (moved["memoryMb"], moved["grants"], moved["kind"]) == (77, ["kv"], "command")
    reset = put(host, "kept", {"module": cat, "settings": {}}).json()
    assert (reset["memoryMb"], reset["grants"]) == (128, [])


def test_a_deploy_in_json(host: Server, echo: bytes) -> None:
    """For clients without CBOR, the module is base64."""
    module = base64.b64encode(echo).decode()
    response = host.control.put("/v1/functions/as-json", json={"module": module})
    assert response.status_code == 201
    assert host.http.get("/as-json").status_code == 200


@pytest.mark.parametrize(
    ("document", "status", "code", "words"),
    [
        ({"module": b"\0asm\1\0\0\0"}, 400, "invalid_module", ""),
        ({"module": b"text"}, 400, "invalid_module", ""),
        ({"module": "text"}, 400, "invalid_content", "byte string"),
        ({}, 400, "invalid_content", "byte string"),
        ([], 400, "invalid_content", "map"),
        ({"module": b"", "code": b""}, 400, "invalid_content", "map"),
        ({"settings": []}, 400, "invalid_configuration", "map"),
        ({"settings": {"memory_mb": 1}}, 400, "invalid_configuration", "'memoryMb'"),
        ({"settings": {"zzz": 1}}, 400, "invalid_configuration", "timeoutMs"),
        ({"settings": {"memoryMb": "64"}}, 400, "invalid_configuration", "whole number"),
        ({"settings": {"memoryMb": 0}}, 400, "invalid_configuration", "memory"),
        ({"settings": {"timeoutMs": 900_001}}, 400, "invalid_configuration", "timeout"),
        ({"settings": {"concurrency": -1}}, 400, "invalid_configuration", "concurrency"),
        ({"settings": {"rate": 5}}, 400, "invalid_configuration", "perSecond"),
        ({"settings": {"rate": {"burst": 5}}}, 400, "invalid_configuration", "perSecond"),
        ({"settings": {"rate": {"perSecond": "5"}}}, 400, "invalid_configuration", "number"),
        ({"settings": {"rate": {"perSecond": 0}}}, 400, "invalid_configuration", "a second"),
        (
            {"settings": {"rate": {"perSecond": 1, "burst": 1.5}}},
            400,
            "invalid_configuration",
            "whole number",
        ),
        ({"settings": {"auth": "some"}}, 400, "invalid_configuration", "none, aws_iam, token"),
        ({"settings": {"auth": None}}, 400, "invalid_configuration", "text"),
        ({"settings": {"snapshot": 1}}, 400, "invalid_configuration", "true or false"),
        ({"settings": {"environment": {"A": 1}}}, 400, "invalid_configuration", "text"),
        ({"settings": {"grants": ["root"]}}, 400, "invalid_configuration", "root"),
        ({"settings": {"description": 1}}, 400, "invalid_configuration", "text"),
    ],
)
def test_deploys_that_are_refused(
    host: Server, echo: bytes, document: Any, status: int, code: str, words: str
) -> None:
    """Each mistake is named, with what to write instead, and nothing is deployed."""
    if isinstance(document, dict) and "settings" in document:
        document = {"module": echo, **document}
    found_status, found_code, message = error_of(put(host, "refused", document))
    assert (found_status, found_code) == (status, code)
    assert words in message
    assert host.control.get("/v1/functions/refused").status_code == 404


@pytest.mark.parametrize("body", [b"", b"\xff", b"\xa1", cbor2.dumps({"module": b""}) + b"x"])
def test_a_body_that_is_no_cbor(host: Server, body: bytes) -> None:
    """Broken, cut short or followed by more."""
    response = host.control.put("/v1/functions/refused", content=body, headers=CBOR)
    assert error_of(response)[:2] == (400, "invalid_content")


@pytest.mark.parametrize("name", ["a.b", "a%20b", "x" * 65, "a:b"])
def test_a_bad_name_is_refused(host: Server, echo: bytes, name: str) -> None:
    """What cannot be a name is refused for a deploy, and is not found otherwise."""
    assert error_of(put(host, name, {"module": echo}))[:2] == (400, "invalid_request")
    assert host.control.get(f"/v1/functions/{name}").status_code == 404


def test_an_upload_over_the_limit_is_refused(host: Server) -> None:
    """The length alone is enough."""
    head = (
        "PUT /v1/functions/big HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/cbor\r\nContent-Length: {66 * 1024 * 1024}\r\n\r\n"
    )
    response, body = exchange(host.control_url, head.encode())
    assert response.status_code == 413
    assert json.loads(body)["error"]["code"] == "payload_too_large"


def test_listing_pages(host: Server, echo: bytes) -> None:
    """Every function once, in order, whatever the page size."""
    for index in range(5):
        host.deploy(f"listed-{index}", echo)
    names: list[str] = []
    after = ""
    while after is not None:
        page = host.control.get(f"/v1/functions?limit=2&after={after}").json()
        assert len(page["functions"]) <= 2
        names += [function["name"] for function in page["functions"]]
        after = page["next"]
    assert names == sorted(set(names))
    assert {f"listed-{index}" for index in range(5)} <= set(names)


def test_delete(host: Server, echo: bytes) -> None:
    """204, and then it is gone from both doors."""
    host.deploy("doomed", echo)
    assert host.control.delete("/v1/functions/doomed").status_code == 204
    assert error_of(host.control.delete("/v1/functions/doomed"))[:2] == (404, "not_found")
    assert host.http.get("/doomed").status_code == 404


# Logs


def logged(host: Server, name: str, text: str) -> None:
    """Have the actor deployed as `name` log `text`."""
    assert host.http.post(f"/{name}/log", content=text.encode()).status_code == 200


def test_logs_are_read_by_cursor(host: Server, actor: bytes) -> None:
    """Each line once, in order, with where it came from; the cursor goes on behind the last."""
    host.deploy("talker", actor)
    for index in range(5):
        logged(host, "talker", f"line {index}")
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = host.control.get(f"/v1/functions/talker/logs?limit=2&after={cursor}").json()
        if not page["lines"]:
            break
        seen += page["lines"]
        cursor = page["next"]
    assert [line["message"] for line in seen] == [f"line {index}" for index in range(5)]
    assert set(seen[0]) == {"timeMs", "requestId", "level", "message", "version"}
    assert (seen[0]["level"], seen[0]["version"]) == (2, "$LATEST")
    assert len({line["requestId"] for line in seen}) == 5


def test_waiting_for_a_line(host: Server, actor: bytes) -> None:
    """A reader that waits gets the next line when it comes, and nothing when none does."""
    host.deploy("shy", actor)
    empty = host.control.get("/v1/functions/shy/logs?wait=1").json()
    assert empty["lines"] == []
    speaking = threading.Timer(0.3, logged, (host, "shy", "at last"))
    speaking.start()
    page = host.control.get(f"/v1/functions/shy/logs?wait=20&after={empty['next']}").json()
    speaking.join()
    assert [line["message"] for line in page["lines"]] == ["at last"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/functions/nobody/logs", 404),
        ("/v1/functions/actor/logs?limit=0", 400),
        ("/v1/functions/actor/logs?limit=x", 400),
        ("/v1/functions/actor/logs?wait=21", 400),
        ("/v1/functions/actor/logs?after=nonsense", 400),
        ("/v1/functions?limit=1001", 400),
        ("/v1/functions?after=a.b", 400),
        ("/v1/usage?by=hour", 400),
        ("/v1/usage?since=yesterday", 400),
        ("/v1/usage?function=a.b", 400),
    ],
)
def test_bad_queries_are_refused(host: Server, path: str, status: int) -> None:
    """A parameter that is not understood is not ignored."""
    assert error_of(host.control.get(path))[0] == status


# Usage


def test_usage_counts_at_once(host: Server, echo: bytes) -> None:
    """What was just called is in the answer, by function and by day, with its cost."""
    host.deploy("counted", echo, memoryMb=128)
    for _ in range(3):
        host.http.get("/counted")
    document = host.control.get("/v1/usage?function=counted").json()
    (total,) = document["totals"]
    assert (total["function"], total["requests"], total["errors"]) == ("counted", 3, 0)
    assert total["fuel"] > 0
    tariff = document["tariff"]
    cost = 3 * tariff["priceRequest"] + total["gbSeconds"] * tariff["priceGbSecond"]
    assert total["cost"] == pytest.approx(cost)
    assert document["currency"] == "USD"
    today = time.strftime("%Y-%m-%d", time.gmtime())
    by_day = host.control.get(f"/v1/usage?function=counted&by=day&since={today}").json()
    assert [(row["day"], row["requests"]) for row in by_day["totals"]] == [(today, 3)]
    assert host.control.get("/v1/usage?function=counted&until=2000-01-01").json()["totals"] == []


# The plane itself


def test_health(host: Server, echo: bytes) -> None:
    """Up, which version, how many functions."""
    listed = host.control.get("/v1/functions?limit=1000").json()["functions"]
    health = host.control.get("/healthz")
    assert health.status_code == 200
    assert health.json() == {"status": "ok", "version": __version__, "functions": len(listed)}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nonsense", 404, "no_such_path"),
        ("POST", "/v1/functions", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_paths_that_do_not_exist(
    host: Server, method: str, path: str, status: int, code: str
) -> None:
    """Routing errors have the one shape too."""
    assert error_of(host.control.request(method, path))[:2] == (status, code)


def test_the_planes_are_apart(host: Server) -> None:
    """Neither door answers for the other."""
    assert host.http.get("/healthz").status_code == 404
    assert host.http.get("/v1/functions").status_code == 404
    assert host.control.get("/echo").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_foreign_requests_are_refused(host: Server, headers: dict[str, str]) -> None:
    """A web page cannot deploy, invoke or read, whichever way it gets its request here."""
    for method, path in (("GET", "/healthz"), ("PUT", "/v1/functions/echo"), ("GET", "/x")):
        response = host.control.request(method, path, headers=headers)
        assert error_of(response)[:2] == (403, "foreign_origin")
    invoked = host.control.post("/2015-03-31/functions/echo/invocations", headers=headers)
    assert invoked.status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/nonsense", "/2015-03-31/functions"])
def test_responses_are_not_for_other_sites(host: Server, path: str) -> None:
    """A browser keeps nothing of what it might see, and runs none of it."""
    headers = host.control.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert not any(name.startswith("access-control-") for name in headers)


@pytest.mark.parametrize(
    ("prime", "said"),
    [
        ("x", "prime must be a list"),
        ([{"name": "a"}], "each of prime must be a map"),
        ([{"name": "a", "event": {}}], "each of prime must be a map"),
        ([{"name": "a", "event": "{"}], "'a' is not JSON"),
        ([{"name": "a", "event": "1", "answers": "{}"}], "the answers of 'a' are a list"),
        ([{"name": "a", "event": "1", "answers": "[1]"}], "an answer of 'a' is"),
        ([{"name": "a", "event": "1"}] * 33, "at most 32 events"),
    ],
)
def test_a_prime_that_cannot_run_is_refused(
    host: Server, echo: bytes, prime: object, said: str
) -> None:
    """Before anything is built, with what it should have been."""
    response = put(host, "unprimed", {"module": echo, "settings": {"prime": prime}})
    status, code, message = error_of(response)
    assert (status, code) == (400, "invalid_configuration")
    assert said in message
