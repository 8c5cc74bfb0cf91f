"""Lambda's API, driven by boto3."""

import base64
import io
from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.front.lambda_calls import create, payload, refused
from tests.front.packages import package
from tests.running import Server


def test_the_life_of_a_function(client: Any, echo: bytes, actor: bytes) -> None:
    """Create, wait, invoke, read, update code and configuration, delete: boto3 is content."""
    created = create(
        client,
        "life",
        actor,
        Timeout=2,
        MemorySize=192,
        Description="first",
        Environment={"Variables": {"B": "2", "A": "1"}},
        Tags={"team": "a"},
    )
    assert created["FunctionArn"].endswith(":function:life")
    assert (created["Timeout"], created["MemorySize"]) == (2, 192)
    assert created["Environment"] == {"Variables": {"A": "1", "B": "2"}}
    client.get_waiter("function_active_v2").wait(FunctionName="life")

    got = client.get_function(FunctionName=created["FunctionArn"])
    assert got["Configuration"]["RevisionId"] == created["RevisionId"]
    assert got["Configuration"]["Version"] == "$LATEST"
    assert got["Tags"] == {"team": "a"}
    assert got["Code"]["Location"]

    archive = package({"x.wasm": echo})
    updated = client.update_function_code(
        FunctionName="life", ZipFile=archive, RevisionId=created["RevisionId"]
    )
    client.get_waiter("function_updated_v2").wait(FunctionName="life")
    assert updated["CodeSize"] == len(archive)
    assert updated["CodeSha256"] == base64.b64encode(sha256(archive).digest()).decode()
    assert updated["Description"] == "first"
    assert payload(client.invoke(FunctionName="life", Payload=b'{"n": 1}')) == {"n": 1}

    configured = client.update_function_configuration(
        FunctionName="life", Timeout=5, Description="second"
    )
    assert (configured["Timeout"], configured["MemorySize"]) == (5, 192)
    assert configured["Description"] == "second"
    assert configured["Environment"] == {"Variables": {"A": "1", "B": "2"}}
    assert configured["CodeSha256"] == updated["CodeSha256"]
    shown = client.get_function_configuration(FunctionName="life")
    assert shown["RevisionId"] == configured["RevisionId"]

    assert client.delete_function(FunctionName="life")["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(client.exceptions.ResourceNotFoundException) as gone:
        client.get_function(FunctionName="life")
    assert refused(gone) == ("ResourceNotFoundException", 404)


def test_listing_goes_through_all_pages(client: Any, host: Server, echo: bytes) -> None:
    """Every function appears once, in order, whatever the page size."""
    for index in range(5):
        host.deploy(f"page-{index}", echo)
    pages = list(client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    assert all(len(page["Functions"]) <= 2 for page in pages)
    assert names == sorted(set(names))
    assert {f"page-{index}" for index in range(5)} <= set(names)


def test_listing_all_versions(client: Any, echo: bytes, actor: bytes) -> None:
    """Behind each function its numbers, whatever the page size."""
    for name in ("several-1", "several-2"):
        create(client, name, echo, Publish=True)
        archive = package({"x.wasm": actor})
        client.update_function_code(FunctionName=name, ZipFile=archive, Publish=True)
    paginate = client.get_paginator("list_functions").paginate
    for size in (1, 2, 50):
        pages = paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": size})
        found = [
            (each["FunctionName"], each["Version"])
            for page in pages
            for each in page["Functions"]
            if each["FunctionName"].startswith("several-")
        ]
        assert found == [
            (name, version)
            for name in ("several-1", "several-2")
            for version in ("$LATEST", "1", "2")
        ]


@pytest.mark.parametrize(
    "name",
    [
        "echo",
        "echo:$LATEST",
        "arn:aws:lambda:us-east-1:123456789012:function:echo",
        "arn:aws:lambda:us-east-1:123456789012:function:echo:$LATEST",
    ],
)
def test_every_way_to_name_a_function(client: Any, host: Server, name: str) -> None:
    """Names, qualifiers and ARNs, which boto3 sends percent-encoded."""
    assert payload(client.invoke(FunctionName=name, Payload=b"[1]")) == [1]
    assert client.get_function_configuration(FunctionName=name)["FunctionName"] == "echo"


@pytest.mark.parametrize(
    ("members", "code", "status"),
    [
        ({"FunctionName": "echo"}, "ResourceConflictException", 409),
        ({"FunctionName": "bad name"}, "InvalidParameterValueException", 400),
        ({"Runtime": "cobol85"}, "InvalidParameterValueException", 400),
        ({"Runtime": "python3.13"}, "InvalidParameterValueException", 400),
        ({"Architectures": ["riscv"]}, "InvalidParameterValueException", 400),
        ({"Timeout": 901}, "InvalidParameterValueException", 400),
        ({"MemorySize": 10_240}, "InvalidParameterValueException", 400),
        ({"PackageType": "Image"}, "InvalidParameterValueException", 400),
        ({"Layers": ["arn"]}, "InvalidParameterValueException", 400),
        ({"VpcConfig": {"SubnetIds": ["s"]}}, "InvalidParameterValueException", 400),
        ({"KMSKeyArn": "arn:aws:kms:a"}, "InvalidParameterValueException", 400),
        ({"CodeSigningConfigArn": "arn"}, "InvalidParameterValueException", 400),
        ({"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}},
         "InvalidParameterValueException", 400),
        ({"PublishTo": "LATEST_PUBLISHED"}, "InvalidParameterValueException", 400),
        ({"TracingConfig": {"Mode": "Some"}}, "InvalidParameterValueException", 400),
        ({"EphemeralStorage": {"Size": 10_241}}, "InvalidParameterValueException", 400),
        ({"LoggingConfig": {"LogFormat": "XML"}}, "InvalidParameterValueException", 400),
        ({"LoggingConfig": {"LogGroup": "a b"}}, "InvalidParameterValueException", 400),
        ({"Code": {}}, "InvalidParameterValueException", 400),
        ({"Code": {"S3Bucket": "bucket", "S3Key": "k"}}, "InvalidParameterValueException", 400),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidZipFileException", 502),
        ({"Code": {"ZipFile": package({"a.py": b""})}}, "InvalidZipFileException", 502),
        ({"Code": {"ZipFile": package({"a.wasm": b""})}}, "InvalidParameterValueException", 400),
    ],
)  # fmt: skip
def test_creations_that_are_refused(
    client: Any, host: Server, echo: bytes, members: dict[str, Any], code: str, status: int
) -> None:
    """What cannot be honoured is refused in Lambda's words, and leaves nothing behind."""
    with pytest.raises(ClientError) as error:
        create(client, "refused", echo, **members)
    assert refused(error) == (code, status)
    assert host.control.get("/v1/functions/refused").status_code == 404


def test_what_does_not_matter_here_is_kept_and_told(client: Any, host: Server, echo: bytes) -> None:
    """Members that Terraform and others always send do not stand in the way, and are read again as
    they were set: a tool that found another value would set it for ever."""
    logging = {"LogFormat": "JSON", "LogGroup": "/mine"}
    made = create(
        client,
        "lenient",
        echo,
        Runtime="wasm",
        Architectures=["arm64"],
        Publish=False,
        TracingConfig={"Mode": "Active"},
        EphemeralStorage={"Size": 1024},
        LoggingConfig=logging,
        Layers=[],
        KMSKeyArn="",
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
        DeadLetterConfig={"TargetArn": ""},
    )
    told = {
        "Architectures": ["arm64"],
        "TracingConfig": {"Mode": "Active"},
        "EphemeralStorage": {"Size": 1024},
        "LoggingConfig": {**logging, "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"},
    }
    assert made.items() >= told.items()
    client.update_function_configuration(FunctionName="lenient", Timeout=9)
    host.deploy("lenient", echo, timeoutMs=500)
    assert client.get_function_configuration(FunctionName="lenient").items() >= told.items()
    changed = client.update_function_configuration(
        FunctionName="lenient", LoggingConfig={"SystemLogLevel": "WARN"}
    )
    assert changed["LoggingConfig"] == {**told["LoggingConfig"], "SystemLogLevel": "WARN"}  # type: ignore[dict-item]


def test_an_outdated_revision_is_refused(client: Any, host: Server, echo: bytes) -> None:
    """Two who edit at once do not undo each other unawares."""
    create(client, "revised", echo)
    for update in (
        lambda: client.update_function_code(
            FunctionName="revised", ZipFile=package({"x.wasm": echo}), RevisionId="other"
        ),
        lambda: client.update_function_configuration(
            FunctionName="revised", Timeout=9, RevisionId="other"
        ),
    ):
        with pytest.raises(client.exceptions.PreconditionFailedException) as error:
            update()
        assert refused(error) == ("PreconditionFailedException", 412)
    assert client.get_function_configuration(FunctionName="revised")["Timeout"] == 3


def test_a_dry_update_changes_nothing(client: Any, host: Server, echo: bytes, cat: bytes) -> None:
    """DryRun checks the package and keeps the code."""
    before = create(client, "dry", echo)
    client.update_function_code(FunctionName="dry", ZipFile=package({"x.wasm": cat}), DryRun=True)
    after = client.get_function_configuration(FunctionName="dry")
    assert after["CodeSha256"] == before["CodeSha256"]


def test_grants_survive_lambdas_updates(client: Any, host: Server, echo: bytes) -> None:
    """Lambda's API has no word for grants, and so cannot take them away."""
    host.deploy("granted", echo, grants=["kv"], concurrency=7)
    client.update_function_configuration(FunctionName="granted", MemorySize=256)
    client.update_function_code(FunctionName="granted", ZipFile=package({"x.wasm": echo}))
    shown = host.control.get("/v1/functions/granted").json()
    assert (shown["grants"], shown["concurrency"], shown["memoryMb"]) == (["kv"], 7, 256)
    concurrency = client.get_function(FunctionName="granted")["Concurrency"]
    assert concurrency == {"ReservedConcurrentExecutions": 7}


@pytest.mark.parametrize(
    ("qualifier", "code", "status"),
    [
        ("$LATEST", "InvalidParameterValueException", 400),
        ("7", "ResourceNotFoundException", 404),
    ],
)
def test_a_version_is_not_deleted_with_its_function(
    client: Any, host: Server, qualifier: str, code: str, status: int
) -> None:
    """A qualifier names less than the function, so the function stays."""
    with pytest.raises(ClientError) as error:
        client.delete_function(FunctionName="echo", Qualifier=qualifier)
    assert refused(error) == (code, status)
    assert client.get_function(FunctionName="echo")


def test_paths_may_end_in_a_slash(host: Server) -> None:
    """As some of Lambda's clients write them."""
    with_slash = host.control.get("/2015-03-31/functions/")
    assert with_slash.json() == host.control.get("/2015-03-31/functions").json()
    invoked = host.control.post("/2015-03-31/functions/echo/invocations/", content=b"1")
    assert invoked.content == b"1"


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/2015-03-31/functions/echo/nonsense", 404, "UnknownOperationException"),
        ("PATCH", "/2015-03-31/functions/echo", 405, "MethodNotAllowedException"),
        ("POST", "/2015-03-31/functions", 400, "InvalidRequestContentException"),
        ("GET", "/2015-03-31/functions?MaxItems=0", 400, "InvalidParameterValueException"),
        ("GET", "/2015-03-31/functions?MaxItems=x", 400, "InvalidParameterValueException"),
        ("GET", "/2015-03-31/functions?Marker=a.b", 400, "InvalidParameterValueException"),
    ],
)
def test_errors_of_the_path_are_lambdas_too(
    host: Server, method: str, path: str, status: int, name: str
) -> None:
    """Type in the header, message in the body, request id beside them."""
    response = host.control.request(method, path)
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (status, name)
    assert set(response.json()) == {"Type", "Message"}
    assert response.headers["x-amzn-requestid"]


def test_a_module_streams_through_unharmed(client: Any, host: Server, echo: bytes) -> None:
    """A package of several megabytes, most of it ballast, is read whole."""
    ballast = io.BytesIO()
    for index in range(200_000):
        ballast.write(b"%d " % (index * 2_654_435_761 % 1_000_003))
    archive = package({"fn.wasm": echo, "ballast.txt": ballast.getvalue()})
    created = create(client, "heavy", echo, Code={"ZipFile": archive})
    assert created["CodeSize"] == len(archive)


def test_event_invoke_configs(client: Any, host: Server) -> None:
    """Put sets all, update some, list and get tell, delete forgets; nonsense is refused."""
    target = "arn:aws:lambda:edge:000000000000:function:echo"
    put = client.put_function_event_invoke_config(
        FunctionName="echo",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": target}},
    )
    assert put["MaximumRetryAttempts"] == 1
    assert put["MaximumEventAgeInSeconds"] == 21_600
    assert put["FunctionArn"] == f"{target}:$LATEST"
    client.update_function_event_invoke_config(FunctionName="echo", MaximumEventAgeInSeconds=60)
    got = client.get_function_event_invoke_config(FunctionName="echo")
    assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (1, 60)
    assert got["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {"Destination": target}}
    listed = client.list_function_event_invoke_configs(FunctionName="echo")
    assert len(listed["FunctionEventInvokeConfigs"]) == 1
    for wrong in (
        {"MaximumRetryAttempts": 2, "DestinationConfig": {"OnSuccess": {"Destination": "arn:x:y"}}},
        {"DestinationConfig": {"OnFailure": {"Destination": "nowhere"}}},
    ):
        with pytest.raises(ClientError) as error:
            client.put_function_event_invoke_config(FunctionName="echo", **wrong)
        assert refused(error) == ("InvalidParameterValueException", 400)
    client.delete_function_event_invoke_config(FunctionName="echo")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_event_invoke_config(FunctionName="echo")


def test_published_versions(client: Any, echo: bytes, actor: bytes) -> None:
    """Numbers by PublishVersion and `Publish`, called by name, ARN and Qualifier, and deleted."""
    first = create(client, "numbered", echo, Publish=True)
    assert first["Version"] == "1"
    assert first["FunctionArn"].endswith(":function:numbered:1")
    same = client.publish_version(FunctionName="numbered")
    assert same["RevisionId"] == first["RevisionId"]
    second = client.update_function_code(
        FunctionName="numbered", ZipFile=package({"x.wasm": actor}), Publish=True
    )
    assert second["Version"] == "2"
    client.update_function_configuration(FunctionName="numbered", Timeout=9)
    third = client.publish_version(
        FunctionName="numbered", Description="third", CodeSha256=second["CodeSha256"]
    )
    assert (third["Version"], third["Timeout"], third["Description"]) == ("3", 9, "third")

    for name in ("numbered:1", first["FunctionArn"]):
        response = client.invoke(FunctionName=name, Payload=b"[1]")
        assert (payload(response), response["ExecutedVersion"]) == ([1], "1")
    shown = client.get_function_configuration(FunctionName="numbered", Qualifier="1")
    assert (shown["Timeout"], shown["CodeSha256"]) == (first["Timeout"], first["CodeSha256"])

    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName="numbered", PaginationConfig={"PageSize": 1}
    )
    listed = [version["Version"] for page in pages for version in page["Versions"]]
    assert listed == ["$LATEST", "1", "2", "3"]

    client.delete_function(FunctionName="numbered", Qualifier="2")
    with pytest.raises(ClientError) as gone:
        client.invoke(FunctionName="numbered", Qualifier="2")
    assert refused(gone) == ("ResourceNotFoundException", 404)
    versions = client.list_versions_by_function(FunctionName="numbered")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "3"]


@pytest.mark.parametrize(
    ("members", "code", "status"),
    [
        ({"RevisionId": "older"}, "PreconditionFailedException", 412),
        ({"CodeSha256": "AAAA"}, "InvalidParameterValueException", 400),
        ({"Description": "x" * 257}, "InvalidParameterValueException", 400),
    ],
)
def test_publishing_something_else_is_refused(
    client: Any, host: Server, members: dict[str, str], code: str, status: int
) -> None:
    """Nothing is numbered that its publisher did not mean."""
    with pytest.raises(ClientError) as error:
        client.publish_version(FunctionName="echo", **members)
    assert refused(error) == (code, status)
    versions = client.list_versions_by_function(FunctionName="echo")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST"]


def test_no_function_has_a_code_signing_config(client: Any, host: Server) -> None:
    """Terraform reads it after each apply, and takes any error for a failure."""
    shown = client.get_function_code_signing_config(FunctionName="echo")
    assert (shown["CodeSigningConfigArn"], shown["FunctionName"]) == ("", "echo")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_code_signing_config(FunctionName="nobody")
