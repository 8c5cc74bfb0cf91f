"""A closed host for AWS's own clients: a key made by `edge key create`, and packages to send."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.front.conftest import GUESTS
from tests.front.lambda_calls import lambda_client
from tests.front.packages import package
from tests.running import Server
from tests.toolchain import build_guest, build_source


@dataclass(frozen=True, slots=True)
class Access:
    """A host, and a key that may do anything on it."""

    server: Server
    key_id: str
    secret: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What AWS's clients read, and nothing of the user's own settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL_LAMBDA": self.server.control_url,
            "AWS_DEFAULT_REGION": "edge",
            "AWS_REGION": "edge",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
            "NO_PROXY": "127.0.0.1",
        }


@pytest.fixture(scope="module")
def access(shared_server: Server) -> Access:
    """The module's host, closed by its first key."""
    made = subprocess.run(
        [sys.executable, "-m", "edge", "key", "create", "--data", shared_server.data, "--json"],
        capture_output=True,
        check=True,
    )
    key = json.loads(made.stdout)
    access = Access(shared_server, key["accessKeyId"], key["secretAccessKey"])
    assert shared_server.control.get("/2015-03-31/functions").status_code == 403
    return access


@pytest.fixture(scope="module")
def client(access: Access) -> Iterator[Any]:
    """boto3's Lambda client with the key."""
    with lambda_client(access.server.control_url, access.key_id, access.secret) as made:
        yield made


@pytest.fixture(scope="session")
def echo_zip() -> bytes:
    """A package that returns its event, or with `{"echo": "context"}` its context."""
    return package({"bootstrap.wasm": build_guest("echo").read_bytes()})


@pytest.fixture(scope="session")
def actor_zip() -> bytes:
    """A package that does what `rawPath` says: `/log`, `/fail`, `/context`."""
    return package({"bootstrap.wasm": build_source(GUESTS / "actor.c").read_bytes()})


@pytest.fixture
def packages(tmp_path: Path, echo_zip: bytes, actor_zip: bytes) -> Path:
    """Both packages as files: `echo.zip` and `actor.zip`."""
    (tmp_path / "echo.zip").write_bytes(echo_zip)
    (tmp_path / "actor.zip").write_bytes(actor_zip)
    return tmp_path
