"""The `wasi:http` guests of `web/`, made by the tools that people make theirs with.

Neighbours: `test_http_streams.py` asks each the same.
Invariant: a guest is built once for its content and kept outside the repository, as those of
`tests/languages` are; without its tool the test is skipped, except in CI.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.build.project import tree_files
from tests.languages.languages import CACHE

WEB = Path(__file__).parent / "web"
TIMEOUT_S = 600
_RUST_TARGET = "wasm32-wasip2"
_OUTPUT = "out.wasm"


@dataclass(frozen=True, slots=True)
class Web:
    """One guest. `speaks_wasi` says that it does all of the paths, and not only `fetch`'s;
    `is_optional`, that not every machine of CI can have its tool."""

    name: str
    source: Path
    find: Callable[[], str | None]
    command: Callable[[str, Path], list[str]]
    speaks_wasi: bool = True
    is_optional: bool = False

    def build(self) -> bytes:
        """The component."""
        tool = self.find()
        if tool is None:
            if os.environ.get("CI") == "true" and not self.is_optional:
                pytest.fail(f"there is no tool for the guest in {self.name}")
            pytest.skip(f"there is no tool for the guest in {self.name}")
        built = CACHE / f"web-{self.name}-{self._digest()}.wasm"
        if not built.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                folder = Path(scratch, "web")
                shutil.copytree(WEB, folder)
                command = self.command(tool, folder)
                where = folder / self.source if (WEB / self.source).is_dir() else folder
                subprocess.run(command, cwd=where, check=True, timeout=TIMEOUT_S)
                (folder / _OUTPUT).replace(built)
        return built.read_bytes()

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for path in tree_files(WEB):
            if path.suffix == ".wit" or path.is_relative_to(WEB / self.source):
                digest.update(path.read_bytes())
        return digest.hexdigest()[:20]


def _rust() -> str | None:
    """cargo, if it has the target."""
    cargo, rustc = shutil.which("cargo"), shutil.which("rustc")
    if cargo is None or rustc is None:
        return None
    asked = subprocess.run(
        [rustc, "--print", "target-libdir", "--target", _RUST_TARGET],
        capture_output=True,
        text=True,
        check=False,
    )
    return cargo if asked.returncode == 0 and Path(asked.stdout.strip()).is_dir() else None


def _build_rust(cargo: str, folder: Path) -> list[str]:
    made = f"target/{_RUST_TARGET}/release/web.wasm"
    build = f"{cargo} build --quiet --locked --release --target {_RUST_TARGET}"
    return ["sh", "-c", f"{build} && mv {made} {folder / _OUTPUT}"]


WEBS = (
    Web(
        "python",
        Path("app.py"),
        lambda: shutil.which("componentize-py"),
        lambda tool, folder: [
            *(tool, "-d", "wit", "-w", "web", "componentize", "app"),
            *("-o", str(folder / _OUTPUT)),
        ],
    ),
    # Debian's Rust has no such target, and rustup's is from no package registry.
    Web("rust", Path("rust"), _rust, _build_rust, is_optional=True),
    Web(
        "javascript",
        Path("fetch.js"),
        lambda: shutil.which("componentize-js"),
        lambda tool, folder: [
            *(tool, "fetch.js", "--wit", "wit", "-n", "web"),
            *("-o", str(folder / _OUTPUT)),
        ],
        speaks_wasi=False,
    ),
)
