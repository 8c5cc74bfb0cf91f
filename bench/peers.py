"""Other servers, each with the constant app or with edge's data plane behind it, on given cores.

`python -m bench.peers SERVER APP PORT` is one of them in the foreground; workerd has its own
program.

Neighbours: `door.py` compares them; `app.py` has the apps.
Invariant: a peer that is not installed is said to be so, and nothing is installed here.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx

from bench import process
from bench.machine import ROOT

HOST = "127.0.0.1"
START_TIMEOUT_S = 30
_NEEDS = {
    "hypercorn": ("hypercorn",),
    "uvicorn": ("uvicorn", "httptools"),
    "granian": ("granian",),
}
_WORKERD_CONFIG = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .constant)],
  sockets = [(name = "http", address = "{host}:{port}", http = (), service = "main")],
);
const constant :Workerd.Worker = (
  modules = [(name = "constant.js", esModule = embed "constant.js")],
  compatibilityDate = "2025-01-01",
);
"""
_WORKERD_SCRIPT = """export default {
  async fetch() {
    return new Response("hello", { headers: { "content-type": "text/plain; charset=utf-8" } });
  },
};
"""


def missing(server: str) -> str:
    """Why a server cannot be started here; empty when it can."""
    if server == "workerd":
        return "" if shutil.which("workerd") else "not installed (npm install -g workerd)"
    absent = [name for name in _NEEDS[server] if find_spec(name) is None]
    return f"not installed (pip install {' '.join(absent)})" if absent else ""


@contextlib.contextmanager
def running(server: str, app: str, cores: set[int]) -> Iterator[str]:
    """A server with `constant` or `edge` behind it; its URL, once it answers."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        port = _free_port()
        command = [sys.executable, "-m", "bench.peers", server, app, str(port)]
        if server == "workerd":
            command = _workerd(Path(directory), port)
        environment = {**os.environ, "EDGE_DATA": str(Path(directory, "data"))}
        with process.pinned(cores):
            started = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
            )
        try:
            url = f"http://{HOST}:{port}/tiny"
            _await_answer(url, started)
            yield url
        finally:
            process.stop(started)


def _await_answer(url: str, started: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and started.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=1, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{started.args!r} does not answer; its error may stand above")


def _workerd(directory: Path, port: int) -> list[str]:
    config = directory / "config.capnp"
    config.write_text(_WORKERD_CONFIG.format(host=HOST, port=port))
    (directory / "constant.js").write_text(_WORKERD_SCRIPT)
    return ["workerd", "serve", str(config)]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


def _serve_hypercorn(app: str, port: int) -> None:
    """Configured as a worker configures it for its own doors."""
    import hypercorn.asyncio
    from hypercorn.config import Config

    import bench.app
    from edge.worker import new_event_loop

    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.include_server_header = False
    config.loglevel = "WARNING"
    config.accesslog = None
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(hypercorn.asyncio.serve(getattr(bench.app, app), config, mode="asgi"))


def _serve_uvicorn(app: str, port: int) -> None:
    import uvicorn

    uvicorn.run(
        f"bench.app:{app}",
        host=HOST,
        port=port,
        http="httptools",
        loop="uvloop",
        log_level="warning",
        access_log=False,
        server_header=False,
    )


def _serve_granian(app: str, port: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    Granian(
        f"bench.app:{app}",
        address=HOST,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    _, _server, _app, _port = sys.argv
    _SERVE = {
        "hypercorn": _serve_hypercorn,
        "uvicorn": _serve_uvicorn,
        "granian": _serve_granian,
    }
    _SERVE[_server](_app, int(_port))
