"""boto3, signing, drives a function's life on a closed host."""

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clients.conftest import Access
from tests.front.lambda_calls import ROLE, lambda_client, refused


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

    _permit(client, name)
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


def _permit(client: Any, name: dict[str, str]) -> None:
    """Let a service call, see it, and take it back."""
    called = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    client.add_permission(**name, StatementId="inbox", **called, SourceArn="arn:aws:s3:::inbox")
    [statement] = json.loads(client.get_policy(**name)["Policy"])["Statement"]
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::inbox"}}
    client.remove_permission(**name, StatementId="inbox")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(**name)


def test_a_wrong_secret_is_refused(access: Access) -> None:
    """The host is closed, and boto3 names the reason."""
    with (
        lambda_client(access.server.control_url, access.key_id, "wrong") as stranger,
        pytest.raises(ClientError) as error,
    ):
        stranger.list_functions()
    assert refused(error) == ("InvalidSignatureException", 403)
