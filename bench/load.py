"""Load from one generator process: wrk where it is installed, else a slower one of our own.

Neighbours: the benchmarks over HTTP; `generator.py` is the one of our own.
Invariant: bounded in connections and time, and only ever against this machine.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from bench import process
from bench.machine import ROOT

CONNECTIONS = 16
_SLACK_S = 30
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_QUANTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
_TROUBLE = re.compile(r"^\s*(?:Non-2xx or 3xx responses|Socket errors):.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Load:
    """What a generator saw, and the CPU time it used itself."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    generator_cpu_s: float


@dataclass(frozen=True, slots=True)
class Post:
    """What is posted, where it is no GET. Plain ASCII."""

    body: bytes
    headers: Mapping[str, str]

    def script(self) -> str:
        """Lua for wrk."""
        lines = ['wrk.method = "POST"', f"wrk.body = {json.dumps(self.body.decode())}"]
        for name, value in self.headers.items():
            lines.append(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}")
        return "\n".join(lines)


def generator_name() -> str:
    """Which generator makes the load here."""
    return "wrk" if shutil.which("wrk") else "bench.generator"


def saturate(
    url: str,
    cores: set[int],
    *,
    seconds: int,
    connections: int = CONNECTIONS,
    post: Post | None = None,
) -> Load:
    """Ask for `url` again and again over so many connections at once.

    Raises RuntimeError when any answer was not a good one.
    """
    wrk = shutil.which("wrk")
    command = (
        [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
        if wrk
        else [sys.executable, "-m", "bench.generator", url, str(connections), str(seconds)]
    )
    with process.pinned(cores), tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if post is not None and wrk:
            script.write(post.script())
            script.flush()
            command[1:1] = ["-s", script.name]
        elif post is not None:
            command.append(json.dumps([post.body.decode(), dict(post.headers)]))
        before = os.times()
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + _SLACK_S
        )
        after = os.times()
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    cpu_s = after.children_user + after.children_system
    cpu_s -= before.children_user + before.children_system
    return (
        _read_wrk(done.stdout, cpu_s)
        if wrk
        else Load(**json.loads(done.stdout), generator_cpu_s=cpu_s)
    )


def _read_wrk(report: str, cpu_s: float) -> Load:
    if trouble := _TROUBLE.search(report):
        raise RuntimeError(f"wrk was not answered well: {trouble[0].strip()}")
    quantiles = {found[0]: float(found[1]) * _MS[found[2]] for found in _QUANTILE.findall(report)}
    rate = _RATE.search(report)
    if rate is None or len(quantiles) != 2:
        raise RuntimeError(f"wrk's report cannot be read:\n{report}")
    return Load(float(rate[1]), quantiles["50"], quantiles["99"], cpu_s)
