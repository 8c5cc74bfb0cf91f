"""The audit log of a host: every change, before it is answered."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.access.keyring import NewKey
from edge.access.principals import user_arn
from edge.keyring import open_keyring
from edge.model.ids import function_arn
from tests.cli.commands import edge
from tests.front.callers import bearer, client_of
from tests.front.packages import package
from tests.running import Server

READER = {"Statement": {"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"}}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host's data directory."""
    made: Path = tmp_path_factory.mktemp("audit") / "data"
    return made


@pytest.fixture(scope="module")
def keys(data: Path) -> dict[str, NewKey]:
    """Keys by name."""
    with open_keyring(data) as keyring:
        return {
            "admin": keyring.create("admin"),
            "reader": keyring.create("reader", json.dumps(READER)),
        }


@pytest.fixture(scope="module")
def host(data: Path, keys: dict[str, NewKey], echo: bytes) -> Iterator[Server]:
    """A closed host of two workers."""
    with Server(data, workers=2) as server:
        server.control.headers.update(bearer(keys["admin"]))
        server.deploy("echo", echo)
        yield server


def records(host: Server, **query: str) -> list[dict[str, Any]]:
    """The newest page."""
    response = host.control.get("/v1/audit", params=query)
    response.raise_for_status()
    found: list[dict[str, Any]] = response.json()["records"]
    return found


