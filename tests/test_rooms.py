"""The architecture, enforced: imports point down the rooms of `docs/architecture.md`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

EDGE = Path(__file__).parent.parent / "edge"

# Each room, and the rooms it may import. `model` is open to all.
ROOMS: dict[str, set[str]] = {
    "model": set(),
    "build": set(),
    "storage": set(),
    "meter": {"storage"},
    "host": {"meter", "storage"},
    "sandbox": {"host", "meter", "config"},
    "registry": {"storage"},
    "deploy": {"build", "registry", "sandbox", "host", "meter", "storage", "config"},
    "invoke": {"registry", "sandbox", "host", "meter", "storage", "config"},
    "access": {"storage"},
    "sources": {"invoke", "storage"},
    "front": {"invoke", "access", "registry", "meter", "config"},
    "supervise": {"invoke", "config"},
    "config": set(),
}
ROOTS = {"cli", "serve", "worker", "keyring", "packaging", "__main__", "__init__"}
BACKENDS = "edge.storage.sqlite"


def modules() -> Iterator[tuple[str, Path]]:
    """(room, file) of every module."""
    for path in sorted(EDGE.rglob("*.py")):
        room = path.relative_to(EDGE).parts[0].removesuffix(".py")
        yield room, path


def imports(path: Path) -> Iterator[str]:
    """Every `edge.…` module that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(
    ("room", "path"), [pytest.param(r, p, id=str(p.relative_to(EDGE))) for r, p in modules()]
)
def test_imports_point_down(room: str, path: Path) -> None:
    """A room imports itself, `model` and the rooms below it, and nothing else of ours."""
    if room in ROOTS:
        return
    for name in imports(path):
        if name.startswith("edge."):
            target = name.split(".")[1]
            assert target in ROOMS[room] | {room, "model"}, f"{room} must not import {name}"


@pytest.mark.parametrize(
    ("room", "path"), [pytest.param(r, p, id=str(p.relative_to(EDGE))) for r, p in modules()]
)
def test_wasmtime_stays_in_the_sandbox(room: str, path: Path) -> None:
    """Only the sandbox knows Wasmtime, and only the composition root names a backend."""
    for name in imports(path):
        assert room == "sandbox" or name.split(".")[0] != "wasmtime", path
        if name.startswith(BACKENDS):
            assert room in {"storage", "worker", "keyring"}, f"{path} names a backend"
