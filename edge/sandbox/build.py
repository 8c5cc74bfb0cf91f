"""The build of one module, as a process of its own: validate → snapshot → compile → write.

A deployer's module is hostile until proven otherwise: its initialiser may loop, its code may be
made to keep the compiler busy. So this runs apart from the workers, at the lowest priority, with
its memory bounded, and the builder that started it bounds its time.

Run as `python -m edge.sandbox.build`: a `BuildOrder` as JSON on stdin, a `BuildReport` on stdout.
Neighbours: `builder.py` starts it.
Invariant: it writes only the two paths it was given, each by rename.
"""

import contextlib
import hashlib
import json
import os
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import wasmtime

from edge.host.wasi2.package import read_package
from edge.model.errors import EdgeError, InvalidModule, SnapshotRefused, StorageFailure
from edge.model.function import GuestKind, SnapshotReport, SnapshotState
from edge.model.limits import MIB
from edge.model.prime import Prime
from edge.model.sections import FILES, WARNINGS, read_section
from edge.sandbox.component.build import build_component
from edge.sandbox.component.inspect import is_component
from edge.sandbox.engine import Engine, PoolPlan
from edge.sandbox.inspect import inspect_module
from edge.sandbox.instance import Allowance
from edge.sandbox.memories import Images, encode_images
from edge.sandbox.modules import files_path, memories_path, write_compiled
from edge.sandbox.snapshot import SnapshotSettings, take_snapshot
from edge.sandbox.snapshot.strip import take_memories

