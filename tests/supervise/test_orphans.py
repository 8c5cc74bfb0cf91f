"""A worker without its supervisor: it ends, whatever its peers hold open."""

import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.running import Server
from tests.supervise.hosts import worker_pids

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
GONE_S = 15.0


def test_a_worker_ends_with_its_supervisor(tmp_path: Path) -> None:
    """Killed, a supervisor leaves no worker behind, even one with HTTP/2 connections."""
    with Server(tmp_path / "data", settings={"grace_s": 1}) as server:
        (worker,) = worker_pids(server)
        address = urlsplit(server.http_url)
        with socket.create_connection((address.hostname, address.port)) as peer:
            peer.sendall(PREFACE)
            assert peer.recv(9)
            server.process.kill()
            until = time.monotonic() + GONE_S
            while Path(f"/proc/{worker}").exists() and time.monotonic() < until:
                time.sleep(0.1)
        assert not Path(f"/proc/{worker}").exists()
