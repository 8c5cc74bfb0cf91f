"""Lambda's API as the tests of this folder call it, through boto3."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.front.packages import package

ROLE = "arn:aws:iam::000000000000:role/any"


@contextmanager
def lambda_client(
    control_url: str, key_id: str = "x", secret: str = "x", *, verify: str | None = None
) -> Iterator[Any]:
    """A Lambda client whose endpoint is a host's control plane, signing with a key; `verify` is
    whom it trusts."""
    made = boto3.client(
        "lambda",
        endpoint_url=control_url,
        verify=verify,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    try:
        yield made
    finally:
        made.close()


def create(client: Any, name: str, module: bytes, **members: Any) -> dict[str, Any]:
    """CreateFunction with the usual members."""
    created: dict[str, Any] = client.create_function(
        **{
            "FunctionName": name,
            "Runtime": "provided.al2023",
            "Role": ROLE,
            "Handler": "bootstrap",
            "Code": {"ZipFile": package({"bootstrap.wasm": module})},
            **members,
        }
    )
    return created


def payload(response: dict[str, Any]) -> Any:
    """The JSON an invocation returned."""
    return json.loads(response["Payload"].read())


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    """Lambda's name of an error, and its status."""
    response = error.value.response
    assert response["Error"]["Message"]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
