"""Whom the control plane lets in, on loopback and elsewhere, before and after its first key."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.commands import EDGE, edge, environment
from tests.running import Server
from tests.wat import HELLO


@pytest.mark.parametrize("control_host", ["127.0.0.1", "127.0.0.2"])
def test_loopback_is_open(tmp_path: Path, control_host: str) -> None:
    """Every address of the loopback range is this machine's own."""
    with Server(tmp_path / "data", control_host=control_host) as server:
        assert server.control.get("/v1/functions").status_code == 200


def test_elsewhere_it_is_closed_until_there_is_a_key(tmp_path: Path) -> None:
    """Without a key all is refused, and told how to make one; /healthz answers."""
    data = tmp_path / "data"
    with Server(data, control_host="0.0.0.0") as server:
        bearer = {"authorization": "Bearer edge_guessed"}
        for path in ("/v1/functions", "/2015-03-31/functions", "/v1/nothing", "/"):
            for headers in ({}, bearer):
                refused = server.control.get(path, headers=headers)
                assert refused.status_code == 403
                assert "'edge key create' on the host" in refused.text
        assert server.control.put("/v1/functions/hello", content=b"").status_code == 403
        assert server.control.get("/healthz").status_code == 200
        named = {"host": "edge.example"}
        assert server.control.get("/healthz", headers=named).status_code == 200
        made = edge("key", "create", "--data", data, "--json")
        assert made.returncode == 0
        token = made.stdout.split('"token": "')[1].split('"')[0]
        assert server.control.get("/v1/functions").status_code == 403
        server.control.headers["authorization"] = f"Bearer {token}"
        server.deploy("hello", HELLO)
        assert server.http.get("/hello").text == "hello"


@pytest.mark.parametrize(
    ("control_host", "said"),
    [
        ("127.0.0.1", ["it is open to everybody on this machine: 'edge key create' closes it"]),
        (
            "0.0.0.0",
            [
                "it is reached without TLS, and tokens can be read on their way to it:"
                " give --tls-cert and --tls-key",
                "it is closed, for it has no keys yet: 'edge key create' makes the first",
            ],
        ),
    ],
)
def test_the_start_says_who_is_let_in(tmp_path: Path, control_host: str, said: list[str]) -> None:
    """Whoever starts a host reads what it is open to."""
    command = [*EDGE, "serve", "--data", str(tmp_path), "--http", "127.0.0.1:0"]
    command += ["--control", f"{control_host}:0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline().startswith("edge ")
        assert f"control plane at http://{control_host}:" in host.stdout.readline()
        host.send_signal(signal.SIGTERM)
        _, stderr = host.communicate(timeout=60)
    assert (host.returncode, stderr.splitlines()) == (0, said)