_LOWEST_PRIORITY = 19
_BUILD_SLOTS = 1
_PAGE_BYTES = 64 * 1024
_NS_PER_S = 1_000_000_000
PREINITIALISED = "a component was initialised by the tool that made it"
_WARNINGS_MAX = 32
_WARNING_CHARS_MAX = 500


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """What to build, from where, to where, and within what. All but the module's path is ours."""

    module: str
    image: str
    compiled_directory: str
    snapshot: bool
    environment: tuple[tuple[str, str], ...]
    memory_bytes_max: int
    fuel_max: int
    build_memory_bytes_max: int
    reservation_bytes: int
    guard_bytes: int
    pool_memory_bytes_max: int
    primes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What came of it. `log` is what the initialiser wrote: (level, text) pairs."""

    image: str
    kind: str
    state: str
    reason: str
    warnings: tuple[str, ...]
    image_bytes: int
    init_fuel: int
    log: tuple[tuple[int, str], ...]

    @property
    def snapshot(self) -> SnapshotReport:
        """The part that is kept with the version."""
        return SnapshotReport(
            SnapshotState(self.state), self.reason, self.warnings, self.image_bytes, self.init_fuel
        )


def build(order: BuildOrder) -> BuildReport:
    """Run the pipeline; raises InvalidModule, InitFailed or StorageFailure."""
    module = Path(order.module).read_bytes()
    engine = Engine(
        PoolPlan(
            _BUILD_SLOTS, order.reservation_bytes, order.guard_bytes, order.pool_memory_bytes_max
        )
    )
    image, log = module, tuple[tuple[int, str], ...]()
    files: bytes | None = None
    if is_component(module):
        files = component_files(module)
        stripped, memories = strip(engine, image)
        images = trial_images(engine, Path(order.image), memories)
        kind, compiled = build_component(engine, stripped, images, _allowance(order))
        report = preinitialised(module)
    else:
        kind = validate(module, order.memory_bytes_max)
        image, report, log = snapshot(module, kind, order)
        stripped, memories = strip(engine, image)
        compiled = compile_module(engine, stripped)
    digest = hashlib.sha256(image).hexdigest()
    Path(order.image).write_bytes(image)
    place = Path(order.compiled_directory) / engine.identity / f"{digest}.cwasm"
    for path, content in ((files_path(place), files), (memories_path(place), memories)):
        if content is not None:
            write_compiled(path, content)
    write_compiled(place, compiled)
    return BuildReport(
        digest,
        kind,
        report.state,
        report.reason,
        report.warnings,
        report.image_bytes,
        report.init_fuel,
        log,
    )


def strip(engine: Engine, image: bytes) -> tuple[bytes, bytes | None]:
    """What to compile, and the file of its memories, if those are our own."""
    if engine.memories is None:
        return image, None
    stripped, memories = take_memories(image)
    return stripped, encode_images(memories)


def trial_images(engine: Engine, path: Path, memories: bytes | None) -> Images:
    """The memories of the guest that a build starts itself, in a file at `path` until then."""
    if engine.memories is None or memories is None:
        return Images()
    path.write_bytes(memories)
    return engine.memories.open_images(path)


def preinitialised(component: bytes) -> SnapshotReport:
    """That its own tool kept its memory, and what its build warns of."""
    told = (read_section(component, WARNINGS) or b"").decode("utf-8", "replace").splitlines()
    warnings = tuple(line[:_WARNING_CHARS_MAX] for line in told[:_WARNINGS_MAX])
    return SnapshotReport(SnapshotState.UNNEEDED, PREINITIALISED, warnings)


def component_files(component: bytes) -> bytes | None:
    """The section of its files, if it has one. Raises InvalidModule."""
    section = read_section(component, FILES)
    if section is not None:
        try:
            read_package(section)
        except ValueError as error:
            raise InvalidModule(f"the component cannot be used: {error}") from None
    return section


def _allowance(order: BuildOrder) -> Allowance:
    """What a component may use to start; it answers nothing here."""
    return Allowance(order.fuel_max, order.memory_bytes_max, order.fuel_max, _NS_PER_S, 0)


def validate(module: bytes, memory_bytes_max: int) -> GuestKind:
    """Refuse what is not WebAssembly, no function, or too large for its memory limit."""
    if not module.startswith(b"\0asm"):
        raise InvalidModule("the file is not a WebAssembly module (it does not begin with \\0asm)")
    config = wasmtime.Config()
    config.cranelift_opt_level = "none"
    try:
        parsed = wasmtime.Module(wasmtime.Engine(config), module)
    except wasmtime.WasmtimeError as error:
        raise InvalidModule(f"the module is not valid: {_first_line(error)}") from None
    found = inspect_module(parsed)
    for export in parsed.exports:
        if isinstance(export.type, wasmtime.MemoryType):
            least = export.type.limits.min * _PAGE_BYTES
            if least > memory_bytes_max:
                raise InvalidModule(
                    f"the module needs {-(-least // MIB)} MB of memory to start, and its limit is"
                    f" {memory_bytes_max // MIB} MB: deploy it with more memory"
                )
    return found.kind


def snapshot(
    module: bytes, kind: GuestKind, order: BuildOrder
) -> tuple[bytes, SnapshotReport, tuple[tuple[int, str], ...]]:
    """The module to run, how it came about, and what its initialiser logged."""
    if not order.snapshot:
        return module, SnapshotReport(SnapshotState.OFF, "switched off by the deployer"), ()
    if kind is GuestKind.COMMAND:
        reason = "a command starts afresh each time: its work begins in _start"
        return module, SnapshotReport(SnapshotState.REFUSED, reason), ()
    primes = tuple(Prime(*texts) for texts in order.primes)
    settings = SnapshotSettings(order.fuel_max, order.memory_bytes_max, order.environment, primes)
    try:
        taken = take_snapshot(module, settings)
    except SnapshotRefused as refusal:
        return module, SnapshotReport(SnapshotState.REFUSED, str(refusal)), ()
    log = tuple((line.level, line.text) for line in taken.log)
    state = SnapshotState.TAKEN if taken.module != module else SnapshotState.UNNEEDED
    report = SnapshotReport(state, "", taken.warnings, taken.image_bytes, taken.init_fuel)
    return taken.module, report, log


def compile_module(engine: Engine, module: bytes) -> bytes:
    """Machine code for this host."""
    try:
        return bytes(wasmtime.Module(engine.compiler, module).serialize())
    except wasmtime.WasmtimeError as error:
        raise InvalidModule(f"the module cannot be compiled: {_first_line(error)}") from None


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:500]


def main() -> int:
    """Read the order, build, and print the report or the error as one JSON document."""
    order = BuildOrder(**json.load(sys.stdin))
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _LOWEST_PRIORITY)
    # Address space is only reserved; what counts is memory that can be written.
    resource.setrlimit(resource.RLIMIT_DATA, (order.build_memory_bytes_max,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        document: dict[str, object] = {"report": asdict(build(order))}
    except OSError as error:  # a full disk, as a rule
        document = {"error": {"code": StorageFailure.code, "message": f"the build failed: {error}"}}
    except EdgeError as error:
        document = {"error": {"code": error.code, "message": error.message}}
    except MemoryError:
        document = {"error": {"code": "invalid_module", "message": "the build ran out of memory"}}
    json.dump(document, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
