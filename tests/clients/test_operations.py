"""Every operation that `docs/lambda.md` names, by boto3, signing, against a closed host."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.clients.conftest import Access
from tests.front.lambda_calls import ROLE, lambda_client, refused
from tests.toolchain import ROOT

ARN = "arn:aws:lambda:edge:000000000000:function:"
ANYBODY = {"Action": "lambda:*", "Principal": "*"}
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
    ("InvokeWithResponseStream", {"Payload": b"{}"}, 200),
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
    ("AddPermission", {"StatementId": "a", **ANYBODY}, 201),
    ("GetPolicy", {}, 200),
    ("RemovePermission", {"StatementId": "a"}, 204),
    ("TagResource", {"Tags": {"team": "a"}}, 204),
    ("ListTags", {}, 200),
    ("UntagResource", {"TagKeys": ["team"]}, 204),
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
TAGGED = frozenset(("TagResource", "ListTags", "UntagResource"))
"""Operations that name a function by its ARN only."""
QUALIFIED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GetFunction", "1", {}),
    ("GetFunctionConfiguration", "1", {}),
    ("Invoke", "1", {}),
    ("Invoke", "live", {}),
    ("Invoke", "$LATEST", {}),
    ("InvokeWithResponseStream", "live", {}),
    (
        "PutProvisionedConcurrencyConfig",
        "live",
        {"Qualifier": "live", "ProvisionedConcurrentExecutions": 2},
    ),
    ("GetProvisionedConcurrencyConfig", "live", {"Qualifier": "live"}),
    ("DeleteProvisionedConcurrencyConfig", "live", {"Qualifier": "live"}),
    ("PutFunctionEventInvokeConfig", "live", {"MaximumRetryAttempts": 1}),
    ("UpdateFunctionEventInvokeConfig", "live", {"MaximumRetryAttempts": 0}),
    ("GetFunctionEventInvokeConfig", "live", {}),
    ("DeleteFunctionEventInvokeConfig", "live", {}),
    ("CreateFunctionUrlConfig", "live", {"AuthType": "NONE"}),
    ("GetFunctionUrlConfig", "live", {}),
    ("UpdateFunctionUrlConfig", "live", {"InvokeMode": "BUFFERED"}),
    ("DeleteFunctionUrlConfig", "live", {}),
    ("AddPermission", "1", {"StatementId": "a", **ANYBODY}),
    ("GetPolicy", "1", {}),
    ("RemovePermission", "1", {"StatementId": "a"}),
    ("AddPermission", "live", {"StatementId": "a", **ANYBODY}),
    ("RemovePermission", "live", {"StatementId": "a"}),
    ("DeleteFunction", "2", {}),
)
"""What takes a version or an alias, in the order in which it is called, on `qualified`."""
WAYS: dict[str, Callable[[str], str]] = {
    "name": lambda name: name,
    "ARN": lambda name: ARN + name,
    "account": lambda name: f"000000000000:function:{name}",
}
"""How a function may be named; an ARN arrives percent-encoded."""


def call(client: Any, operation: str, name: str, echo_zip: bytes, **arguments: Any) -> Any:
    """One operation of the tables on a function."""
    if operation in TAGGED:
        arguments["Resource"] = ARN + name.rpartition(":")[2]
    elif operation not in NAMELESS:
        arguments["FunctionName"] = name
    if operation == "CreateFunction":
        arguments["Code"] = {"ZipFile": echo_zip}
    if operation == "UpdateFunctionCode":
        arguments["ZipFile"] = echo_zip
    answered = getattr(client, xform_name(operation))(**arguments)
    if operation == "InvokeWithResponseStream":
        answered["EventStream"].close()
    return answered


@pytest.fixture
def slashed(access: Access) -> Iterator[Any]:
    """A client that ends its paths in a slash."""

    def slash(request: Any, **_: Any) -> None:
        parts = urlsplit(request.url)
        request.url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/"))

    with lambda_client(access.server.control_url, access.key_id, access.secret) as made:
        made.meta.events.register("before-sign.lambda", slash)
        yield made


@pytest.mark.parametrize("way", WAYS)
def test_every_operation(client: Any, echo_zip: bytes, way: str) -> None:
    """Each is answered with Lambda's status, in a shape that boto3 reads, however it is named."""
    for operation, arguments, status in OPERATIONS:
        answered = call(client, operation, WAYS[way](f"each-{way}"), echo_zip, **arguments)
        metadata = answered["ResponseMetadata"]
        assert metadata["HTTPStatusCode"] == status, operation
        assert metadata["HTTPHeaders"]["x-amzn-requestid"], operation


def test_every_path_may_end_in_a_slash(slashed: Any, echo_zip: bytes) -> None:
    """As some of Lambda's clients write them; the slash is signed as it is."""
    for operation, arguments, status in OPERATIONS:
        answered = call(slashed, operation, "each", echo_zip, **arguments)
        assert answered["ResponseMetadata"]["HTTPStatusCode"] == status, operation


@pytest.mark.parametrize("way", WAYS)
def test_a_qualifier_in_the_name(client: Any, echo_zip: bytes, way: str) -> None:
    """`name:qualifier` is what the name with `Qualifier` is."""
    name = f"qualified-{way}"
    call(client, "CreateFunction", name, echo_zip, **OPERATIONS[0][1], Publish=True)
    call(client, "UpdateFunctionConfiguration", name, echo_zip, Timeout=5)
    call(client, "PublishVersion", name, echo_zip)
    call(client, "CreateAlias", name, echo_zip, Name="live", FunctionVersion="1")
    for operation, qualifier, arguments in QUALIFIED:
        reference = WAYS[way](f"{name}:{qualifier}")
        answered = call(client, operation, reference, echo_zip, **arguments)
        version = {"live": "1"}.get(qualifier, qualifier)
        assert answered.get("ExecutedVersion", version) == version, operation
        assert answered["ResponseMetadata"]["HTTPStatusCode"] < 300, operation
    client.delete_function(FunctionName=name)


def test_every_operation_on_what_is_not_there(client: Any, echo_zip: bytes) -> None:
    """404 by Lambda's name, with a type and a request id."""
    for operation, arguments, _ in OPERATIONS:
        if operation in NAMELESS or operation == "CreateFunction":
            continue
        with pytest.raises(ClientError) as error:
            call(client, operation, "nobody", echo_zip, **arguments)
        assert refused(error) == ("ResourceNotFoundException", 404), operation
        response = error.value.response
        assert response["Type"] == "User", operation
        headers = response["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-amzn-errortype"] == "ResourceNotFoundException", operation
        assert headers["x-amzn-requestid"], operation


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
