"""What Terraform's AWS provider sends, in its order, over plain signed HTTP: apply, plan, destroy.

The provider itself is not run. The calls, and what it takes for a difference, are those of
https://github.com/hashicorp/terraform-provider-aws, internal/service/lambda.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.clients.conftest import Access
from tests.front.lambda_calls import ROLE

FUNCTIONS = "/2015-03-31/functions"
POLLS_MAX = 100
CONFIGURED: dict[str, Any] = {
    "FunctionName": "formed",
    "Description": "by a plan",
    "Handler": "bootstrap",
    "MemorySize": 192,
    "PackageType": "Zip",
    "Role": ROLE,
    "Runtime": "provided.al2023",
    "Timeout": 7,
    "Architectures": ["arm64"],
    "EphemeralStorage": {"Size": 1024},
    "TracingConfig": {"Mode": "Active"},
    "Environment": {"Variables": {"A": "1"}},
}
"""A resource's arguments, and what each later read must find."""


class Provider:
    """Calls as aws-sdk-go signs and sends them."""

    def __init__(self, access: Access) -> None:
        self._signer = SigV4Auth(Credentials(access.key_id, access.secret), "lambda", "us-east-1")
        self._http = httpx.Client(base_url=access.server.control_url, timeout=60, trust_env=False)
        self._url = access.server.control_url

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, status: int, body: object = None, **query: str) -> Any:
        """The document of an answer that must have this status."""
        content = b"" if body is None else json.dumps(body).encode()
        target = path + (f"?{urlencode(query)}" if query else "")
        signed = AWSRequest(method, self._url + target, data=content)
        if body is not None:
            signed.headers["Content-Type"] = "application/json"
        self._signer.add_auth(signed)
        answer = self._http.request(method, target, content=content, headers=dict(signed.headers))
        assert answer.status_code == status, f"{method} {target}: {answer.text}"
        if status == 404:
            assert answer.headers["x-amzn-errortype"].endswith("NotFoundException")
        return answer.json() if answer.content else None

    def wait(self, member: str, value: str) -> None:
        """Poll GetFunction, as the provider's waiters do."""
        for _ in range(POLLS_MAX):
            found = self.call("GET", f"{FUNCTIONS}/formed", 200)["Configuration"]
            if found[member] == value:
                return
        raise AssertionError(f"{member} did not become {value}: {found}")

    def read(self) -> dict[str, Any]:
        """Refresh the function: what the state has of it then."""
        found = self.call("GET", f"{FUNCTIONS}/formed", 200)
        assert found["Code"] is not None
        marker: dict[str, str] = {}
        while True:
            page = self.call("GET", f"{FUNCTIONS}/formed/versions", 200, MaxItems="10000", **marker)
            if "NextMarker" not in page:
                break
            marker = {"Marker": page["NextMarker"]}
        signing = self.call("GET", "/2020-06-30/functions/formed/code-signing-config", 200)
        assert not signing["CodeSigningConfigArn"]
        configuration: dict[str, Any] = found["Configuration"]
        return {
            **{name: configuration.get(name) for name in CONFIGURED},
            "Tags": found.get("Tags"),
            "Concurrency": found["Concurrency"]["ReservedConcurrentExecutions"],
            "Version": page["Versions"][-1]["Version"],
            # A block that no configuration has would be taken away at the next apply.
            "SnapStart": configuration["SnapStart"]["ApplyOn"] != "None",
            "VpcConfig": configuration.get("VpcConfig"),
            "DeadLetterConfig": configuration.get("DeadLetterConfig"),
            "Layers": configuration.get("Layers"),
            "KMSKeyArn": configuration.get("KMSKeyArn"),
        }


@pytest.fixture
def provider(access: Access) -> Iterator[Provider]:
    """A provider whose endpoint is the module's closed host."""
    made = Provider(access)
    yield made
    made.close()


def zipped(archive: bytes) -> str:
    """A package as it is sent."""
    return base64.b64encode(archive).decode()