def written(host: Server) -> list[dict[str, Any]]:
    """What the files hold."""
    paths = sorted((host.data / "audit").glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_a_change_is_there_before_its_answer(host: Server, keys: dict[str, NewKey]) -> None:
    """Its beginning and its end, under the request id that the caller has."""
    answer = host.control.put(
        "/2017-10-31/functions/echo/concurrency", json={"ReservedConcurrentExecutions": 5}
    )
    begun, ended = written(host)[-2:]
    assert (begun["stage"], begun["status"]) == ("begun", 0)
    assert (ended["stage"], ended["status"]) == ("done", 200)
    for record in (begun, ended):
        assert record["id"] == answer.headers["x-amzn-requestid"]
        assert record["who"] == user_arn("admin")
        assert record["key"] == keys["admin"].access_key_id
        assert record["source"] == "127.0.0.1"
        assert record["action"] == "lambda:PutFunctionConcurrency"
        assert record["resource"] == function_arn("echo")
        assert record["request"] == "PUT /2017-10-31/functions/echo/concurrency"
        assert record["time"].endswith("Z")
    assert records(host)[-2:] == [begun, ended]


def test_a_change_on_an_open_host_is_no_line_of_its_log(server: Server, echo: bytes) -> None:
    """Its owner made it and is told of it elsewhere, as by `edge up`; the audit log has it."""
    server.deploy("echo", echo)
    assert [record["who"] for record in records(server)] == ["anonymous"] * 2
    assert "change" not in server.stderr_path.read_text()


def test_a_change_by_a_key_is_a_line_of_the_log(host: Server) -> None:
    """Who did what, for whoever watches the host."""
    place = "/2017-10-31/functions/echo/concurrency"
    host.control.put(place, json={"ReservedConcurrentExecutions": 5})
    log = host.stderr_path.read_text()
    expected = r"change .*lambda:PutFunctionConcurrency.*who=" + re.escape(user_arn("admin"))
    assert re.search(expected, log)


def test_what_did_not_succeed(host: Server) -> None:
    """Says so by its status."""
    host.control.delete("/v1/functions/missing")
    assert [(r["stage"], r["status"]) for r in written(host)[-2:]] == [
        ("begun", 0),
        ("failed", 404),
    ]


def test_the_function_that_is_created(host: Server, keys: dict[str, NewKey], echo: bytes) -> None:
    """Is named in the body, and in the log."""
    with client_of(host, keys["admin"]) as client:
        client.create_function(
            FunctionName="made",
            Runtime="provided.al2023",
            Role="arn:aws:iam::000000000000:role/any",
            Handler="bootstrap",
            Code={"ZipFile": package({"bootstrap.wasm": echo})},
        )
    assert written(host)[-1]["resource"] == function_arn("made")
    assert written(host)[-1]["action"] == "lambda:CreateFunction"


def test_reads_and_invocations_are_no_changes(host: Server) -> None:
    """They leave the log as it is."""
    before = len(written(host))
    host.control.get("/v1/functions")
    host.control.post("/2015-03-31/functions/echo/invocations", content=b"{}")
    host.http.post("/echo", content=b"{}")
    assert len(written(host)) == before


def test_refusals(host: Server, keys: dict[str, NewKey]) -> None:
    """A known caller's are kept, with their reason; a stranger's would be a way to fill the log."""
    before = len(written(host))
    url = f"{host.control_url}/v1/functions/echo"
    for token in ("edge_wrong", keys["reader"].token):
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.delete(url, headers=headers, trust_env=False).status_code == 403
    assert httpx.delete(url, trust_env=False).status_code == 403
    [refused] = written(host)[before:]
    assert (refused["stage"], refused["status"]) == ("refused", 403)
    assert refused["who"] == user_arn("reader")
    assert "no policy allows it" in refused["reason"]
    shown = httpx.get(
        f"{host.control_url}/v1/audit", headers=bearer(keys["reader"]), trust_env=False
    )
    assert shown.status_code == 403


def test_no_change_without_its_record(host: Server) -> None:
    """What cannot be written down is not done."""
    obstacle = host.data / "audit" / "99999999.jsonl"
    obstacle.mkdir()
    try:
        refused = host.control.delete("/v1/functions/echo")
        assert (refused.status_code, refused.json()["error"]["code"]) == (500, "storage_failure")
    finally:
        obstacle.rmdir()
    assert host.control.get("/v1/functions/echo").status_code == 200


def test_pages(host: Server) -> None:
    """Older records are a page further."""
    page = host.control.get("/v1/audit", params={"limit": "2"}).json()
    older = host.control.get("/v1/audit", params={"limit": "2", "before": page["next"]}).json()
    assert older["records"] + page["records"] == written(host)[-4:]
    wrong = host.control.get("/v1/audit", params={"before": "yesterday"})
    assert wrong.status_code == 400


def test_keys_and_the_verb(host: Server, keys: dict[str, NewKey], monkeypatch: Any) -> None:
    """What `edge key` does is there, too, without secrets; `edge audit` shows all of it."""
    made = edge("key", "create", "--name", "passing", "--data", host.data, "--json")
    assert edge("key", "rotate", "passing", "--data", host.data).returncode == 0
    assert edge("key", "revoke", "passing", "--data", host.data).returncode == 0
    assert edge("key", "create", "--name", "admin", "--data", host.data).returncode == 1
    told = [(r["action"], r["stage"], r["resource"]) for r in written(host)[-8:]]
    assert told == [
        (action, stage, user_arn(name))
        for action, end, name in (
            ("edge:CreateKey", "done", "passing"),
            ("edge:RotateKey", "done", "passing"),
            ("edge:RevokeKey", "done", "passing"),
            ("edge:CreateKey", "failed", "admin"),
        )
        for stage in ("begun", end)
    ]
    assert written(host)[-1]["who"].startswith("local:")
    text = json.dumps(written(host))
    secrets = json.loads(made.stdout)
    assert secrets["token"] not in text
    assert secrets["secretAccessKey"] not in text

    monkeypatch.setenv("EDGE_TOKEN", keys["admin"].token)
    shown = edge("audit", "--limit", "6", control_url=host.control_url)
    assert shown.returncode == 0, shown.stderr
    header, *rows = shown.stdout.splitlines()
    assert header.split() == ["TIME", "WHO", "FROM", "ACTION", "RESOURCE", "OUTCOME"]
    assert [row.split()[-1] for row in rows] == ["done", "done", "failed"]
    assert "edge audit --before" in shown.stderr
    documents = edge("audit", "--json", control_url=host.control_url)
    assert json.loads(documents.stdout)["records"] == written(host)[-100:]
