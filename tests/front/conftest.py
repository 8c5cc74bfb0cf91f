"""A real host with the functions these tests call."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.front.lambda_calls import lambda_client
from tests.running import Server
from tests.toolchain import REACTOR_FLAGS, build_guest, build_source

GUESTS = Path(__file__).parent / "guests"


@pytest.fixture(scope="session")
def actor() -> bytes:
    """The module of `guests/actor.c`."""
    return build_source(GUESTS / "actor.c").read_bytes()


@pytest.fixture(scope="session")
def streamer() -> bytes:
    """The module of `guests/streamer.c`."""
    return build_source(GUESTS / "streamer.c").read_bytes()


@pytest.fixture(scope="session")
def cat() -> bytes:
    """The module of `guests/cat.c`, a command."""
    flags = [flag for flag in REACTOR_FLAGS if flag != "-mexec-model=reactor"]
    return build_source(GUESTS / "cat.c", flags).read_bytes()


@pytest.fixture(scope="session")
def echo() -> bytes:
    """The module of the sample `echo`."""
    return build_guest("echo").read_bytes()


@pytest.fixture(scope="module")
def host(shared_server: Server, actor: bytes, cat: bytes, echo: bytes) -> Server:
    """The module's host, with `actor`, `cat` and `echo` deployed."""
    shared_server.deploy("actor", actor, timeoutMs=500)
    shared_server.deploy("cat", cat)
    shared_server.deploy("echo", echo)
    return shared_server


@pytest.fixture(scope="module")
def client(host: Server) -> Iterator[Any]:
    """A Lambda client whose endpoint is the host."""
    with lambda_client(host.control_url) as made:
        yield made
