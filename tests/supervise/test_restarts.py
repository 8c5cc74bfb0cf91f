"""Under constant load: a worker that is killed, workers restarted in turn, an upgrade in place."""

import http.client
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import edge
from tests import wat
from tests.running import Server
from tests.supervise.hosts import (
    TIMEOUT_S,
    await_new_workers,
    await_running,
    replace_workers,
    running,
    worker_pids,
)
from tests.supervise.load import Load

EDGE = Path(edge.__file__).parent


def outcome(server: Server, path: str) -> int:
    """The status of a request on a connection of its own, 0 when the connection broke."""
    try:
        close = {"connection": "close"}
        return httpx.get(
            server.http_url + path, headers=close, trust_env=False, timeout=TIMEOUT_S
        ).status_code
    except httpx.HTTPError:
        return 0


def test_a_killed_worker_takes_only_its_own_requests_along(tmp_path: Path) -> None:
    """kill -9: what ran in it fails, what ran in the other does not, what follows is served."""
    with Server(tmp_path / "data", workers=2) as server:
        server.deploy("hello", wat.HELLO)
        server.deploy("sleeper", wat.sleeper(3), timeoutMs=30_000)
        with ThreadPoolExecutor(12) as pool:
            slow = [pool.submit(outcome, server, "/sleeper") for _ in range(12)]
            columns = await_running(server, 2, 12)
            killed, other = worker_pids(server)
            os.kill(killed, signal.SIGKILL)
            await_new_workers(server, [killed], 2)
            assert sorted(task.result() for task in slow) == [0] * columns[0] + [200] * columns[2]
        with Load(server.http_url, "/hello") as load:
            load.await_answers(100)
            os.kill(other, signal.SIGKILL)
            await_new_workers(server, [other], 2)
            load.await_answers(100)
        # Each of the six clients can have had one request in it.
        assert sum(load.failures.values()) <= 6
        assert set(load.failures) <= {
            "RemoteDisconnected",
            "RemoteDisconnected, on a new connection",
            "ConnectionResetError, on a new connection",
        }
        assert running(server, 2) == [0, 0, 0, 0]


def test_what_waits_for_a_killed_worker_is_served_by_the_next(tmp_path: Path) -> None:
    """Connections in the queue of a worker that dies before it took them are not reset."""
    with Server(tmp_path / "data") as server:
        server.deploy("hello", wat.HELLO)
        (worker,) = worker_pids(server)
        os.kill(worker, signal.SIGSTOP)
        connections = [http.client.HTTPConnection(urlsplit(server.http_url).netloc) for _ in "four"]
        for connection in connections:
            connection.request("GET", "/hello")
        os.kill(worker, signal.SIGKILL)
        for connection in connections:
            with closing(connection):
                assert connection.getresponse().status == 200


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR2])
def test_no_request_fails_while_workers_are_replaced(
    tmp_path: Path, workers: int, number: signal.Signals
) -> None:
    """SIGHUP and SIGUSR2, three times: all is answered, and nothing is counted as running after."""
    with Server(tmp_path / "data", workers=workers) as server:
        server.deploy("hello", wat.HELLO)
        with Load(server.http_url, "/hello") as load:
            for _ in range(3):
                load.await_answers(50)
                replace_workers(server, number, workers)
            load.await_answers(50)
        assert load.failures == {}
        assert sum(running(server, workers)) == 0
        assert server.process.poll() is None


def test_a_worker_that_is_replaced_finishes_what_runs(tmp_path: Path) -> None:
    """A request that was running before SIGHUP has its answer, and its share until then."""
    with Server(tmp_path / "data") as server:
        server.deploy("sleeper", wat.sleeper(2), concurrency=1)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(outcome, server, "/sleeper")
            await_running(server, 1, 1)
            (before,) = worker_pids(server)
            server.process.send_signal(signal.SIGHUP)
            while worker_pids(server) == [before]:
                time.sleep(0.02)
            assert outcome(server, "/sleeper") == 429
            assert slow.result() == 200
        await_running(server, 1, 0)
        assert outcome(server, "/sleeper") == 200


@pytest.fixture
def current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A link to the release that hosts run, as those who deploy by links have it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "current"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return tmp_path / "current"


def release(current: Path, name: str, *, appended: str = "") -> None:
    """Make the release `name` of what is here, and let the link lead to it."""
    directory = current.parent / name
    shutil.copytree(EDGE, directory / "edge")
    (directory / "edge" / "__init__.py").write_text(f'"""edge."""\n\n__version__ = "{name}"\n')
    with (directory / "edge" / "worker.py").open("a") as file:
        file.write(appended)
    link = current.with_suffix(".new")
    link.symlink_to(directory)
    link.replace(current)


def test_an_upgrade_serves_the_new_version(tmp_path: Path, current: Path) -> None:
    """SIGUSR2 leads from one release to the next, in the same process, under load; a release that
    does not start changes nothing."""
    release(current, "1.0.1")
    with Server(tmp_path / "data", workers=2) as server:
        server.deploy("hello", wat.HELLO)
        assert server.control.get("/healthz").json()["version"] == "1.0.1"
        with Load(server.http_url, "/hello", kept=2, fresh=2) as load:
            release(current, "1.0.2")
            replace_workers(server, signal.SIGUSR2, 2)
            load.await_answers(50)
            assert server.control.get("/healthz").json()["version"] == "1.0.2"
            release(current, "1.0.3", appended="raise RuntimeError('broken release')\n")
            before = worker_pids(server)
            server.process.send_signal(signal.SIGUSR2)
            until = time.monotonic() + TIMEOUT_S
            while "upgrade_failed" not in server.stderr_path.read_text():
                assert time.monotonic() < until
                load.await_answers(5)
            assert worker_pids(server) == before
        assert load.failures == {}
        assert "broken release" in server.stderr_path.read_text()
        assert server.stop() == 0
