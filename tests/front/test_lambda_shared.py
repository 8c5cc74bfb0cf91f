"""What Lambda's API keeps with a function rather than with a version: concurrency and tags."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.front.lambda_calls import create, payload, refused
from tests.running import Server

MANY = {f"key{number}": "" for number in range(51)}


def test_reserved_concurrency(client: Any, host: Server, echo: bytes) -> None:
    """Set, told, in force for every version at once, gone again; a deploy leaves it."""
    create(client, "reserved", echo, Publish=True)
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(
        FunctionName="reserved"
    )
    before = client.get_account_settings()["AccountLimit"]
    put = client.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=0)
    assert put["ReservedConcurrentExecutions"] == 0
    for qualifier in ("$LATEST", "1"):
        with pytest.raises(client.exceptions.TooManyRequestsException) as error:
            client.invoke(FunctionName="reserved", Qualifier=qualifier)
        assert error.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert host.http.get("/reserved").status_code == 429

    client.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=7)
    host.deploy("reserved", echo)
    client.update_function_configuration(FunctionName="reserved", Timeout=9)
    got = client.get_function_concurrency(FunctionName="reserved")
    assert got["ReservedConcurrentExecutions"] == 7
    shown = client.get_function(FunctionName="reserved", Qualifier="1")["Concurrency"]
    assert shown == {"ReservedConcurrentExecutions": 7}
    after = client.get_account_settings()["AccountLimit"]
    unreserved = "UnreservedConcurrentExecutions"
    assert before[unreserved] - after[unreserved] == 7

    client.delete_function_concurrency(FunctionName="reserved")
    assert "Concurrency" not in client.get_function(FunctionName="reserved")
    assert payload(client.invoke(FunctionName="reserved", Payload=b"1")) == 1


def test_concurrency_of_a_deploy(host: Server, echo: bytes) -> None:
    """`/v1` sets it, leaves it when it is not named, and takes it away with null."""
    for settings, stands in (({"concurrency": 3}, 3), ({}, 3), ({"concurrency": None}, None)):
        assert host.deploy("ceiling", echo, **settings)["concurrency"] == stands
    assert not host.deploy("ceiling", echo)["changed"]
    assert host.deploy("ceiling", echo, concurrency=1)["changed"]


@pytest.mark.parametrize(
    ("name", "reserved", "code", "status"),
    [
        ("echo", 1_001, "InvalidParameterValueException", 400),
        ("echo:1", 1, "InvalidParameterValueException", 400),
        ("nobody", 1, "ResourceNotFoundException", 404),
    ],
)
def test_reservations_that_are_refused(
    client: Any, host: Server, name: str, reserved: int, code: str, status: int
) -> None:
    """More than the host has, for a version, for nobody."""
    with pytest.raises(ClientError) as error:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    assert refused(error) == (code, status)


def test_account_settings(client: Any, host: Server) -> None:
    """The host's own figures, in the shape that tools print."""
    told = client.get_account_settings()
    assert told["AccountLimit"]["ConcurrentExecutions"] == 1_000
    assert told["AccountUsage"]["FunctionCount"] >= 3
    assert told["AccountUsage"]["TotalCodeSize"] > 0


def test_tags(client: Any, host: Server, echo: bytes) -> None:
    """Given at creation, added, replaced and removed; they make no new version."""
    made = create(client, "tagged", echo, Tags={"team": "a"}, Publish=True)
    arn = made["FunctionArn"].removesuffix(":1")
    client.tag_resource(Resource=arn, Tags={"team": "b", "stage": "test ü"})
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "b", "stage": "test ü"}
    client.untag_resource(Resource=arn, TagKeys=["team", "absent"])
    assert client.get_function(FunctionName="tagged", Qualifier="1")["Tags"] == {"stage": "test ü"}
    assert client.publish_version(FunctionName="tagged")["Version"] == "1"


@pytest.mark.parametrize(
    ("resource", "tags", "code"),
    [
        ("echo", {"aws:stack": "x"}, "InvalidParameterValueException"),
        ("echo", {"k" * 129: ""}, "InvalidParameterValueException"),
        ("echo", {"k": "v" * 257}, "InvalidParameterValueException"),
        ("echo", MANY, "InvalidParameterValueException"),
        ("echo:$LATEST", {"k": "v"}, "InvalidParameterValueException"),
        ("nobody", {"k": "v"}, "ResourceNotFoundException"),
    ],
)
def test_tags_that_are_refused(
    client: Any, host: Server, resource: str, tags: dict[str, str], code: str
) -> None:
    """Lambda's limits; nothing is tagged then."""
    arn = f"arn:aws:lambda:edge:000000000000:function:{resource}"
    with pytest.raises(ClientError) as error:
        client.tag_resource(Resource=arn, Tags=tags)
    assert refused(error)[0] == code
    listed = client.list_tags(Resource="arn:aws:lambda:edge:000000000000:function:echo")
    assert listed["Tags"] == {}
