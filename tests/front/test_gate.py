"""A closed control plane: who gets in, how far, and what the others are told."""

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cbor2
import httpx
import pytest
from botocore.exceptions import ClientError

from edge.access.keyring import NewKey
from edge.keyring import open_keyring
from edge.model.ids import function_arn
from tests.front.lambda_calls import lambda_client
from tests.running import Server

CONNECTIONS = 12
"""So many that both workers have some of them."""
INVOKER = {
    "Statement": {
        "Effect": "Allow",
        "Action": ["lambda:InvokeFunction", "lambda:GetFunction"],
        "Resource": function_arn("echo"),
    }
}


@pytest.fixture(scope="module")
def keys(shared_server: Server, echo: bytes) -> Iterator[dict[str, NewKey]]:
    """A host with `echo` and `other`, then closed: `admin` may all, `invoker` call `echo`."""
    shared_server.deploy("echo", echo)
    shared_server.deploy("other", echo)
    with open_keyring(shared_server.data) as keyring:
        yield {
            "admin": keyring.create("admin"),
            "invoker": keyring.create("invoker", json.dumps(INVOKER)),
        }


def client(server: Server, key: NewKey, secret: str | None = None) -> AbstractContextManager[Any]:
    """boto3 with a key."""
    return lambda_client(server.control_url, key.access_key_id, secret or key.secret)


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {token}"}


def refused(call: Any) -> str:
    """The error code of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call()
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_boto3_with_a_key(shared_server: Server, keys: dict[str, NewKey]) -> None:
    """A signed client does all that it may, ARNs in the path included."""
    with client(shared_server, keys["admin"]) as admin:
        assert len(admin.list_functions()["Functions"]) == 2
        for name in ("echo", function_arn("echo")):
            assert admin.invoke(FunctionName=name, Payload=b'{"a": 1}')["StatusCode"] == 200


def test_boto3_refusals(shared_server: Server, keys: dict[str, NewKey]) -> None:
    """What a policy does not allow, and what no key signed, has Lambda's error codes."""
    new = {"FunctionName": "new", "Role": "r", "Code": {"ZipFile": b"x"}, "Runtime": "wasm"}
    with client(shared_server, keys["invoker"]) as invoker:
        assert invoker.invoke(FunctionName="echo", Payload=b"{}")["StatusCode"] == 200
        for call in (
            lambda: invoker.invoke(FunctionName="other"),
            invoker.list_functions,
            lambda: invoker.delete_function(FunctionName="echo"),
            lambda: invoker.create_function(**new),
        ):
            assert refused(call) == "AccessDeniedException"
    with client(shared_server, keys["admin"], "wrong") as wrong:
        assert refused(wrong.list_functions) == "InvalidSignatureException"
    with client(shared_server, NewKey("EDGE0", "x", "secret", "token")) as stranger:
        assert refused(stranger.list_functions) == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/functions"), ("PUT", "/v1/functions/echo"), ("DELETE", "/v1/functions/echo"),
     ("GET", "/v1/functions/echo/logs"), ("GET", "/v1/usage"), ("GET", "/2015-03-31/functions/"),
     ("POST", "/2015-03-31/functions/echo/invocations"), ("GET", "/nothing"), ("GET", "/"),
     ("OPTIONS", "/v1/functions"), ("GET", "/healthz/x")],
)  # fmt: skip
def test_nothing_without_a_key(
    shared_server: Server, keys: dict[str, NewKey], method: str, path: str
) -> None:
    """Without a key every path is refused alike, those that do not exist too."""
    response = shared_server.control.request(method, path)
    assert response.status_code == 403
    assert "EDGE_TOKEN" in response.text


def test_health_needs_no_key(shared_server: Server, keys: dict[str, NewKey]) -> None:
    """A load balancer has no key."""
    assert shared_server.control.get("/healthz").status_code == 200


def test_bearer_token(shared_server: Server, keys: dict[str, NewKey]) -> None:
    """A token opens what its key's policy allows, and a wrong one nothing."""
    control = shared_server.control
    admin, invoker = bearer(keys["admin"].token), bearer(keys["invoker"].token)
    assert control.get("/v1/functions", headers=admin).status_code == 200
    assert control.get("/v1/functions/echo", headers=invoker).status_code == 200
    denied = control.get("/v1/functions/other", headers=invoker)
    assert denied.status_code == 403
    assert denied.json()["error"]["code"] == "denied"
    assert control.get("/v1/functions", headers=bearer("edge_x")).status_code == 403
    assert control.get("/v1/functions", headers={"authorization": "Basic eA=="}).status_code == 400


def test_refusals_and_changes_are_logged(shared_server: Server, keys: dict[str, NewKey]) -> None:
    """The log says who wanted what and why not, who changed what, and no secret."""
    headers = bearer(keys["admin"].token)
    shared_server.control.delete("/v1/functions/missing", headers=headers)
    shared_server.control.delete("/v1/functions/missing", headers=bearer("edge_wrong"))
    log = shared_server.stderr_path.read_text()
    assert re.search(r"access_refused.*lambda:DeleteFunction", log)
    page = {**headers, "origin": "https://evil.example"}
    shared_server.control.get("/v1/functions?by=page", headers=page)
    assert re.search(r"access_refused.*another site", shared_server.stderr_path.read_text())
    assert re.search(r"user/admin", log)
    assert keys["admin"].token not in log
    assert "edge_wrong" not in log


def test_open_until_the_first_key(tmp_path: Path) -> None:
    """A host without keys lets this machine in, and closes, all of it, as soon as there is one."""
    with Server(tmp_path / "data", workers=2) as server:

        def statuses(headers: dict[str, str] | None = None) -> set[int]:
            url = f"{server.control_url}/v1/functions"
            return {
                httpx.get(url, headers=headers, trust_env=False).status_code
                for _ in range(CONNECTIONS)
            }

        assert statuses() == {200}
        with open_keyring(server.data) as keyring:
            token = keyring.create("first").token
            assert statuses() == {403}
            assert statuses(bearer(token)) == {200}
            keyring.revoke("first")
        assert statuses() == statuses(bearer(token)) == {403}


DEPLOYER = {
    "Statement": {
        "Effect": "Allow",
        "Action": ["lambda:CreateFunction", "lambda:UpdateFunctionCode"],
        "Resource": "*",
    }
}


def test_a_deploy_takes_an_action_for_all_that_it_changes(
    shared_server: Server, keys: dict[str, NewKey], echo: bytes
) -> None:
    """Who may only bring code cannot open a function, route to it, or grant it anything."""
    with open_keyring(shared_server.data) as keyring:
        headers = bearer(keyring.create("deployer", json.dumps(DEPLOYER)).token)

    def put(**settings: object) -> httpx.Response:
        body = cbor2.dumps({"module": echo, "settings": settings})
        headers["content-type"] = "application/cbor"
        return shared_server.control.put("/v1/functions/brought", content=body, headers=headers)

    assert put().status_code == 201
    for settings, action in (
        ({"auth": "token"}, "lambda:UpdateFunctionUrlConfig"),
        ({"concurrency": 3}, "lambda:PutFunctionConcurrency"),
        ({"routes": [{"path": "/other/{x+}"}]}, "edge:PutRoutes"),
        ({"rate": {"perSecond": 5}}, "edge:PutRate"),
        ({"grants": ["kv"]}, "edge:PutGrants"),
    ):
        answer = put(**settings)
        assert (answer.status_code, action in answer.text) == (403, True), settings
    assert put(description="the code's own").status_code == 200
