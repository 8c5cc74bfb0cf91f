"""Aliases through Lambda's API, and what is reached by their names."""

import json
from math import sqrt
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.front.lambda_calls import create, payload, refused
from tests.running import Server

SPLIT = {"AdditionalVersionWeights": {"2": 0.5}}


@pytest.fixture(scope="module", autouse=True)
def aliased(client: Any, host: Server, echo: bytes, actor: bytes) -> None:
    """`aliased` with versions 1 and 2."""
    create(client, "aliased", echo, Publish=True)
    client.update_function_configuration(FunctionName="aliased", Timeout=9)
    client.publish_version(FunctionName="aliased")


@pytest.fixture
def live(client: Any) -> Any:
    """The alias `live` of version 1, gone afterwards."""
    made = client.create_alias(FunctionName="aliased", Name="live", FunctionVersion="1")
    yield made
    client.delete_alias(FunctionName="aliased", Name="live")


def test_the_life_of_an_alias(client: Any) -> None:
    """Made, read, shifted, listed by version, refused under an old revision, gone."""
    names = {"FunctionName": "aliased", "Name": "stage"}
    made = client.create_alias(**names, FunctionVersion="1", Description="d")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["AliasArn"].endswith(":function:aliased:stage")
    assert "RoutingConfig" not in made
    got = client.get_alias(**names)
    assert (got["FunctionVersion"], got["Description"]) == ("1", "d")
    shifted = client.update_alias(**names, RoutingConfig=SPLIT)
    assert shifted["RoutingConfig"] == SPLIT
    assert shifted["Description"] == "d"
    for version in ("1", "2"):
        page = client.list_aliases(FunctionName="aliased", FunctionVersion=version)["Aliases"]
        assert [each["Name"] for each in page] == ["stage"]
    with pytest.raises(ClientError) as error:
        client.update_alias(**names, FunctionVersion="2", RevisionId=made["RevisionId"])
    assert refused(error) == ("PreconditionFailedException", 412)
    moved = client.update_alias(
        **names, FunctionVersion="2", RoutingConfig={}, RevisionId=shifted["RevisionId"]
    )
    assert moved["FunctionVersion"] == "2"
    assert "RoutingConfig" not in moved
    client.delete_alias(**names)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_alias(**names)


def test_aliases_are_listed_in_pages(client: Any) -> None:
    """boto3's paginator gets each once, in order of name."""
    for name in ("c", "a", "b"):
        client.create_alias(FunctionName="aliased", Name=name, FunctionVersion="1")
    pages = client.get_paginator("list_aliases").paginate(
        FunctionName="aliased", PaginationConfig={"PageSize": 2}
    )
    assert [each["Name"] for page in pages for each in page["Aliases"]] == ["a", "b", "c"]
    for name in ("a", "b", "c"):
        client.delete_alias(FunctionName="aliased", Name=name)


@pytest.mark.parametrize(
    ("members", "code", "status"),
    [
        ({"Name": "1"}, "InvalidParameterValueException", 400),
        ({"FunctionVersion": "9"}, "ResourceNotFoundException", 404),
        ({"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
        ({"FunctionVersion": "$LATEST", "RoutingConfig": SPLIT},
         "InvalidParameterValueException", 400),
        ({"FunctionVersion": "2", "RoutingConfig": SPLIT}, "InvalidParameterValueException", 400),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1, "1": 0.1}}},
         "InvalidParameterValueException", 400),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"9": 0.1}}},
         "ResourceNotFoundException", 404),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}}},
         "InvalidParameterValueException", 400),
        ({"Name": "live"}, "ResourceConflictException", 409),
    ],
)  # fmt: skip
def test_aliases_that_are_refused(
    client: Any, live: Any, members: dict[str, Any], code: str, status: int
) -> None:
    """Lambda's rules, by Lambda's names."""
    asked = {"FunctionName": "aliased", "Name": "x", "FunctionVersion": "1", **members}
    with pytest.raises(ClientError) as error:
        client.create_alias(**asked)
    assert refused(error) == (code, status)


