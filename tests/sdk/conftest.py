"""The guests that the SDK's tests share, each compiled once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.bare_host import BareHost, Load
from tests.toolchain import build_guest, build_source


@pytest.fixture(scope="session")
def guest() -> Iterator[Load]:
    """The C guest of a name, of this folder or of `guests/`. Nothing is granted to it."""
    hosts: dict[str, BareHost] = {}

    def load(name: str) -> BareHost:
        if name not in hosts:
            source = Path(__file__).parent / f"{name}.c"
            hosts[name] = BareHost(build_source(source) if source.exists() else build_guest(name))
        return hosts[name]

    yield load
    hosts.clear()  # before the interpreter ends: wasmtime's objects cannot be freed after it
