"""Event source mappings: nothing can be mapped yet, and whoever tries is told so."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.front.lambda_calls import refused
from tests.running import Server

QUEUE = "arn:aws:sqs:us-east-1:000000000000:jobs"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/clicks"
UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"
INVALID = ("InvalidParameterValueException", 400)
ABSENT = ("ResourceNotFoundException", 404)


def test_there_are_none(client: Any, host: Server) -> None:
    """A page of none, whichever are asked for."""
    assert client.list_event_source_mappings()["EventSourceMappings"] == []
    page = client.list_event_source_mappings(
        FunctionName="echo", EventSourceArn=QUEUE, MaxItems=100
    )
    assert page["EventSourceMappings"] == []
    pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName="echo")
    assert [each for page in pages for each in page["EventSourceMappings"]] == []


@pytest.mark.parametrize("operation", ["get", "update", "delete"])
def test_none_can_be_found(client: Any, host: Server, operation: str) -> None:
    """Of a UUID that was never given, and of what is no UUID."""
    for uuid, told in ((UNKNOWN, ABSENT), ("x" * 36, INVALID)):
        with pytest.raises(ClientError) as error:
            getattr(client, f"{operation}_event_source_mapping")(UUID=uuid)
        assert refused(error) == told


@pytest.mark.parametrize("name", ["echo", "echo:$LATEST", "000000000000:function:echo"])
@pytest.mark.parametrize(
    ("arn", "position"), [(QUEUE, {}), (STREAM, {"StartingPosition": "LATEST"})]
)
def test_a_right_call_is_told_that_there_are_no_sources(
    client: Any, host: Server, name: str, arn: str, position: dict[str, str]
) -> None:
    """Nothing is wrong with it but the host, and it says so."""
    with pytest.raises(ClientError) as error:
        client.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, **position)
    assert refused(error) == INVALID
    assert "this host has no event sources" in error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("members", "told", "about"),
    [
        ({"FunctionName": "nobody"}, ABSENT, "nobody"),
        ({"FunctionName": "echo:7"}, ABSENT, "7"),
        ({"FunctionName": "no.name"}, INVALID, "no.name"),
        ({"EventSourceArn": ""}, INVALID, "EventSourceArn"),
        ({"EventSourceArn": "jobs"}, INVALID, "EventSourceArn"),
        ({"SelfManagedEventSource": {"Endpoints": {}}}, INVALID, "either"),
        ({"EventSourceArn": STREAM}, INVALID, "StartingPosition"),
        ({"StartingPosition": "MIDDLE"}, INVALID, "StartingPosition"),
        ({"StartingPosition": "AT_TIMESTAMP"}, INVALID, "StartingPositionTimestamp"),
        ({"BatchSize": 10_001}, INVALID, "BatchSize"),
        ({"MaximumBatchingWindowInSeconds": 301}, INVALID, "MaximumBatchingWindowInSeconds"),
        ({"ParallelizationFactor": 11}, INVALID, "ParallelizationFactor"),
        ({"MaximumRecordAgeInSeconds": 59}, INVALID, "MaximumRecordAgeInSeconds"),
        ({"MaximumRetryAttempts": 10_001}, INVALID, "MaximumRetryAttempts"),
        ({"TumblingWindowInSeconds": 901}, INVALID, "TumblingWindowInSeconds"),
        ({"FunctionResponseTypes": ["Everything"]}, INVALID, "FunctionResponseTypes"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(
    client: Any, host: Server, members: dict[str, Any], told: tuple[str, int], about: str
) -> None:
    """By Lambda's rules, before anything is said of this host."""
    asked = {"FunctionName": "echo", "EventSourceArn": QUEUE, **members}
    with pytest.raises(ClientError) as error:
        client.create_event_source_mapping(**asked)
    assert refused(error) == told
    message = error.value.response["Error"]["Message"]
    assert about in message
    assert "this host" not in message


def test_updates_and_listings_are_judged_too(client: Any, host: Server) -> None:
    """A wrong member and a wrong marker are no question of whether a mapping is there."""
    for call in (
        lambda: client.update_event_source_mapping(UUID=UNKNOWN, BatchSize=10_001),
        lambda: client.list_event_source_mappings(Marker="x"),
        lambda: client.list_event_source_mappings(MaxItems=10_001),
        lambda: client.list_event_source_mappings(EventSourceArn="jobs"),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert refused(error) == INVALID
    with pytest.raises(ClientError) as error:
        client.list_event_source_mappings(FunctionName="nobody")
    assert refused(error) == ABSENT
