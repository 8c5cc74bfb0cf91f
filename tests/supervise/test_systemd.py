"""systemd's part: sockets that it passes, and what it is told; a stand-in speaks the same."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

TIMEOUT_S = 60
# Puts the sockets where systemd would, says so, and becomes the host.
LAUNCHER = """
import os, sys
names, owner, *numbers = sys.argv[1].split()
for index, number in enumerate(map(int, numbers)):
    os.dup2(number, 100 + index)
for index in range(len(numbers)):
    os.dup2(100 + index, 3 + index)
    os.close(100 + index)
pid = str(os.getpid()) if owner == "own" else owner
told = {"LISTEN_FDS": str(len(numbers)), "LISTEN_PID": pid, "LISTEN_FDNAMES": names}
os.execve(sys.executable, [sys.executable, *sys.argv[2:]], {**os.environ, **told})
"""


@contextmanager
def started(
    data: Path,
    names: str,
    sockets: Sequence[socket.socket],
    *options: str,
    owner: str = "own",
    notify: str = "",
) -> Iterator[subprocess.Popen[str]]:
    """A host that is started with these sockets."""
    numbers = [str(sock.fileno()) for sock in sockets]
    command = [sys.executable, "-c", LAUNCHER, " ".join((names, owner, *numbers))]
    command += ["-m", "edge", "serve", "--json", "--data", str(data), *options]
    environment = {**os.environ, **({"NOTIFY_SOCKET": notify} if notify else {})}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        pass_fds=[sock.fileno() for sock in sockets],
    ) as host:
        try:
            yield host
        finally:
            host.send_signal(signal.SIGTERM)
            host.communicate(timeout=TIMEOUT_S)


def ready(host: subprocess.Popen[str]) -> dict[str, str]:
    """Where it serves, once it does."""
    assert host.stdout is not None
    urls: dict[str, str] = json.loads(host.stdout.readline())
    return urls


def listening() -> socket.socket:
    """A listening socket on a free port."""
    return socket.create_server(("127.0.0.1", 0))


def test_it_serves_on_what_it_is_passed(tmp_path: Path) -> None:
    """In any order, by name; who connected before it was there is served."""
    with closing(listening()) as http, closing(listening()) as control:
        early = socket.create_connection(http.getsockname())
        early.sendall(b"GET /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        early.settimeout(TIMEOUT_S)
        with closing(early), started(tmp_path / "d", "control:http", (control, http)) as host:
            assert ready(host) == {
                "http": f"http://127.0.0.1:{http.getsockname()[1]}",
                "control": f"http://127.0.0.1:{control.getsockname()[1]}",
            }
            assert early.recv(4_096).startswith(b"HTTP/1.1 404 ")
            address = f"http://127.0.0.1:{control.getsockname()[1]}/healthz"
            assert httpx.get(address, trust_env=False).json()["status"] == "ok"


def test_one_socket_may_be_passed_and_shared(tmp_path: Path) -> None:
    """The other door listens where its option says; workers share what is not enough for each."""
    with closing(listening()) as http:
        options = ("--control", "127.0.0.1:0", "--workers", "2")
        with started(tmp_path / "d", "http", (http,), *options) as host:
            urls = ready(host)
            for _ in range(4):
                assert httpx.get(f"{urls['http']}/nobody", trust_env=False).status_code == 404
            assert httpx.get(f"{urls['control']}/healthz", trust_env=False).status_code == 200


def test_sockets_of_another_process_are_left_alone(tmp_path: Path) -> None:
    """A variable that was inherited by mistake says nothing."""
    with closing(listening()) as http:
        options = ("--http", "127.0.0.1:0", "--control", "127.0.0.1:0")
        with started(tmp_path / "d", "http", (http,), *options, owner="1") as host:
            assert ready(host)["http"] != f"http://127.0.0.1:{http.getsockname()[1]}"


@pytest.mark.parametrize(
    ("names", "kind", "said"),
    [
        ("web", "listening", "named 'web'"),
        ("http", "datagram", "no TCP socket"),
        ("http", "idle", "does not listen"),
        ("http:http", "listening", "2 sockets named 'http' for 1 worker(s)"),
    ],
)
def test_sockets_that_cannot_serve_are_refused(
    tmp_path: Path, names: str, kind: str, said: str
) -> None:
    """One line says what to write in the unit."""
    made = {
        "listening": listening,
        "datagram": lambda: socket.socket(type=socket.SOCK_DGRAM),
        "idle": socket.socket,
    }[kind]
    sockets = [made() for _ in names.split(":")]
    try:
        with started(tmp_path / "d", names, sockets, "--control", "127.0.0.1:0") as host:
            assert host.stderr is not None
            line = host.stderr.readline()
            assert line.startswith("Error: ")
            assert said in line
            assert host.wait(TIMEOUT_S) == 1
    finally:
        for sock in sockets:
            sock.close()


def test_it_is_told_what_goes_on(tmp_path: Path) -> None:
    """READY=1 when it serves, RELOADING=1 and READY=1 around SIGHUP, STOPPING=1 at the end; its
    workers would not know whom to tell."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        path = tmp_path / "notify"
        manager.bind(str(path))
        manager.settimeout(TIMEOUT_S)
        options = ("--http", "127.0.0.1:0", "--control", "127.0.0.1:0")
        with started(tmp_path / "d", "-", (), *options, notify=str(path)) as host:
            ready(host)
            words = manager.recv(4_096).decode().split("\n")
            assert words[0] == "READY=1"
            assert f"MAINPID={host.pid}" in words
            children = Path(f"/proc/{host.pid}/task/{host.pid}/children").read_text().split()
            for pid in children:
                names = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                assert not [name for name in names if name.startswith((b"LISTEN_", b"NOTIFY_"))]
            host.send_signal(signal.SIGHUP)
            words = manager.recv(4_096).decode().split("\n")
            assert words[0] == "RELOADING=1"
            assert words[1].startswith("MONOTONIC_USEC=")
            assert manager.recv(4_096).decode().startswith("READY=1")
            host.send_signal(signal.SIGTERM)
            assert manager.recv(4_096) == b"STOPPING=1"
