"""State and LastUpdateStatus, on a host that answers before it builds, as Lambda does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests import wat
from tests.front.lambda_calls import create, lambda_client, payload, refused
from tests.front.packages import package
from tests.running import Server

QUICK = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host of one worker where every build outlasts its request."""
    data = tmp_path_factory.mktemp("impatient") / "data"
    with Server(data, settings={"deploy_wait_ms": 0}) as running:
        yield running


@pytest.fixture(scope="module")
def caller(impatient: Server) -> Iterator[Any]:
    """A Lambda client of that host."""
    with lambda_client(impatient.control_url) as made:
        yield made


def zipped(module: bytes) -> bytes:
    """A package with one module."""
    return package({"bootstrap.wasm": module})


def test_a_creation_is_pending_then_active(caller: Any, impatient: Server) -> None:
    """Shown while it is built, not to be invoked nor made twice, then there with its number."""
    made = create(caller, "slow", wat.HELLO, Publish=True)
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert made["LastUpdateStatus"] == "InProgress"
    for again in (
        lambda: create(caller, "slow", wat.HELLO),
        lambda: caller.invoke(FunctionName="slow"),
        lambda: caller.delete_function(FunctionName="slow"),
    ):
        with pytest.raises(ClientError) as error:
            again()
        assert refused(error) == ("ResourceConflictException", 409)
    caller.get_waiter("function_active_v2").wait(FunctionName="slow", WaiterConfig=QUICK)
    assert payload(caller.invoke(FunctionName="slow", Qualifier="1")) == "hello"
    told = caller.get_function_configuration(FunctionName="slow")
    assert (told["State"], told["LastUpdateStatus"]) == ("Active", "Successful")
    assert told["CodeSha256"] == made["CodeSha256"]
    assert told["CodeSize"] == made["CodeSize"]


def test_an_update_serves_the_old_code_until_it_is_done(caller: Any, impatient: Server) -> None:
    """InProgress refuses other changes, and the live version answers meanwhile."""
    create(caller, "shifting", wat.HELLO)
    caller.get_waiter("function_active_v2").wait(FunctionName="shifting", WaiterConfig=QUICK)
    world = wat.HELLO.replace(b"hello", b"world")
    told = caller.update_function_code(FunctionName="shifting", ZipFile=zipped(world))
    assert (told["State"], told["LastUpdateStatus"]) == ("Active", "InProgress")
    for other in (
        lambda: caller.update_function_code(FunctionName="shifting", ZipFile=zipped(world)),
        lambda: caller.update_function_configuration(FunctionName="shifting", Timeout=9),
        lambda: caller.publish_version(FunctionName="shifting"),
    ):
        with pytest.raises(ClientError) as error:
            other()
        assert refused(error) == ("ResourceConflictException", 409)
    assert payload(caller.invoke(FunctionName="shifting")) in ("hello", "world")
    caller.get_waiter("function_updated_v2").wait(FunctionName="shifting", WaiterConfig=QUICK)
    assert payload(caller.invoke(FunctionName="shifting")) == "world"


def test_a_failed_update_says_why_and_changes_nothing(caller: Any, impatient: Server) -> None:
    """Failed with a reason; the next update that succeeds clears it."""
    create(caller, "failing", wat.HELLO)
    caller.get_waiter("function_active_v2").wait(FunctionName="failing", WaiterConfig=QUICK)
    caller.update_function_code(FunctionName="failing", ZipFile=zipped(b"\0asm\1\0\0\0"))
    with pytest.raises(WaiterError):
        caller.get_waiter("function_updated_v2").wait(FunctionName="failing", WaiterConfig=QUICK)
    told = caller.get_function_configuration(FunctionName="failing")
    assert (told["State"], told["LastUpdateStatus"]) == ("Active", "Failed")
    assert told["LastUpdateStatusReasonCode"] == "FunctionError"
    assert told["LastUpdateStatusReason"]
    assert payload(caller.invoke(FunctionName="failing")) == "hello"
    caller.update_function_configuration(FunctionName="failing", Timeout=9)
    caller.get_waiter("function_updated_v2").wait(FunctionName="failing", WaiterConfig=QUICK)


def test_a_failed_creation_says_why_and_can_be_deleted(caller: Any, impatient: Server) -> None:
    """State Failed, no invocation, gone when deleted."""
    create(caller, "stillborn", b"\0asm\1\0\0\0")
    with pytest.raises(WaiterError):
        caller.get_waiter("function_active_v2").wait(FunctionName="stillborn", WaiterConfig=QUICK)
    told = caller.get_function(FunctionName="stillborn")["Configuration"]
    assert (told["State"], told["StateReasonCode"]) == ("Failed", "FunctionError")
    with pytest.raises(ClientError) as error:
        caller.invoke(FunctionName="stillborn")
    assert refused(error) == ("ResourceConflictException", 409)
    caller.delete_function(FunctionName="stillborn")
    with pytest.raises(caller.exceptions.ResourceNotFoundException):
        caller.get_function(FunctionName="stillborn")


def test_a_killed_host_leaves_nothing_stuck(tmp_path: Path) -> None:
    """After kill -9 in a build, a creation is Pending for a lease at most, then to be repeated."""
    with Server(tmp_path / "data", settings={"deploy_wait_ms": 0}) as server:
        with lambda_client(server.control_url) as client:
            create(client, "cut", wat.HELLO)
        server.kill()
    with Server(tmp_path / "data") as server, lambda_client(server.control_url) as client:
        waiter = client.get_waiter("function_active_v2")
        try:
            waiter.wait(FunctionName="cut", WaiterConfig=QUICK)
        except WaiterError:
            told = client.get_function(FunctionName="cut")["Configuration"]
            assert (told["State"], told["StateReasonCode"]) == ("Failed", "InternalError")
            create(client, "cut", wat.HELLO)
        assert payload(client.invoke(FunctionName="cut")) == "hello"
