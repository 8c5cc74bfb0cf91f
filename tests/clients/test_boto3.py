"""boto3, signing, drives a function's life, and every operation that `docs/lambda.md` names."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.clients.conftest import Access
from tests.toolchain import ROOT

ROLE = "arn:aws:iam::000000000000:role/any"
ARN = "arn:aws:lambda:edge:000000000000:function:each"

OPERATIONS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("CreateFunction", {"Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap"}, 201),
    ("GetFunction", {}, 200),
    ("GetFunctionConfiguration", {}, 200),
    ("GetFunctionCodeSigningConfig", {}, 200),
    ("ListFunctions", {}, 200),
    ("UpdateFunctionConfiguration", {"Timeout": 5}, 200),
    ("UpdateFunctionCode", {}, 200),
    ("PublishVersion", {}, 201),
    ("ListVersionsByFunction", {}, 200),
    ("CreateAlias", {"Name": "live", "FunctionVersion": "1"}, 201),
    ("GetAlias", {"Name": "live"}, 200),
    ("UpdateAlias", {"Name": "live", "Description": "what users get"}, 200),
    ("ListAliases", {}, 200),
    ("DeleteAlias", {"Name": "live"}, 204),
    (
        "PutProvisionedConcurrencyConfig",
        {"Qualifier": "1", "ProvisionedConcurrentExecutions": 2},
        202,
    ),
    ("GetProvisionedConcurrencyConfig", {"Qualifier": "1"}, 200),
    ("ListProvisionedConcurrencyConfigs", {}, 200),
    ("DeleteProvisionedConcurrencyConfig", {"Qualifier": "1"}, 204),
    ("Invoke", {"Payload": b"{}"}, 200),
    ("Invoke", {"InvocationType": "Event"}, 202),
    ("Invoke", {"InvocationType": "DryRun"}, 204),
    ("PutFunctionConcurrency", {"ReservedConcurrentExecutions": 5}, 200),
    ("GetFunctionConcurrency", {}, 200),
    ("DeleteFunctionConcurrency", {}, 204),
    ("PutFunctionEventInvokeConfig", {"MaximumRetryAttempts": 1}, 200),
    ("UpdateFunctionEventInvokeConfig", {"MaximumRetryAttempts": 0}, 200),
    ("GetFunctionEventInvokeConfig", {}, 200),
    ("ListFunctionEventInvokeConfigs", {}, 200),
    ("DeleteFunctionEventInvokeConfig", {}, 204),
    ("CreateFunctionUrlConfig", {"AuthType": "NONE"}, 201),
    ("GetFunctionUrlConfig", {}, 200),
    ("UpdateFunctionUrlConfig", {"InvokeMode": "BUFFERED"}, 200),
    ("ListFunctionUrlConfigs", {}, 200),
    ("DeleteFunctionUrlConfig", {}, 204),
    ("TagResource", {"Resource": ARN, "Tags": {"team": "a"}}, 204),
    ("ListTags", {"Resource": ARN}, 200),
    ("UntagResource", {"Resource": ARN, "TagKeys": ["team"]}, 204),
    ("GetAccountSettings", {}, 200),
    ("DeleteFunction", {}, 204),
)
"""In the order in which they are called, on the function `each`: arguments, and the status."""
ASKED = frozenset((
    "CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "GetFunction",
    "GetFunctionConfiguration", "ListFunctions", "DeleteFunction", "PublishVersion",
    "ListVersionsByFunction", "CreateAlias", "GetAlias", "UpdateAlias", "DeleteAlias", "Invoke",
    "InvokeWithResponseStream", "PutFunctionConcurrency", "GetFunctionConcurrency",
    "DeleteFunctionConcurrency", "PutFunctionEventInvokeConfig", "GetFunctionEventInvokeConfig",
    "CreateFunctionUrlConfig", "GetFunctionUrlConfig", "PutProvisionedConcurrencyConfig",
    "GetProvisionedConcurrencyConfig", "CreateEventSourceMapping", "AddPermission", "GetPolicy",
    "RemovePermission", "TagResource", "UntagResource", "ListTags", "GetAccountSettings",
    "GetFunctionCodeSigningConfig",
))  # fmt: skip
"""What the tools at hand use of Lambda: each is there, or the documentation says that it is not."""
NAMELESS = frozenset(("ListFunctions", "GetAccountSettings"))
"""Operations that are not about one function."""


@pytest.fixture(scope="module")
def client(access: Access) -> Iterator[Any]:
    """A Lambda client with the key."""
    made = boto3.client(
        "lambda",
        endpoint_url=access.server.control_url,
        region_name="edge",
        aws_access_key_id=access.key_id,
        aws_secret_access_key=access.secret,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    yield made
    made.close()


def test_every_operation(client: Any, echo_zip: bytes) -> None:
    """Each is answered with Lambda's status, in a shape that boto3 reads."""
    for operation, arguments, status in OPERATIONS:
        given = dict(arguments)
        if operation not in NAMELESS and "Resource" not in given:
            given["FunctionName"] = "each"
        if operation == "CreateFunction":
            given["Code"] = {"ZipFile": echo_zip}
        if operation == "UpdateFunctionCode":
            given["ZipFile"] = echo_zip
        answered = getattr(client, xform_name(operation))(**given)
        assert answered["ResponseMetadata"]["HTTPStatusCode"] == status, operation