def create(provider: Provider, archive: bytes) -> dict[str, Any]:
    """The first apply, and the state after it."""
    code = {"ZipFile": zipped(archive)}
    body = {**CONFIGURED, "Code": code, "Publish": True, "Tags": {"team": "a"}}
    provider.call("POST", FUNCTIONS, 201, body)
    provider.call("GET", f"{FUNCTIONS}/formed", 200)
    provider.wait("State", "Active")
    concurrency = {"ReservedConcurrentExecutions": 5}
    provider.call("PUT", "/2017-10-31/functions/formed/concurrency", 200, concurrency)
    return provider.read()


def update(provider: Provider, archive: bytes) -> None:
    """An apply with another timeout, other code, no reservation and other tags."""
    provider.call("PUT", f"{FUNCTIONS}/formed/configuration", 200, {"Timeout": 9})
    provider.wait("LastUpdateStatus", "Successful")
    provider.call("PUT", f"{FUNCTIONS}/formed/code", 200, {"ZipFile": zipped(archive)})
    provider.wait("LastUpdateStatus", "Successful")
    published = provider.call("POST", f"{FUNCTIONS}/formed/versions", 201, {})
    arn = quote(published["FunctionArn"], safe="")
    told = provider.call("GET", f"{FUNCTIONS}/{arn}/configuration", 200, Qualifier="2")
    assert (told["Version"], told["LastUpdateStatus"]) == ("2", "Successful")
    tags = f"/2017-03-31/tags/{quote(published['FunctionArn'].removesuffix(':2'), safe='')}"
    provider.call("DELETE", tags, 204, tagKeys="team")
    provider.call("POST", tags, 204, {"Tags": {"stage": "test"}})


def test_apply_plan_apply_destroy(provider: Provider, echo_zip: bytes, actor_zip: bytes) -> None:
    """Each call succeeds, a refresh finds what was configured, and in the end nothing is there."""
    provider.call("GET", f"{FUNCTIONS}/formed", 404)
    state = create(provider, echo_zip)
    nothing = dict.fromkeys(("VpcConfig", "DeadLetterConfig", "Layers", "KMSKeyArn"))
    assert state == {
        **CONFIGURED,
        **nothing,
        "Tags": {"team": "a"},
        "Concurrency": 5,
        "Version": "1",
        "SnapStart": False,
    }
    assert provider.read() == state
    update(provider, actor_zip)
    changes = {"Timeout": 9, "Version": "2", "Tags": {"stage": "test"}}
    assert provider.read() == {**state, **changes}

    alias = f"{FUNCTIONS}/formed/aliases/live"
    policy = f"{FUNCTIONS}/formed/policy"
    rules = "/2019-09-25/functions/formed/event-invoke-config"
    url = "/2021-10-31/functions/formed/url"
    ready = "/2019-09-30/functions/formed/provisioned-concurrency"
    live = {"Name": "live", "FunctionVersion": "1"}
    provider.call("POST", alias.removesuffix("/live"), 201, live)
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    provider.call("PUT", alias, 200, {"FunctionVersion": "1", "RoutingConfig": weights})
    assert provider.call("GET", alias, 200)["RoutingConfig"] == weights
    statement = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}
    provider.call("POST", policy, 201, statement)
    assert json.loads(provider.call("GET", policy, 200)["Policy"])["Statement"][0]["Sid"] == "s"
    provider.call("PUT", rules, 200, {"MaximumRetryAttempts": 1}, Qualifier="live")
    assert provider.call("GET", rules, 200, Qualifier="live")["MaximumRetryAttempts"] == 1
    provider.call("POST", url, 201, {"AuthType": "NONE"}, Qualifier="live")
    assert provider.call("GET", url, 200, Qualifier="live")["AuthType"] == "NONE"
    count = {"ProvisionedConcurrentExecutions": 2}
    provider.call("PUT", ready, 202, count, Qualifier="live")
    assert provider.call("GET", ready, 200, Qualifier="live")["Status"] == "READY"

    for path in (ready, url, rules):
        provider.call("DELETE", path, 204, Qualifier="live")
        provider.call("GET", path, 404, Qualifier="live")
    provider.call("DELETE", f"{policy}/s", 204)
    provider.call("GET", policy, 404)
    provider.call("DELETE", alias, 204)
    provider.call("GET", alias, 404)
    provider.call("DELETE", f"{FUNCTIONS}/formed", 204)
    provider.call("GET", f"{FUNCTIONS}/formed", 404)
