"""Builds what the tests run: the sample guests, the hostile guests, and modules written by hand.

Sources are compiled by zig from PyPI, the guests with the very command of their `edge.toml`, so a
manifest that does not build fails here. Outputs are kept outside the repository, in
`EDGE_TEST_CACHE` or `~/.cache/edge-guests`, under a digest of everything that went into them.
Invariant: a file in the cache is complete, because it got its name by a rename; two test processes
that build the same guest at once do the work twice and agree.
"""

import hashlib
import importlib.metadata
import os
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import wasmtime

ROOT = Path(__file__).resolve().parents[1]
GUESTS = ROOT / "guests"
HOSTILE = ROOT / "tests" / "hostile"
SDK_C = ROOT / "sdk" / "c"

BUILD_TIMEOUT_S = 300
"""The first build on a machine compiles the C library too, which takes some 25 s."""

_STRICT_FLAGS = ("-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-std=c11")
_LINK_FLAGS = ("-Wl,-z,stack-size=262144", "-Wl,--strip-all")
REACTOR_FLAGS = ("-target", "wasm32-wasi", "-mexec-model=reactor", *_STRICT_FLAGS, *_LINK_FLAGS)
"""How tests compile a guest of their own: as the sample guests, and without a warning."""
FREESTANDING_FLAGS = (
    "-target",
    "wasm32-freestanding",
    "-Wl,--no-entry",
    *_STRICT_FLAGS,
    *_LINK_FLAGS,
)
"""The same without a C library."""


class BuildError(Exception):
    """A source did not compile; the message is the compiler's."""


def guest_names() -> list[str]:
    """Every sample guest, by the name of its folder."""
    return sorted(manifest.parent.name for manifest in GUESTS.glob("*/edge.toml"))


def build_guest(name: str) -> Path:
    """Build `guests/NAME` as its manifest says and return the module's path in the cache."""
    folder = GUESTS / name
    manifest = tomllib.loads((folder / "edge.toml").read_text())
    command = shlex.split(manifest["function"][name]["build"])
    sources = [path for path in folder.iterdir() if path.suffix in (".c", ".h")]
    return _compile(name, folder, command, [*sources, SDK_C / "edge.h"])


def build_source(source: Path, flags: Sequence[str] = REACTOR_FLAGS) -> Path:
    """Build one C file with the SDK's header at hand and return the module's path in the cache."""
    output = f"{source.stem}.wasm"
    command = ["python", "-m", "ziglang", "cc", *flags, f"-I{SDK_C}", source.name, "-o", output]
    return _compile(source.stem, source.parent, command, [source, SDK_C / "edge.h"])


def hostile_names() -> list[str]:
    """Every hostile guest, by the stem of its source in `tests/hostile`."""
    return sorted(path.stem for path in HOSTILE.iterdir() if path.suffix in (".c", ".wat"))


def build_hostile(name: str) -> bytes:
    """The module of `tests/hostile/NAME.c` or `NAME.wat`."""
    text = HOSTILE / f"{name}.wat"
    if text.exists():
        return bytes(wasmtime.wat2wasm(text.read_text()))
    return build_source(HOSTILE / f"{name}.c").read_bytes()


def _compile(name: str, folder: Path, command: Sequence[str], inputs: Iterable[Path]) -> Path:
    """Run `command` in `folder` with its output redirected into the cache, unless it is there."""
    cache = Path(os.environ.get("EDGE_TEST_CACHE", Path.home() / ".cache" / "edge-guests"))
    built = cache / f"{name}-{_digest(command, inputs)}.wasm"
    if built.exists():
        return built
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        output = Path(scratch) / built.name
        arguments = [sys.executable if word == "python" else word for word in command]
        arguments[arguments.index("-o") + 1] = str(output)
        result = subprocess.run(
            arguments,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=False,  # the compiler's own message says more than a status
        )
        if result.returncode != 0:
            raise BuildError(f"{name} does not build: {shlex.join(arguments)}\n{result.stderr}")
        output.replace(built)
    return built


def _digest(command: Sequence[str], inputs: Iterable[Path]) -> str:
    """Names a build by what it depends on: the compiler, the command and every input's content."""
    digest = hashlib.sha256(importlib.metadata.version("ziglang").encode())
    digest.update(shlex.join(word.replace(str(ROOT), "") for word in command).encode())
    for path in sorted(inputs):
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:20]


# Modules no compiler makes, in the binary format itself.

_TYPE, _IMPORT, _FUNCTION, _MEMORY, _EXPORT, _CODE, _DATA = 1, 2, 3, 5, 7, 10, 11
_MAGIC = b"\0asm\1\0\0\0"
_ABI_TYPES = (b"\x60\x01\x7f\x01\x7f", b"\x60\x02\x7f\x7f\x01\x7e", b"\x60\x00\x00")
"""(i32) -> i32 for edge_alloc, (i32, i32) -> i64 for edge_handle, () -> ()."""


def function_bomb(count: int = 100_000, body: bytes = b"\x01\x01\x01") -> bytes:
    """An ABI guest that answers `{"ok": "hello"}` and drags `count` useless functions along.

    `body` is the instructions of each (three nops), so that the module's size is chosen too.
    """
    useless = _sized(b"\x00" + body + b"\x0b")
    return _abi_module(imports=[], more_code=[useless] * count)


def module_with_imports(*imports: tuple[str, str]) -> bytes:
    """An ABI guest that answers `{"ok": "hello"}` and imports functions `() -> ()` it never calls.

    Each import is (module, name), such as ("env", "missing").
    """
    return _abi_module(imports=imports, more_code=[])


def _abi_module(imports: Sequence[tuple[str, str]], more_code: list[bytes]) -> bytes:
    answer = b"\xa1\x62ok\x65hello"
    first = len(imports)
    alloc = _sized(b"\x00\x41\x80\x08\x0b")  # i32.const 1024
    handle = _sized(b"\x00\x42" + _sleb(16 << 32 | len(answer)) + b"\x0b")  # i64.const
    sections = {
        _TYPE: list(_ABI_TYPES),
        _IMPORT: [_name(module) + _name(field) + b"\x00\x02" for module, field in imports],
        _FUNCTION: [b"\x00", b"\x01", *[b"\x02"] * len(more_code)],
        _MEMORY: [b"\x00\x80\x01"],  # 128 pages
        _EXPORT: [
            _name("memory") + b"\x02\x00",
            _name("edge_alloc") + b"\x00" + _uleb(first),
            _name("edge_handle") + b"\x00" + _uleb(first + 1),
        ],
        _CODE: [alloc, handle, *more_code],
        _DATA: [b"\x00\x41\x10\x0b" + _sized(answer)],  # data at address 16
    }
    return _MAGIC + b"".join(
        bytes([number]) + _sized(_uleb(len(items)) + b"".join(items))
        for number, items in sections.items()
        if items
    )


def _sized(content: bytes) -> bytes:
    return _uleb(len(content)) + content


def _name(text: str) -> bytes:
    return _sized(text.encode())


def _uleb(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _sleb(number: int) -> bytes:
    encoded = bytearray()
    while not -0x40 <= number < 0x40:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number & 0x7F])
