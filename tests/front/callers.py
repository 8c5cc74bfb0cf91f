"""Holders of keys as they call a host: by boto3, signing, or with their token."""

from contextlib import AbstractContextManager
from typing import Any

from edge.access.keyring import NewKey
from tests.front.lambda_calls import lambda_client
from tests.running import Server


def client_of(server: Server, key: NewKey) -> AbstractContextManager[Any]:
    """boto3 with a key."""
    return lambda_client(server.control_url, key.access_key_id, key.secret)


def bearer(key: NewKey) -> dict[str, str]:
    """The header of a key's token."""
    return {"authorization": f"Bearer {key.token}"}