def test_a_version_with_an_alias_cannot_be_deleted(client: Any, live: Any) -> None:
    """What an alias leads to stays."""
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.delete_function(FunctionName="aliased", Qualifier="1")


def test_an_alias_is_a_qualifier(client: Any, host: Server, live: Any) -> None:
    """Invoke, GetFunction, event rules, URLs and the data plane take it as they take a version."""
    answered = client.invoke(FunctionName="aliased", Qualifier="live", Payload=b"1")
    assert (payload(answered), answered["ExecutedVersion"]) == (1, "1")
    assert client.invoke(FunctionName="aliased:live")["ExecutedVersion"] == "1"
    assert client.invoke(FunctionName=live["AliasArn"])["ExecutedVersion"] == "1"
    event = client.invoke(FunctionName="aliased", Qualifier="live", InvocationType="Event")
    assert event["StatusCode"] == 202
    told = client.get_function(FunctionName="aliased", Qualifier="live")["Configuration"]
    assert (told["Version"], told["FunctionArn"]) == ("1", live["AliasArn"])
    rules = client.put_function_event_invoke_config(
        FunctionName="aliased", Qualifier="live", MaximumRetryAttempts=0
    )
    assert rules["FunctionArn"] == live["AliasArn"]
    client.create_function_url_config(FunctionName="aliased", Qualifier="live", AuthType="NONE")
    assert host.http.get("/aliased:live/x").headers["x-edge-version"] == "1"
    assert host.http.get("/aliased:absent").status_code == 404


def test_a_split_and_its_pins(client: Any, host: Server, live: Any) -> None:
    """Both versions answer; a header or a cookie keeps to one; a stranger's number does nothing."""
    client.update_alias(FunctionName="aliased", Name="live", RoutingConfig=SPLIT)

    def versions(**headers: str) -> set[str]:
        answers = [host.http.get("/aliased:live", headers=headers) for _ in range(64)]
        return {answer.headers["x-edge-version"] for answer in answers}

    assert versions() == {"1", "2"}  # but for once in 2⁶³ runs
    for version in ("1", "2"):
        assert versions(**{"x-edge-version": version}) == {version}
        assert versions(cookie=f"a=b; edge-version={version}") == {version}
    assert versions(**{"x-edge-version": "7"}) == {"1", "2"}
    told = client.get_function(FunctionName="aliased", Qualifier="live")["Configuration"]
    assert told["Version"] == "1"
    body = json.dumps({"n": 1}).encode()
    ran = {
        client.invoke(FunctionName="aliased:live", Payload=body)["ExecutedVersion"]
        for _ in range(64)
    }
    assert ran == {"1", "2"}


def test_a_split_holds(client: Any, host: Server, live: Any) -> None:
    """Of many events each version gets its share, within a binomial bound."""
    weight, draws, sigmas = 0.25, 600, 6  # beyond that once in 10⁹ runs
    weights = {"AdditionalVersionWeights": {"2": weight}}
    client.update_alias(FunctionName="aliased", Name="live", RoutingConfig=weights)
    answers = [host.http.get("/aliased:live") for _ in range(draws)]
    count = sum(answer.headers["x-edge-version"] == "2" for answer in answers)
    assert abs(count - draws * weight) <= sigmas * sqrt(draws * weight * (1 - weight))


def test_a_function_is_told_what_it_was_called_by(client: Any, host: Server, echo: bytes) -> None:
    """`invokedFunctionArn` names the alias, `functionVersion` the version behind it."""
    create(client, "named", echo, Publish=True)
    alias = client.create_alias(FunctionName="named", Name="live", FunctionVersion="1")
    by = client.get_function(FunctionName="named", Qualifier="1")["Configuration"]["FunctionArn"]
    for qualifier, arn in (("live", alias["AliasArn"]), ("1", by)):
        answered = client.invoke(
            FunctionName="named", Qualifier=qualifier, Payload=b'{"echo": "context"}'
        )
        context = payload(answered)
        assert (context["invokedFunctionArn"], context["functionVersion"]) == (arn, "1")
