"""AuthType on the data plane: whom a URL lets in, and what the function learns of him."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from aws_lambda_powertools.utilities.parser.models import LambdaFunctionUrlModel

from edge.access.keyring import NewKey
from edge.access.principals import user_arn
from edge.keyring import open_keyring
from edge.model.ids import ACCOUNT, function_arn
from tests.front.callers import bearer, client_of
from tests.front.wire import connect, exchange, is_closed, read_response
from tests.running import Server
from tests.signing import BODY, Request

ORIGIN = "https://shop.example"
BY_URL, INVOKE = "lambda:InvokeFunctionUrl", "lambda:InvokeFunction"
POLICIES: dict[str, list[dict[str, object]]] = {
    "both": [{"Action": [BY_URL, INVOKE], "Resource": "*"}],
    "url": [{"Action": BY_URL, "Resource": "*"}],
    "invoke": [{"Action": INVOKE, "Resource": "*"}],
    "nothing": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}],
    "barred": [{"Effect": "Deny", "Action": BY_URL, "Resource": "*"}],
    "other": [{"Action": "lambda:*", "Resource": function_arn("other")}],
    "alias": [{"Action": "lambda:*", "Resource": function_arn("iam", "live")}],
    "signed": [
        {
            "Action": "lambda:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
        }
    ],
    "agent": [
        {
            "Action": "lambda:*",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:UserAgent": "good*"}},
        }
    ],
    "local": [
        {
            "Action": "lambda:*",
            "Resource": "*",
            "Condition": {
                "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
                "Bool": {"lambda:InvokedViaFunctionUrl": "true", "aws:SecureTransport": "false"},
            },
        }
    ],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host's data directory."""
    made: Path = tmp_path_factory.mktemp("auth") / "data"
    return made


@pytest.fixture(scope="module")
def keys(data: Path) -> dict[str, NewKey]:
    """Keys by the name of their policy."""
    with open_keyring(data) as keyring:
        made = {"admin": keyring.create("admin")}
        for name, statements in POLICIES.items():
            policy = {"Statement": [{"Effect": "Allow", **each} for each in statements]}
            made[name] = keyring.create(name, json.dumps(policy))
    return made


