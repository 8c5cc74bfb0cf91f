"""The host as a whole: several workers, limits, restarts, and what survives them."""

import json
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from edge.storage.segments import WINDOW_BYTES
from tests import wat
from tests.running import Server

RECORD_BYTES_MIN = 50


def fresh_get(server: Server, path: str) -> httpx.Response:
    """A request on a connection of its own, so that any worker may get it."""
    return httpx.get(server.http_url + path, headers={"connection": "close"}, trust_env=False)


def usage(server: Server) -> dict[str, int]:
    """Requests by function, from `/v1/usage`."""
    totals = server.control.get("/v1/usage").json()["totals"]
    return {total["function"]: total["requests"] for total in totals}


def worker_pids(server: Server) -> list[int]:
    """The processes the supervisor started that are workers."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [
        int(pid)
        for pid in children.split()
        if b"edge.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_a_deploy_is_live_on_every_worker(tmp_path: Path) -> None:
    """When the deployer has its answer, no worker serves what was there before."""
    with Server(tmp_path / "data", workers=2) as server:
        for number in range(10):
            answer = f"v{number}".encode()
            data = '(data (i32.const 200) "\\a1bokb' + answer.decode() + '")'
            point = "(i64.or (i64.shl (i64.const 200) (i64.const 32)) (i64.const 7))"
            server.deploy("hello", wat.guest(point, more=data))
            assert {fresh_get(server, "/hello").content for _ in range(12)} == {answer}
        server.control.delete("/v1/functions/hello").raise_for_status()
        assert {fresh_get(server, "/hello").status_code for _ in range(12)} == {404}


@pytest.mark.parametrize("workers", [1, 2])
def test_concurrency_limits_hold_for_the_host(tmp_path: Path, workers: int) -> None:
    """429 beyond a function's limit, 503 with Retry-After beyond the host's, over all workers."""
    settings = {"concurrency_max": 6}
    with Server(tmp_path / "data", workers=workers, settings=settings) as server:
        server.deploy("few", wat.sleeper(1.5), concurrency=3)
        server.deploy("many", wat.sleeper(1.5))
        for name, allowed, status in (("few", 3, 429), ("many", 6, 503)):
            with ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(lambda _: fresh_get(server, f"/{name}"), range(16)))  # noqa: B023
            counts = Counter(answer.status_code for answer in answers)
            assert set(counts) == {200, status}
            assert allowed <= counts[200] <= allowed + workers - 1
            refused = [answer for answer in answers if answer.status_code == status]
            assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        assert fresh_get(server, "/few").status_code == 200


def test_sigterm_finishes_what_runs(tmp_path: Path) -> None:
    """A host that is told to stop answers the requests it has, then leaves with status 0."""
    with Server(tmp_path / "data") as server:
        server.deploy("sleeper", wat.sleeper(1.0))
        with ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(fresh_get, server, "/sleeper") for _ in range(4)]
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            assert [answer.result().status_code for answer in answers] == [200] * 4
        assert server.process.wait(20) == 0


def test_a_dead_worker_is_replaced(tmp_path: Path) -> None:
    """kill -9 of a worker costs its own requests, gives back its share of limits, and no more."""
    with Server(tmp_path / "data", workers=2) as server:
        server.deploy("sleeper", wat.sleeper(30), timeoutMs=60_000, concurrency=2)
        server.deploy("hello", wat.HELLO)
        with ThreadPoolExecutor(2) as pool:
            stuck = [pool.submit(_outcome, server, "/sleeper") for _ in range(2)]
            time.sleep(0.5)
            assert fresh_get(server, "/sleeper").status_code == 429
            for pid in worker_pids(server):
                os.kill(pid, signal.SIGKILL)
            assert [task.result() for task in stuck] == [0, 0]
        deadline = time.monotonic() + 30
        while _outcome(server, "/hello") != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        server.deploy("sleeper", wat.sleeper(0.1), concurrency=2)
        assert fresh_get(server, "/sleeper").status_code == 200
        assert len(worker_pids(server)) == 2


def _outcome(server: Server, path: str) -> int:
    """The status, or 0 when the connection broke."""
    try:
        return fresh_get(server, path).status_code
    except httpx.HTTPError:
        return 0


def test_kill_loses_no_record_and_no_function(tmp_path: Path) -> None:
    """kill -9 under load: every answered request is in the usage, once; functions are there."""
    data = tmp_path / "data"
    answered = 0
    for _ in range(3):
        with Server(data, workers=2) as server:
            if not answered:
                server.deploy("hello", wat.HELLO)
            counter: list[int] = []
            stop = threading.Event()

            def load(server: Server = server, counter: list[int] = counter) -> None:
                while not stop.is_set():  # noqa: B023
                    if _outcome(server, "/hello") == 200:
                        counter.append(1)

            threads = [threading.Thread(target=load) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(1.0)
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            answered += len(counter)
    with Server(data) as server:
        assert fresh_get(server, "/hello").text == "hello"
        recorded = usage(server)["hello"]
        # Four requests at most were cut off between their record and their answer, each time.
        assert answered + 1 <= recorded <= answered + 1 + 3 * 4


def test_one_host_to_a_data_directory(server: Server) -> None:
    """A second host on the same data is refused and told what to do."""
    with pytest.raises(RuntimeError, match="another edge host serves"), Server(server.data):
        pass
    assert server.control.get("/healthz").status_code == 200


def test_a_damaged_compiled_file_is_built_again(tmp_path: Path) -> None:
    """A compiled file that is cut, changed or gone costs a rebuild, never a crash."""
    data = tmp_path / "data"
    with Server(data) as server:
        server.deploy("hello", wat.HELLO)
        assert fresh_get(server, "/hello").text == "hello"
    (compiled,) = data.glob("compiled/*/*.cwasm")
    whole = compiled.read_bytes()
    for damaged in (whole[:100], whole[:-1] + bytes([whole[-1] ^ 1]), b"", None):
        compiled.unlink()
        if damaged is not None:
            compiled.write_bytes(damaged)
        with Server(data) as server:
            with ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(lambda _: fresh_get(server, "/hello").text, range(4)))
            assert answers == ["hello"] * 4
        assert compiled.exists()


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    """When nothing can be written no answer leaves unrecorded, and the host lives on."""
    with Server(tmp_path / "data", workers=1) as server:
        server.deploy("hello", wat.HELLO)
        assert fresh_get(server, "/hello").status_code == 200
        journal = next((server.data / "journal").glob("*.cbor"))
        limit = journal.stat().st_size
        (worker,) = worker_pids(server)
        os.system(f"prlimit --pid {worker} --fsize={limit}:unlimited")
        statuses = []
        # What was taken from the disk ahead is used up first.
        with httpx.Client(base_url=server.http_url, trust_env=False) as client:
            for _ in range(WINDOW_BYTES // RECORD_BYTES_MIN):
                statuses.append(client.get("/hello").status_code)
                if statuses[-1] != 200:
                    break
        statuses += [fresh_get(server, "/hello").status_code for _ in range(5)]
        assert statuses[0] == 200
        assert set(statuses[-6:]) <= {500, 503, 507}
        os.system(f"prlimit --pid {worker} --fsize=unlimited:unlimited")
        assert fresh_get(server, "/hello").status_code == 200
        assert usage(server)["hello"] == statuses.count(200) + 2


def test_the_client_going_away_ends_the_guest(server: Server) -> None:
    """A caller that hangs up frees its guest, and the record says canceled."""
    server.deploy("sleeper", wat.sleeper(60), timeoutMs=90_000, concurrency=1)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{server.http_url}/sleeper", timeout=0.5, trust_env=False)
    deadline = time.monotonic() + 10
    while not usage(server) and time.monotonic() < deadline:
        time.sleep(0.1)
    server.deploy("sleeper", wat.HELLO, concurrency=1)
    assert fresh_get(server, "/sleeper").status_code == 200


def test_health_names_version_and_functions(server: Server) -> None:
    """Whoever watches the host gets a short JSON document."""
    server.deploy("hello", wat.HELLO)
    document = json.loads(server.control.get("/healthz").content)
    assert document["status"] == "ok"
    assert document["functions"] == 1
