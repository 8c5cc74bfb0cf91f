"""Source in the zip of a managed runtime, through Lambda's API."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.front.lambda_calls import create, payload, refused
from tests.front.packages import package
from tests.running import Server

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        os.environ.get("CI") != "true"
        and not (shutil.which("esbuild") and shutil.which("componentize-qjs")),
        reason="esbuild and componentize-qjs are not installed",
    ),
]
INDEX = b"""
const place = process.env.PLACE ?? "nowhere";
export const handler = async (event, context) => ({ ...event, place });
export const other = async () => "other";
"""


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host that answers when a build has ended, however slow the machine is."""
    settings = {"deploy_wait_ms": 60_000}
    with Server(tmp_path_factory.mktemp("host") / "data", settings=settings) as running:
        yield running


def test_source_is_built_and_built_again(client: Any, host: Server) -> None:
    """At creation, for another environment and handler, and for other code."""
    archive = package({"index.mjs": INDEX})
    members = {"Runtime": "nodejs22.x", "Handler": "index.handler", "Timeout": 10}
    made = create(client, "source", b"", Code={"ZipFile": archive}, **members)
    client.get_waiter("function_active_v2").wait(FunctionName="source")
    assert (made["Runtime"], made["CodeSize"]) == ("nodejs22.x", len(archive))
    assert payload(client.invoke(FunctionName="source", Payload=b'{"n": 1}')) == {
        "n": 1,
        "place": "nowhere",
    }
    changed = client.update_function_configuration(
        FunctionName="source", Environment={"Variables": {"PLACE": "here"}}
    )
    client.get_waiter("function_updated_v2").wait(FunctionName="source")
    assert changed["CodeSha256"] == made["CodeSha256"]
    assert payload(client.invoke(FunctionName="source"))["place"] == "here"
    client.update_function_configuration(FunctionName="source", Handler="index.other")
    client.get_waiter("function_updated_v2").wait(FunctionName="source")
    assert payload(client.invoke(FunctionName="source")) == "other"
    client.update_function_code(
        FunctionName="source",
        ZipFile=package({"index.js": b"exports.other = async () => 'commonjs';"}),
    )
    client.get_waiter("function_updated_v2").wait(FunctionName="source")
    assert payload(client.invoke(FunctionName="source")) == "commonjs"


def test_source_that_does_not_build_is_refused(client: Any, host: Server) -> None:
    """With what the compiler said, and before anything changes."""
    for source in (b"export const handler = (", b"export const other = () => 1;"):
        with pytest.raises(ClientError) as error:
            create(
                client,
                "broken",
                b"",
                Code={"ZipFile": package({"index.mjs": source})},
                Runtime="nodejs22.x",
                Handler="index.handler",
            )
        assert refused(error) == ("InvalidParameterValueException", 400)
        assert "handler" in error.value.response["Error"]["Message"]
    assert host.control.get("/v1/functions/broken").status_code == 404