@pytest.fixture(scope="module")
def host(data: Path, keys: dict[str, NewKey], echo: bytes) -> Iterator[Server]:
    """A closed host: `iam` takes signed requests, `token` tokens too, `open` all."""
    with Server(data) as server:
        server.control.headers.update(bearer(keys["admin"]))
        with client_of(server, keys["admin"]) as admin:
            for name, auth_type in (("iam", "AWS_IAM"), ("token", "TOKEN"), ("open", "NONE")):
                server.deploy(name, echo)
                admin.publish_version(FunctionName=name)
                admin.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
                admin.create_function_url_config(
                    FunctionName=name, AuthType=auth_type, Cors={"AllowOrigins": [ORIGIN]}
                )
        yield server


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def web(host: Server, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of the data plane, through either door."""
    http2 = request.param == "HTTP/2"
    with httpx.Client(
        base_url=host.http_url, http1=not http2, http2=http2, trust_env=False
    ) as made:
        yield made


def call(web: httpx.Client, request: Request) -> httpx.Response:
    """Send a request as it is signed."""
    return web.request(request.method, request.path, content=request.body, headers=request.headers)


def test_the_function_learns_who_called(
    web: httpx.Client, host: Server, keys: dict[str, NewKey]
) -> None:
    """As of Lambda's function URL with AWS_IAM; what proved it stays with the host."""
    key = keys["both"]
    signed = Request(host.http_url, "/iam/a/b?x=1").signed(key)
    for answered in (
        call(web, signed),
        web.post("/token/a/b?x=1", content=BODY, headers=bearer(key)),
    ):
        assert answered.status_code == 200, answered.text
        event = answered.json()
        context = event["requestContext"]
        LambdaFunctionUrlModel.model_validate(event)
        assert context["accountId"] == ACCOUNT
        assert context["authentication"] is None
        assert context["authorizer"] == {
            "iam": {
                "accessKey": key.access_key_id,
                "accountId": ACCOUNT,
                "callerId": key.access_key_id,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": user_arn("both"),
                "userId": key.access_key_id,
            }
        }
        assert "authorization" not in event["headers"]
        assert key.token not in answered.text


def test_an_open_function_asks_nobody(web: httpx.Client, keys: dict[str, NewKey]) -> None:
    """What callers say of themselves is for the function, and no key is looked at."""
    for headers in ({}, {"authorization": "Bearer of bad news"}):
        event = web.get("/open/x", headers=headers).json()
        assert event["requestContext"]["accountId"] == "anonymous"
        assert "authorizer" not in event["requestContext"]
        assert event["headers"].get("authorization") == headers.get("authorization")


@pytest.mark.parametrize(
    ("function", "policy", "by_token", "status"),
    [
        ("iam", "both", False, 200),
        ("iam", "both", True, 403),
        ("token", "both", False, 200),
        ("token", "both", True, 200),
        ("iam", "url", False, 403),
        ("iam", "invoke", False, 403),
        ("iam", "nothing", False, 403),
        ("token", "nothing", True, 403),
        ("iam", "other", False, 403),
        ("iam", "alias", False, 403),
        ("iam:live", "alias", False, 200),
        ("iam:1", "alias", False, 403),
        ("iam:1", "both", False, 200),
        ("iam", "signed", False, 200),
        ("token", "signed", True, 403),
        ("iam", "local", False, 200),
        ("token:live", "local", True, 200),
    ],
)
def test_policies(
    web: httpx.Client,
    host: Server,
    keys: dict[str, NewKey],
    function: str,
    policy: str,
    by_token: bool,
    status: int,
) -> None:
    """Both calling the URL and invoking must be allowed, for the name that is called by."""
    request = Request(host.http_url, f"/{function}/x")
    key = keys[policy]
    if by_token:
        answered = web.post(request.path, content=request.body, headers=bearer(key))
    else:
        answered = call(web, request.signed(key))
    assert answered.status_code == status, answered.text
    if status == 403:
        assert answered.json()["error"]["code"] == "denied"


@pytest.mark.parametrize("place", ["iam", "iam:live", "iam:1", "iam:$LATEST", "token", "token:1"])
def test_nobody_gets_in_without_a_key(
    web: httpx.Client, keys: dict[str, NewKey], place: str
) -> None:
    """By no name of the function, by no method, and not to be run later either."""
    for headers in (
        {},
        {"authorization": "Bearer edge_wrong"},
        {"authorization": f"Bearer {keys['both'].secret}"},
        {"authorization": "Basic eA=="},
        {"authorization": "AWS4-HMAC-SHA256 Credential=x"},
        {"x-edge-invocation-type": "Event"},
        {"x-forwarded-for": "127.0.0.1", "x-edge-version": "1"},
    ):
        for method in ("GET", "POST", "OPTIONS"):
            answered = web.request(method, f"/{place}/x", headers=headers)
            assert (answered.status_code, answered.json()["error"]["code"]) == (403, "denied")
            assert "x-edge-fuel" not in answered.headers


def test_a_function_lets_in_whom_it_names(
    web: httpx.Client, host: Server, keys: dict[str, NewKey]
) -> None:
    """AddPermission opens a URL for a key that may nothing else, but not for one that is denied."""
    request = Request(host.http_url, "/iam")
    with client_of(host, keys["admin"]) as admin:
        for sid, action, more in (
            ("a", BY_URL, {"FunctionUrlAuthType": "AWS_IAM"}),
            ("b", INVOKE, {"InvokedViaFunctionUrl": True}),
        ):
            assert call(web, request.signed(keys["nothing"])).status_code == 403
            admin.add_permission(
                FunctionName="iam", StatementId=sid, Action=action, Principal="*", **more
            )
        assert call(web, request.signed(keys["nothing"])).status_code == 200
        assert call(web, request.signed(keys["barred"])).status_code == 403
        assert web.post("/iam").status_code == 403
        for sid in ("a", "b"):
            admin.remove_permission(FunctionName="iam", StatementId=sid)
    assert call(web, request.signed(keys["nothing"])).status_code == 403


def test_a_condition_is_judged_each_time(web: httpx.Client, keys: dict[str, NewKey]) -> None:
    """That a key was let in once says nothing where its policy asks about the request."""
    for agent, status in (("good/1", 200), ("bad/1", 403), ("good/2", 200)):
        headers = {**bearer(keys["agent"]), "user-agent": agent}
        assert web.get("/token", headers=headers).status_code == status


def test_an_alias_may_be_open(web: httpx.Client, host: Server, keys: dict[str, NewKey]) -> None:
    """Its own config comes before the function's, and goes with it."""
    with client_of(host, keys["admin"]) as admin:
        live = {"FunctionName": "iam", "Qualifier": "live"}
        admin.create_function_url_config(**live, AuthType="NONE")
        assert [web.get(f"/iam{of}").status_code for of in ("", ":live", ":1")] == [403, 200, 403]
        admin.delete_function_url_config(**live)
        assert web.get("/iam:live").status_code == 403


def test_bodies(web: httpx.Client, host: Server, keys: dict[str, NewKey]) -> None:
    """A body may be signed, named by its digest, or left out of the signature; any length."""
    key = keys["both"]
    for body in (b"", b"x", b"x" * 3_000_000):
        request = Request(host.http_url, "/iam/body", body=body)
        assert call(web, request.signed(key)).content == body
        loose = request.with_header("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD").signed(key)
        assert call(web, loose).content == body
        if body:
            signed = request.signed(key)
            other = web.post("/iam/body", content=body[1:], headers=signed.headers)
            assert other.status_code == 403
    streamed = Request(host.http_url, "/iam/body").with_header(
        "X-Amz-Content-SHA256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    )
    assert call(web, streamed.signed(key)).status_code == 403


def test_a_refusal_does_not_wait_for_the_body(host: Server, keys: dict[str, NewKey]) -> None:
    """Who may not call is told so at the head; who signed a digest, too, without a right."""
    wrong = Request(host.http_url, "/iam").with_header("X-Amz-Content-SHA256", "0" * 64)
    for headers in (
        {},
        bearer(keys["both"]),
        wrong.signed(keys["both"], secret="another").headers,
        wrong.signed(keys["nothing"]).headers,
    ):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST /iam HTTP/1.1\r\nhost: {wrong.host}\r\ncontent-length: 5000000\r\n{lines}\r\n"
        with closing(connect(host.http_url)) as connection:
            connection.sendall(head.encode())
            response, _ = read_response(connection, method="POST")
            assert response.status_code == 403
            connection.shutdown(socket.SHUT_WR)
            assert is_closed(connection)


def test_pages_of_other_origins(web: httpx.Client, host: Server) -> None:
    """A preflight, which cannot be signed, is answered; a refusal can be read."""
    asked = web.options(
        "/iam/x", headers={"origin": ORIGIN, "access-control-request-method": "GET"}
    )
    assert asked.status_code == 200
    refused = web.get("/iam/x", headers={"origin": ORIGIN})
    assert refused.status_code == 403
    assert refused.headers["access-control-allow-origin"] == ORIGIN


def test_refusals_are_logged(web: httpx.Client, host: Server, keys: dict[str, NewKey]) -> None:
    """Who, what and why; the function's answers are not, and no token or signature is."""
    signed = Request(host.http_url, "/iam/logged").signed(keys["url"])
    assert call(web, signed).status_code == 403
    web.get("/token/logged", headers={"authorization": "Bearer edge_wrong"})
    log = [line for line in host.stderr_path.read_text().splitlines() if "/logged" in line]
    assert any(keys["url"].access_key_id in line and "no policy allows it" in line for line in log)
    assert any("edge key" in line or "revoked" in line for line in log)
    assert all("access_refused" in line and "plane=data" in line for line in log)
    assert all("source=127.0.0.1" in line for line in log)
    assert not any("edge_wrong" in line or "Signature=" in line for line in log)


def test_a_pipelined_request_is_judged_alone(host: Server, keys: dict[str, NewKey]) -> None:
    """That one request of a connection was let in says nothing of the next."""
    signed = Request(host.http_url, "/iam/x").signed(keys["both"])
    first = signed.with_header("connection", "keep-alive").raw()
    second = f"GET /iam/y HTTP/1.1\r\nhost: {signed.host}\r\n\r\n".encode()
    with closing(connect(host.http_url)) as connection:
        connection.sendall(first + second)
        answers = b""
        while answers.count(b"HTTP/1.1 ") < 2:
            answers += connection.recv(65_536)
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"403"]


def test_open_hosts_have_closed_functions(server: Server, echo: bytes) -> None:
    """Before the first key is made nobody can call what asks for one."""
    server.deploy("iam", echo)
    server.control.post("/2021-10-31/functions/iam/url", json={"AuthType": "TOKEN"})
    assert exchange(server.http_url, Request(server.http_url, "/iam").raw())[0].status_code == 403
