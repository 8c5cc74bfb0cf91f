"""URL configs by Lambda's API, and their CORS on the data plane."""

from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.front.lambda_calls import create
from tests.running import Server

ORIGIN = "https://app.example"
CORS = {
    "AllowCredentials": True,
    "AllowHeaders": ["x-token", "Content-Type"],
    "AllowMethods": ["GET", "POST"],
    "AllowOrigins": [ORIGIN],
    "ExposeHeaders": ["x-seen"],
    "MaxAge": 300,
}


def test_the_life_of_a_url_config(client: Any, host: Server, echo: bytes) -> None:
    """Create, get, update part of it, list, delete."""
    create(client, "url", echo)
    made = client.create_function_url_config(
        FunctionName="url", AuthType="NONE", Cors=CORS, InvokeMode="RESPONSE_STREAM"
    )
    assert made["FunctionUrl"] == f"{host.http_url}/url/"
    assert httpx.get(made["FunctionUrl"], trust_env=False).status_code == 200
    assert made["FunctionArn"].endswith(":function:url")
    assert made["Cors"] == CORS
    got = client.get_function_url_config(FunctionName="url")
    assert (got["AuthType"], got["InvokeMode"], got["Cors"]) == ("NONE", "RESPONSE_STREAM", CORS)
    assert got["CreationTime"] == made["CreationTime"]

    updated = client.update_function_url_config(FunctionName="url", AuthType="AWS_IAM")
    assert (updated["AuthType"], updated["Cors"]) == ("AWS_IAM", CORS)
    updated = client.update_function_url_config(FunctionName="url", AuthType="NONE", Cors={})
    assert "Cors" not in updated
    listed = client.list_function_url_configs(FunctionName="url")["FunctionUrlConfigs"]
    assert [each["FunctionUrl"] for each in listed] == [made["FunctionUrl"]]

    client.delete_function_url_config(FunctionName="url")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_url_config(FunctionName="url")
    assert client.list_function_url_configs(FunctionName="url")["FunctionUrlConfigs"] == []


def test_an_alias_has_a_url_of_its_own(client: Any, host: Server, echo: bytes) -> None:
    """Its settings are its own, and go with it."""
    create(client, "named", echo, Publish=True)
    client.create_alias(FunctionName="named", Name="live", FunctionVersion="1")
    made = client.create_function_url_config(
        FunctionName="named", Qualifier="live", AuthType="NONE", Cors={"AllowOrigins": [ORIGIN]}
    )
    assert made["FunctionUrl"] == f"{host.http_url}/named:live/"
    for path, allowed in (("/named:live", ORIGIN), ("/named", None)):
        answered = host.http.get(path, headers={"origin": ORIGIN})
        assert answered.headers.get("access-control-allow-origin") == allowed
    client.delete_alias(FunctionName="named", Name="live")
    assert client.list_function_url_configs(FunctionName="named")["FunctionUrlConfigs"] == []


@pytest.mark.parametrize(
    ("name", "members", "code", "status"),
    [
        ("configured", {}, "ResourceConflictException", 409),
        ("nobody", {}, "ResourceNotFoundException", 404),
        ("echo:1", {}, "InvalidParameterValueException", 400),
        ("echo", {"AuthType": "SOME"}, "InvalidParameterValueException", 400),
        ("echo", {"InvokeMode": "SLOW"}, "InvalidParameterValueException", 400),
        ("echo", {"Cors": {"AllowMethods": ["BREW"]}}, "InvalidParameterValueException", 400),
        ("echo", {"Cors": {"AllowOrigins": ["a\r\nb"]}}, "InvalidParameterValueException", 400),
        ("echo", {"Cors": {"AllowHeaders": ["a b"]}}, "InvalidParameterValueException", 400),
        ("echo", {"Cors": {"MaxAge": 86_401}}, "InvalidParameterValueException", 400),
    ],
)
def test_url_configs_that_are_refused(
    host: Server, echo: bytes, name: str, members: dict[str, Any], code: str, status: int
) -> None:
    """By name, and before anything is stored: boto3 would stop some of these itself."""
    path = f"/2021-10-31/functions/{name}/url"
    host.deploy("configured", echo)
    host.control.post("/2021-10-31/functions/configured/url", json={"AuthType": "NONE"})
    response = host.control.post(path, json={"AuthType": "NONE", **members})
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (status, code)
    assert host.control.get("/2021-10-31/functions/echo/url").status_code == 404


@pytest.mark.parametrize("http2", [False, True])
def test_cors_of_a_url(client: Any, host: Server, actor: bytes, http2: bool) -> None:
    """Preflights are answered by the host; answers, and refusals, say who may read them."""
    host.deploy("shared", actor)
    config = client.update_function_url_config
    try:
        client.create_function_url_config(FunctionName="shared", AuthType="NONE", Cors=CORS)
    except ClientError:
        config(FunctionName="shared", Cors=CORS)
    own = {"origin": ORIGIN}
    with httpx.Client(base_url=host.http_url, http1=not http2, http2=http2, trust_env=False) as web:
        asked = web.options("/shared/x", headers={**own, "access-control-request-method": "POST"})
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["access-control-allow-origin"] == ORIGIN
        assert asked.headers["access-control-allow-methods"] == "GET, POST"
        assert asked.headers["access-control-allow-headers"] == "x-token, Content-Type"
        assert asked.headers["access-control-max-age"] == "300"
        assert "x-edge-fuel" not in asked.headers

        answered = web.get("/shared/context", headers=own)
        failed = web.get("/shared/fail", headers=own)
        assert (answered.status_code, failed.status_code) == (200, 502)
        for response in (answered, failed):
            assert response.headers["access-control-allow-origin"] == ORIGIN
            assert response.headers["access-control-allow-credentials"] == "true"
            assert response.headers["access-control-expose-headers"] == "x-seen"
        stranger = web.get("/shared/context", headers={"origin": "https://other.example"})
        assert stranger.status_code == 200
        assert "access-control-allow-origin" not in stranger.headers
        assert stranger.headers["vary"] == "origin"
        plain = web.options("/echo/x", headers={**own, "access-control-request-method": "POST"})
        assert "x-edge-fuel" in plain.headers
        assert "vary" not in web.get("/echo", headers=own).headers
