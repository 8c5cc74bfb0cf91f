"""Rust, compiled by cargo to a WASI reactor.

Neighbours: `sdk/rust` is the crate `edge-function`; where a manifest asks for it by version, the
build says where it is.
Invariant: the output holds no path of this machine, and none has a part in its symbols: cargo
hashes a crate's place, relative only within the workspace, so the SDK is linked into `target`.
"""

import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.build.process import run_compiler, tool_environment
from edge.build.project import Project, tree_files
from edge.build.sdk import sdk_directory
from edge.model.errors import BuildFailed, MissingToolchain

_MANIFEST = "Cargo.toml"
_CRATE = "edge-function"
_TARGETS = ("wasm32-wasip1", "wasm32-wasi")
"""One target; its name until Rust 1.77 was the second."""
_DEBIAN = "/usr/bin"
_SAY_SECONDS_MAX = 60
_MANIFEST_OF_A_FILE = """[package]
name = "function"
version = "0.1.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
path = "{source}"
[dependencies]
edge-function = "0.1"
[profile.release]
lto = true
opt-level = "s"
panic = "abort"
strip = true
"""


@dataclass(frozen=True, slots=True)
class _Toolchain:
    binaries: Path
    target: str
    version: str


class Rust:
    """Rust, from a crate of type cdylib, or from one file that needs only the SDK."""

    name = "rust"
    suffixes: tuple[str, ...] = (".rs",)

    def find_source(self, directory: Path) -> Path | None:
        """`Cargo.toml`."""
        manifest = directory / _MANIFEST
        return manifest if manifest.is_file() else None

    def inputs(self, project: Project) -> Collection[Path] | None:
        """The crate's files; unknown where it depends on another folder than the SDK's."""
        sdk = tree_files(sdk_directory("rust"))
        if project.source.name != _MANIFEST:
            return (project.source, *sdk)
        dependencies = _dependencies(project.source)
        if any("path" in wanted for name, wanted in dependencies.items() if name != _CRATE):
            return None
        return (*tree_files(project.source.parent), *sdk)

    def check_toolchain(self) -> str:
        """What `rustc --version` says, and the target; raises MissingToolchain."""
        found = _find_toolchain()
        return f"{found.version} {found.target}"

    def compile(self, project: Project, output: Path) -> None:
        """Build the crate in its own `target` folder, so that cargo builds only what changed."""
        toolchain = _find_toolchain()
        with tempfile.TemporaryDirectory() as scratch:
            manifest, target = project.source, project.source.parent / "target"
            if manifest.name != _MANIFEST:
                manifest, target = Path(scratch, _MANIFEST), Path(scratch, "target")
                manifest.write_text(_MANIFEST_OF_A_FILE.format(source=project.source))
            command: list[str | Path] = [toolchain.binaries / "cargo", "build", "--release"]
            command += ["--quiet", "--target", toolchain.target, "--target-dir", target]
            wanted = _dependencies(manifest).get(_CRATE, {})
            if wanted and "path" not in wanted:
                command += ["--config", f"patch.crates-io.{_CRATE}.path='{_link_sdk(target)}'"]
            environment = _environment(toolchain, manifest.parent, project)
            run_compiler(command, project, directory=manifest.parent, environment=environment)
            built = target / toolchain.target / "release" / f"{_library(manifest)}.wasm"
            if not built.is_file():
                raise BuildFailed(
                    f"{project.name}: the crate makes no module; add to {_MANIFEST}:"
                    ' [lib] crate-type = ["cdylib"]'
                )
            output.write_bytes(built.read_bytes())


def _link_sdk(target: Path) -> Path:
    """The SDK's crate as a place in the project's; another build may link it at the same time."""
    sdk, link = sdk_directory("rust"), target / _CRATE
    if not link.is_symlink() or link.readlink() != sdk:
        target.mkdir(exist_ok=True)
        if link.is_dir() and not link.is_symlink():  # of a project copied with its links followed
            shutil.rmtree(link)
        with tempfile.TemporaryDirectory(dir=target) as scratch:
            Path(scratch, _CRATE).symlink_to(sdk)
            Path(scratch, _CRATE).replace(link)
    return link


def _environment(toolchain: _Toolchain, crate: Path, project: Project) -> dict[str, str]:
    """Names the compiler, and takes this machine's paths out of what panics say."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    places = ((crate, "."), (project.directory, "."), (sdk_directory("rust"), "edge"), (home, ""))
    flags = [f"--remap-path-prefix={place}={name}" for place, name in places]
    environment = {
        "RUSTC": str(toolchain.binaries / "rustc"),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
    }
    if toolchain.target == "wasm32-wasi":  # a cargo that by itself would clone the whole index
        environment |= {"RUSTC_BOOTSTRAP": "1", "CARGO_UNSTABLE_SPARSE_REGISTRY": "true"}
    return environment


def _dependencies(manifest: Path) -> dict[str, dict[str, object]]:
    """The crate's dependencies; one that is only a version has that."""
    try:
        document = tomllib.loads(manifest.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildFailed(f"{manifest}: {error}") from None
    listed = document.get("dependencies", {})
    return {
        name: wanted if isinstance(wanted, dict) else {"version": wanted}
        for name, wanted in listed.items()
    }


def _library(manifest: Path) -> str:
    """The stem of the file that cargo makes."""
    document = tomllib.loads(manifest.read_text())
    name = document.get("lib", {}).get("name") or document.get("package", {}).get("name", "")
    return str(name).replace("-", "_")


def _find_toolchain() -> _Toolchain:
    """The first on the PATH whose compiler has the target: a machine may have several."""
    for binaries in _folders():
        if not ((binaries / "cargo").exists() and (binaries / "rustc").exists()):
            continue
        for target in _TARGETS:
            library = _ask(binaries, "--print", "target-libdir", "--target", target)
            if library and Path(library).is_dir():
                return _Toolchain(binaries, target, _ask(binaries, "--version"))
    raise MissingToolchain(
        "Rust with WebAssembly is needed: run 'rustup target add wasm32-wasip1', or on Debian"
        " 'apt-get install rustc cargo lld libstd-rust-dev-wasm32'"
    )


def _folders() -> Iterator[Path]:
    for folder in (*tool_environment()["PATH"].split(os.pathsep), _DEBIAN):
        yield Path(folder)


def _ask(binaries: Path, *question: str) -> str:
    said = subprocess.run(
        [binaries / "rustc", *question],
        capture_output=True,
        text=True,
        timeout=_SAY_SECONDS_MAX,
        check=False,
    )
    return said.stdout.strip() if said.returncode == 0 else ""
