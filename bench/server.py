"""A host of the kind users run, `edge serve`, in a directory of its own, on the cores it is given.

Neighbours: the benchmarks over HTTP start it and put load on it.
Invariant: it is stopped, and its directory is gone, when the `with` block ends.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Self

import cbor2
import httpx

from bench import process
from bench.machine import ROOT

_DEPLOY_TIMEOUT_S = 120


class Server:
    """`python -m edge serve`. `settings` are what `--set` takes; `data` is kept if it is given."""

    def __init__(
        self,
        cores: set[int],
        *,
        workers: int = 1,
        settings: Mapping[str, int] | None = None,
        data: Path | None = None,
    ) -> None:
        self._cores = cores
        self._temporary = None if data else tempfile.TemporaryDirectory(prefix="edge-bench-")
        directory = data if data else Path(self._temporary.name)  # type: ignore[union-attr]
        self._command = [
            *(sys.executable, "-m", "edge", "serve", "--json"),
            *("--data", str(directory), "--workers", str(workers)),
            *("--http", "127.0.0.1:0", "--control", "127.0.0.1:0"),
        ]
        for key, value in (settings or {}).items():
            self._command += ["--set", f"{key}={value}"]
        self.start_s = 0.0

    def __enter__(self) -> Self:
        began = perf_counter()
        with process.pinned(self._cores):
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            assert self._process.stdout is not None
            ready = json.loads(self._process.stdout.readline() or b"null")
            if ready is None:
                raise RuntimeError("the server did not start; its error stands above")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.start_s = perf_counter() - began
        self.http_url: str = ready["http"]
        self.control_url: str = ready["control"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process.stop(self._process)
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def pid(self) -> int:
        """The process that serves, when there is one worker."""
        return self.worker_pids()[0]

    def worker_pids(self) -> list[int]:
        """The processes that serve."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children]

    def pids(self) -> list[int]:
        """All processes of the host."""
        return [self._process.pid, *self.worker_pids()]

    def deploy(self, name: str, module: bytes, **settings: object) -> str:
        """Deploy as a client does; the URL under which the function answers."""
        answer = httpx.put(
            f"{self.control_url}/v1/functions/{name}",
            content=cbor2.dumps({"module": module, "settings": settings}),
            headers={"content-type": "application/cbor"},
            timeout=_DEPLOY_TIMEOUT_S,
        )
        if answer.is_error:
            raise RuntimeError(f"{name} was not deployed: {answer.text}")
        return f"{self.http_url}/{name}"

    def usage(self, function: str) -> dict[str, int]:
        """What a function used so far."""
        answer = httpx.get(f"{self.control_url}/v1/usage", params={"function": function})
        answer.raise_for_status()
        totals: list[dict[str, int]] = answer.json()["totals"]
        return totals[0]
