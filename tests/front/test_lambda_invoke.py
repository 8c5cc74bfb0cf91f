"""Invoke, driven by boto3: what is answered, and what is refused."""

import base64
import json
from typing import Any

import cbor2
import pytest
from botocore.exceptions import ClientError

from tests.front.lambda_calls import payload, refused
from tests.running import Server


def test_an_invocation_returns_json_and_what_it_was(client: Any, host: Server) -> None:
    """Payload, executed version and request id; bytes in the value as base64."""
    response = client.invoke(FunctionName="actor", Payload=b'{"rawPath": "/context"}')
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in response
    context = payload(response)
    request_id = response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
    assert (context["functionName"], context["requestId"]) == ("actor", request_id)
    value = base64.b64encode(cbor2.dumps({"a": b"\xff"})).decode()
    event = {"rawPath": "/return", "body": value, "isBase64Encoded": True}
    response = client.invoke(FunctionName="actor", Payload=json.dumps(event))
    assert payload(response) == {"a": "/w=="}


def test_no_payload_is_an_empty_event(client: Any, host: Server) -> None:
    """A function is never handed nothing."""
    assert payload(client.invoke(FunctionName="echo")) == {}


def test_the_client_context_reaches_the_function(client: Any, host: Server) -> None:
    """What a mobile client says of itself is in the function's context."""
    context = base64.b64encode(b'{"custom": {"a": 1}}').decode()
    event = b'{"echo": "context"}'
    response = client.invoke(FunctionName="echo", Payload=event, ClientContext=context)
    assert payload(response)["clientContext"] == {"custom": {"a": 1}}


def test_the_log_tail(client: Any, host: Server) -> None:
    """The last 4 KB of the log, ended by Lambda's report line."""
    event = json.dumps({"rawPath": "/log", "body": "line\n" * 3_000}).encode()
    response = client.invoke(FunctionName="actor", Payload=event, LogType="Tail")
    tail = base64.b64decode(response["LogResult"]).decode()
    assert len(tail) == 4096
    assert "line\n" in tail
    assert tail.splitlines()[-1].startswith("REPORT RequestId: ")
    assert "Billed Duration: " in tail


@pytest.mark.parametrize(
    ("path", "error_type"),
    [("/fail", "SecretError"), ("/trap", None), ("/loop", None)],
)
def test_a_functions_own_error_is_a_result(
    client: Any, host: Server, path: str, error_type: str | None
) -> None:
    """Status 200, FunctionError, and Lambda's error object: the owner may read it all."""
    event = json.dumps({"rawPath": path, "body": "detail"})
    response = client.invoke(FunctionName="actor", Payload=event)
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    error = payload(response)
    assert set(error) == {"errorType", "errorMessage", "stackTrace"}
    if error_type:
        assert (error["errorType"], error["errorMessage"]) == (error_type, "a secret: detail")


def test_a_value_that_is_no_json_is_the_functions_error(client: Any, host: Server) -> None:
    """Rather than broken JSON, the client gets an error object."""
    nan = {"rawPath": "/return", "body": "+X4A", "isBase64Encoded": True}
    response = client.invoke(FunctionName="actor", Payload=json.dumps(nan))
    assert response["FunctionError"] == "Unhandled"
    assert payload(response)["errorType"] == "Runtime.MarshalError"


@pytest.mark.parametrize(("output", "result"), [(b'{"a": 1}', {"a": 1}), (b'"text"', "text")])
def test_a_command_returns_what_it_printed(
    client: Any, host: Server, output: bytes, result: Any
) -> None:
    """Output that is JSON is the payload itself."""
    assert payload(client.invoke(FunctionName="cat", Payload=output)) == result


def test_a_dry_run_runs_nothing(client: Any, host: Server) -> None:
    """204 for what would run, 404 for what would not."""
    assert client.invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody", InvocationType="DryRun")


def test_an_async_invocation_runs_later(client: Any, host: Server) -> None:
    """202 at once, for up to 1 MiB; its run is in the usage."""
    answered = client.invoke(FunctionName="echo", InvocationType="Event", Payload=b"{}")
    assert answered["StatusCode"] == 202
    refusal = host.control.post(
        "/2015-03-31/functions/echo/invocations",
        headers={"x-amz-invocation-type": "Event"},
        content=b'"' + b"x" * (1 << 20) + b'"',
    )
    assert (refusal.status_code, refusal.headers["x-amzn-errortype"]) == (
        413,
        "RequestTooLargeException",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        ({"Payload": b"{"}, "InvalidRequestContentException", 400),
        ({"Payload": b'"\\ud800"'}, "InvalidRequestContentException", 400),
        ({"Payload": b"[" * 70 + b"]" * 70}, "InvalidRequestContentException", 400),
        ({"Payload": b"1" * 30}, "InvalidRequestContentException", 400),
        ({"ClientContext": "e30"}, "InvalidRequestContentException", 400),
        ({"ClientContext": "!"}, "InvalidRequestContentException", 400),
        ({"LogType": "All"}, "InvalidParameterValueException", 400),
        ({"TenantId": "a"}, "InvalidParameterValueException", 400),
        ({"InvocationType": "Later"}, "InvalidParameterValueException", 400),
        ({"FunctionName": "echo:1", "Qualifier": "2"}, "InvalidParameterValueException", 400),
        ({"FunctionName": "no.name"}, "InvalidParameterValueException", 400),
        ({"Qualifier": "nope"}, "ResourceNotFoundException", 404),
        ({"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
        ({"Payload": b'"' + b"x" * (6 << 20) + b'"'}, "RequestTooLargeException", 413),
    ],
)
def test_invocations_that_are_refused(
    client: Any, host: Server, arguments: dict[str, Any], code: str, status: int
) -> None:
    """Each mistake has Lambda's own name for it."""
    with pytest.raises(ClientError) as error:
        client.invoke(**{"FunctionName": "echo", **arguments})
    assert refused(error) == (code, status)


def test_a_throttled_invocation(client: Any, host: Server, echo: bytes) -> None:
    """429 in the shape that makes clients back off."""
    host.deploy("shut", echo, concurrency=0)
    with pytest.raises(client.exceptions.TooManyRequestsException) as error:
        client.invoke(FunctionName="shut")
    assert error.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert error.value.response["retryAfterSeconds"] == "1"