def test_the_documentation_names_what_is_called(client: Any) -> None:
    """Each operation that `docs/lambda.md` marks ✓ is called above, and no other; the rest is named
    as not there, by a name that Lambda has."""
    known = set(client.meta.service_model.operation_names)
    marked: dict[str, set[str]] = {"✓": set(), "–": set()}
    for line in (ROOT / "docs" / "lambda.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3 and cells[2] in marked:
            marked[cells[2]] |= set(cells[1].split(", ")) & known
    assert marked["✓"] == {operation for operation, *_ in OPERATIONS}
    assert not marked["✓"] & marked["–"]
    assert marked["✓"] | marked["–"] >= ASKED


def test_the_life_of_a_function(client: Any, echo_zip: bytes, actor_zip: bytes) -> None:
    """From creation to deletion, each step's effect seen by the next."""
    name = {"FunctionName": "life"}
    client.create_function(
        **name,
        Role=ROLE,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Code={"ZipFile": echo_zip},
        Tags={"team": "a"},
    )
    client.get_waiter("function_active_v2").wait(**name)
    _invoke_in_every_way(client, name)
    assert client.publish_version(**name)["Version"] == "1"

    client.update_function_code(**name, ZipFile=actor_zip)
    client.get_waiter("function_updated_v2").wait(**name)
    failed = client.invoke(**name, Payload=b'{"rawPath": "/fail", "body": "x"}', LogType="Tail")
    assert (failed["StatusCode"], failed["FunctionError"]) == (200, "Unhandled")
    assert json.load(failed["Payload"])["errorType"] == "SecretError"
    assert b"REPORT RequestId" in base64.b64decode(failed["LogResult"])
    client.update_function_configuration(**name, Timeout=5, Environment={"Variables": {"A": "1"}})
    client.get_waiter("function_updated_v2").wait(**name)
    published = client.publish_version(**name)
    assert published["Version"] == "2"
    shown = client.get_function_configuration(**name, Qualifier="2")
    assert (shown["Timeout"], shown["Environment"]["Variables"]) == (5, {"A": "1"})
    _shift_an_alias(client, name)

    client.put_function_concurrency(**name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(**name)
    client.delete_function_concurrency(**name)
    assert client.invoke(**name)["StatusCode"] == 200

    arn = published["FunctionArn"].removesuffix(":2")
    client.tag_resource(Resource=arn, Tags={"stage": "test"})
    client.untag_resource(Resource=arn, TagKeys=["team"])
    assert client.get_function(**name)["Tags"] == {"stage": "test"}
    client.delete_function(**name)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(**name)


def _invoke_in_every_way(client: Any, name: dict[str, str]) -> None:
    answered = client.invoke(**name, Payload=b'{"n": 1}')
    assert (json.load(answered["Payload"]), answered["ExecutedVersion"]) == ({"n": 1}, "$LATEST")
    assert client.invoke(**name, InvocationType="DryRun")["StatusCode"] == 204
    assert client.invoke(**name, InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    told = base64.b64encode(b'{"custom": {"a": 1}}').decode()
    answered = client.invoke(**name, Payload=b'{"echo": "context"}', ClientContext=told)
    assert json.load(answered["Payload"])["clientContext"] == {"custom": {"a": 1}}


def _shift_an_alias(client: Any, name: dict[str, str]) -> None:
    """From version 1 to 2: all of one, a share of both, all of the other."""
    alias = {**name, "Name": "live"}
    client.create_alias(**alias, FunctionVersion="1")

    def answering() -> set[str]:
        answers = [client.invoke(**name, Qualifier="live") for _ in range(40)]
        return {answered["ExecutedVersion"] for answered in answers}

    assert answering() == {"1"}
    client.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert answering() == {"1", "2"}
    client.update_alias(**alias, FunctionVersion="2", RoutingConfig={})
    assert answering() == {"2"}
    assert client.get_alias(**alias)["FunctionVersion"] == "2"


def test_a_wrong_secret_is_refused(access: Access) -> None:
    """The host is closed, and boto3 names the reason."""
    stranger = boto3.client(
        "lambda",
        endpoint_url=access.server.control_url,
        region_name="edge",
        aws_access_key_id=access.key_id,
        aws_secret_access_key="wrong",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    with pytest.raises(ClientError) as error:
        stranger.list_functions()
    assert error.value.response["Error"]["Code"] == "InvalidSignatureException"
    stranger.close()
