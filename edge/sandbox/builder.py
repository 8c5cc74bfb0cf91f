"""Start builds, bound them in number and time, and translate what they say.

Neighbours: `deploy/` orders builds; `build.py` is the process.
Invariant: a build that overran, crashed or was killed is an error with its cause, and leaves
nothing behind.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.config import HostSettings
from edge.model import errors
from edge.model.errors import DeployTimeout, EdgeError, InvalidModule
from edge.model.function import Settings
from edge.model.limits import MEMORY_MB_MAX, MIB, Limits
from edge.sandbox.build import BuildOrder, BuildReport
from edge.sandbox.engine import PoolPlan

_STDERR_KEPT = 300


@dataclass(frozen=True, slots=True)
class Built:
    """A report, and the module that runs."""

    report: BuildReport
    image: bytes


class Builder:
    """Builds modules for the engine that `plan` describes, at most `builds_max` at once."""

    def __init__(
        self, plan: PoolPlan, compiled: Path, temporary: Path, host: HostSettings, init_fuel: int
    ) -> None:
        self._plan = plan
        self._compiled = compiled
        self._temporary = temporary
        self._host = host
        self._init_fuel = init_fuel
        self._turn = asyncio.Semaphore(host.builds_max)
        self._waiting = 0

    async def build(self, module: bytes, settings: Settings) -> Built:
        """Snapshot as the settings ask, and compile. Raises InvalidModule, InitFailed,
        DeployTimeout or StorageFailure."""
        async with self._next_turn():
            self._temporary.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._temporary) as directory:
                source, image = Path(directory, "module.wasm"), Path(directory, "image.wasm")
                await asyncio.to_thread(source.write_bytes, module)
                report = await self._run(self._order(source, image, settings))
                return Built(report, await asyncio.to_thread(image.read_bytes))

    async def compile(self, image: bytes) -> None:
        """Compile a module that was built before, as it is: its compiled file went stale."""
        limits = Limits(memory_mb=MEMORY_MB_MAX)  # it was checked against its own at deploy
        await self.build(image, Settings(limits=limits, snapshot=False))

    @contextlib.asynccontextmanager
    async def _next_turn(self) -> AsyncIterator[None]:
        """Wait to be one of `builds_max`, with at most `builds_waiting_max` others."""
        if self._waiting >= self._host.builds_waiting_max:
            raise DeployTimeout(f"{self._waiting} deploys are waiting already: try again later")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    def _order(self, source: Path, image: Path, settings: Settings) -> BuildOrder:
        return BuildOrder(
            module=str(source),
            image=str(image),
            compiled_directory=str(self._compiled),
            snapshot=settings.snapshot,
            environment=settings.environment,
            primes=tuple((prime.name, prime.event, prime.answers) for prime in settings.primes),
            memory_bytes_max=settings.limits.memory_bytes_max,
            fuel_max=self._init_fuel,
            build_memory_bytes_max=self._host.build_memory_mb * MIB,
            reservation_bytes=self._plan.reservation_bytes,
            guard_bytes=self._plan.guard_bytes,
            pool_memory_bytes_max=self._plan.memory_bytes_max,
        )

    async def _run(self, order: BuildOrder) -> BuildReport:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "edge.sandbox.build",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._host.build_timeout_s):
                out, err = await process.communicate(json.dumps(asdict(order)).encode())
        except TimeoutError:
            raise DeployTimeout(
                f"the build took longer than {self._host.build_timeout_s} s and was ended"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _read(process.returncode or 0, out, err)


def _read(status: int, out: bytes, err: bytes) -> BuildReport:
    """The report a build printed, or the error it printed or died of."""
    try:
        document = json.loads(out)
    except ValueError:
        cause = err.decode("utf-8", "replace").strip()[-_STDERR_KEPT:]
        ended = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
        raise InvalidModule(f"the build {ended}: {cause or 'it may need more memory'}") from None
    if "error" in document:
        raise _error(document["error"]["code"])(document["error"]["message"])
    report = document["report"]
    report["warnings"] = tuple(report["warnings"])
    report["log"] = tuple((level, text) for level, text in report["log"])
    return BuildReport(**report)


def _error(code: str) -> type[EdgeError]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, EdgeError) and kind.code == code:
            return kind
    return EdgeError
