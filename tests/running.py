"""A real host for tests: `edge serve` as a process of its own, on free loopback ports.

Neighbours: `conftest.py` makes fixtures of it.
Invariant: leaving the context ends the process that it started, and no other.
"""

import json
import os
import selectors
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import cbor2
import httpx

from edge.meter.journal import read_records
from edge.model.usage import Usage

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
RECORD_TIMEOUT_S = 20


class Server:
    """A running host. `http` and `control` are clients of its two doors, who trust `trusted`.

    `control_host` is where its control plane listens; `0.0.0.0` is asked at 127.0.0.1.
    `descriptors_max` is the hard limit of what it may have open.
    """

    def __init__(
        self,
        data: Path,
        *,
        workers: int = 1,
        settings: Mapping[str, object] | None = None,
        trusted: ssl.SSLContext | None = None,
        control_host: str = "127.0.0.1",
        descriptors_max: int | None = None,
    ) -> None:
        self.data = data
        self._workers = workers
        self._verify = trusted or False
        self._control_host = control_host
        self._descriptors_max = descriptors_max
        self._settings = dict(settings or {})

    def __enter__(self) -> Self:
        command = [] if self._descriptors_max is None else _limited(self._descriptors_max)
        command += [sys.executable, "-m", "edge", "serve", "--json", "--data", str(self.data)]
        command += ["--http", "127.0.0.1:0", "--control", f"{self._control_host}:0"]
        command += ["--workers", str(self._workers)]
        for key, value in self._settings.items():
            command += ["--set", f"{key}={value}"]
        self.stderr_path = self.data.parent / f"{self.data.name}.stderr"
        with self.stderr_path.open("ab") as stderr:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=stderr, env={**os.environ, "NO_COLOR": "1"}
            )
        try:
            ready = json.loads(self._read_line())
        except BaseException:
            self.stop()
            raise
        self.http_url = ready["http"]
        self.control_url = ready["control"].replace("0.0.0.0", "127.0.0.1")
        self.http = self.client(self.http_url)
        self.control = self.client(self.control_url)
        return self

    def client(self, url: str) -> httpx.Client:
        """A client of one door."""
        return httpx.Client(base_url=url, timeout=120, trust_env=False, verify=self._verify)

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.control.close()
        self.stop()

    def _read_line(self) -> bytes:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(START_TIMEOUT_S):
                raise TimeoutError("the host did not start")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the host ended: {self.stderr_path.read_text()}")
        return line

    def deploy(self, name: str, module: bytes, **settings: object) -> dict[str, object]:
        """Deploy through `/v1`; the info document. Raises httpx.HTTPStatusError."""
        body = cbor2.dumps({"module": module, "settings": settings})
        response = self.control.put(
            f"/v1/functions/{name}", content=body, headers={"content-type": "application/cbor"}
        )
        response.raise_for_status()
        document: dict[str, object] = response.json()
        return document

    def record(self, request_id: str) -> Usage:
        """What the journal says of a request, as soon as it does."""
        until_s = time.monotonic() + RECORD_TIMEOUT_S
        while time.monotonic() < until_s:
            for usage in read_records(self.data / "journal"):
                if usage.request_id == request_id:
                    return usage
            time.sleep(0.02)
        raise AssertionError(f"the journal has no record of {request_id}")

    def stop(self) -> int:
        """SIGTERM, and wait; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.wait()

    def kill(self) -> None:
        """SIGKILL: the host gets no chance to tidy up."""
        self.process.kill()
        self.process.wait()


def _limited(descriptors: int) -> list[str]:
    """What runs a command with fewer descriptors."""
    return ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh"]
