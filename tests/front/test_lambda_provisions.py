"""Provisioned concurrency and SnapStart through Lambda's API."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import wat
from tests.front.lambda_calls import create, payload, refused
from tests.running import Server

HOOKED = wat.guest(
    more="""
  (data (i32.const 105) "i0 r0")
  (func (export "edge_init") (i32.store8 (i32.const 106)
    (i32.add (i32.load8_u (i32.const 106)) (i32.const 1))))
  (func (export "edge_restore") (i32.store8 (i32.const 109)
    (i32.add (i32.load8_u (i32.const 109)) (i32.const 1))))""",
)
"""Counts in its answer how often it was initialised and restored."""


@pytest.fixture(scope="module", autouse=True)
def ready(client: Any, host: Server, echo: bytes) -> None:
    """`ready` with version 1 and the alias `live`."""
    create(client, "ready", echo, Publish=True)
    client.create_alias(FunctionName="ready", Name="live", FunctionVersion="1")


def test_the_life_of_a_provision(client: Any) -> None:
    """Put, told as ready, listed in order, replaced, gone; a deploy leaves it."""
    for qualifier, count in (("live", 3), ("1", 2), ("1", 4)):
        put = client.put_provisioned_concurrency_config(
            FunctionName="ready", Qualifier=qualifier, ProvisionedConcurrentExecutions=count
        )
        assert put["RequestedProvisionedConcurrentExecutions"] == count
    client.update_function_configuration(FunctionName="ready", Timeout=9)
    got = client.get_provisioned_concurrency_config(FunctionName="ready", Qualifier="1")
    assert (got["Status"], got["AvailableProvisionedConcurrentExecutions"]) == ("READY", 4)
    pages = client.get_paginator("list_provisioned_concurrency_configs").paginate(
        FunctionName="ready", PaginationConfig={"PageSize": 1}
    )
    listed = [each for page in pages for each in page["ProvisionedConcurrencyConfigs"]]
    assert [each["FunctionArn"].rpartition(":")[2] for each in listed] == ["1", "live"]
    client.delete_provisioned_concurrency_config(FunctionName="ready", Qualifier="1")
    with pytest.raises(ClientError) as error:
        client.get_provisioned_concurrency_config(FunctionName="ready", Qualifier="1")
    assert refused(error) == ("ProvisionedConcurrencyConfigNotFoundException", 404)


def test_a_provision_goes_with_its_alias(client: Any) -> None:
    """A new alias of the name begins without."""
    client.create_alias(FunctionName="ready", Name="brief", FunctionVersion="1")
    client.put_provisioned_concurrency_config(
        FunctionName="ready", Qualifier="brief", ProvisionedConcurrentExecutions=1
    )
    client.delete_alias(FunctionName="ready", Name="brief")
    listed = client.list_provisioned_concurrency_configs(FunctionName="ready")
    arns = [each["FunctionArn"] for each in listed["ProvisionedConcurrencyConfigs"]]
    assert not any(arn.endswith(":brief") for arn in arns)


@pytest.mark.parametrize(
    ("qualifier", "count", "code", "status"),
    [
        ("$LATEST", 1, "InvalidParameterValueException", 400),
        ("1", 1_001, "InvalidParameterValueException", 400),
        ("9", 1, "ResourceNotFoundException", 404),
        ("absent", 1, "ResourceNotFoundException", 404),
    ],
)
def test_provisions_that_are_refused(
    client: Any, qualifier: str, count: int, code: str, status: int
) -> None:
    """Not for what moves with every deploy, not more than the host has, not for nobody."""
    with pytest.raises(ClientError) as error:
        client.put_provisioned_concurrency_config(
            FunctionName="ready", Qualifier=qualifier, ProvisionedConcurrentExecutions=count
        )
    assert refused(error) == (code, status)


def test_no_more_than_is_reserved(client: Any, echo: bytes) -> None:
    """What stands ready can run."""
    create(client, "narrow", echo, Publish=True)
    client.put_function_concurrency(FunctionName="narrow", ReservedConcurrentExecutions=2)
    with pytest.raises(ClientError) as error:
        client.put_provisioned_concurrency_config(
            FunctionName="narrow", Qualifier="1", ProvisionedConcurrentExecutions=3
        )
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_snap_start_is_our_snapshot(client: Any, echo: bytes) -> None:
    """On unless it is declined; what was asked for and what came of it are told apart, so that a
    tool which never asked finds nothing to take away."""
    snap = {"FunctionName": "snap"}
    assert create(client, "snap", echo)["SnapStart"] == {
        "ApplyOn": "None",
        "OptimizationStatus": "On",
    }
    for apply_on, status in (("None", "Off"), ("PublishedVersions", "On")):
        changed = client.update_function_configuration(**snap, SnapStart={"ApplyOn": apply_on})
        assert changed["SnapStart"] == {"ApplyOn": apply_on, "OptimizationStatus": status}
        assert payload(client.invoke(**snap, Payload=b"1")) == 1
        kept = client.update_function_configuration(**snap, Description=apply_on)
        assert kept["SnapStart"] == changed["SnapStart"]
    with pytest.raises(ClientError) as error:
        client.update_function_configuration(**snap, SnapStart={"ApplyOn": "Always"})
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_the_restore_hook_runs_for_each_event(client: Any) -> None:
    """`edge_init` ran once, before the snapshot; `edge_restore` runs after each restore of it."""
    create(client, "hooked", HOOKED, SnapStart={"ApplyOn": "PublishedVersions"}, Publish=True)
    for qualifier in ("1", "$LATEST", "1"):
        answered = client.invoke(FunctionName="hooked", Qualifier=qualifier)
        assert payload(answered) == "i1 r1"
