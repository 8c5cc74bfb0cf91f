"""The command without a host: versions, wrong usage, and a control plane that is not there."""

import http.server
import os
import pty
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import __version__
from tests.cli.commands import CLOSED, COMMAND_SECONDS_MAX, EDGE, edge, environment

VERBS = ("up", "serve", "deploy", "invoke", "list", "info", "logs", "usage", "rm")


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    """`edge --version` says which edge this is."""
    result = edge("--version")
    assert (result.returncode, result.stdout) == (0, f"edge {__version__}\n")


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_every_verb_explains_itself(verb: str) -> None:
    """Help is there for each verb, and leads to all of them."""
    result = edge(*verb.split(), "--help")
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: edge")
    if not verb:
        assert all(f"\n  {name} " in result.stdout for name in VERBS)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nosuchverb",),
        ("deploy",),
        ("deploy", "/no/such/path"),
        ("deploy", ".", "--timeout", "3"),
        ("deploy", ".", "--memory", "0"),
        ("deploy", ".", "--env", "NOVALUE"),
        ("deploy", ".", "--env", "=value"),
        ("invoke", "hello", "--event", "{not json"),
        ("invoke", "hello", "--event", "@/no/such/file"),
        ("invoke", "hello", "--event", "-"),
        ("logs",),
        ("logs", "hello", "--since", "yesterday"),
        ("usage", "--by", "hour"),
        ("usage", "--since", "1st of May"),
        ("list", "surplus"),
        ("rm",),
        ("serve", "--workers", "many"),
        ("serve", "--set", "slice_fuel"),
        ("up",),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(arguments: tuple[str, ...]) -> None:
    """Nothing is printed on stdout, and stderr shows the usage."""
    result = edge(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: edge")


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("info", "hello"),
        ("rm", "hello"),
        ("logs", "hello"),
        ("logs", "hello", "-f"),
        ("usage", "--json"),
        ("invoke", "hello"),
    ],
    ids=" ".join,
)
def test_without_a_host_every_verb_says_how_to_start_one(arguments: tuple[str, ...]) -> None:
    """One line on stderr, exit 1."""
    result = edge(*arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no edge host answers at {CLOSED}:"
        " start one with 'edge serve', or set EDGE_CONTROL\n"
    )


@pytest.mark.parametrize("url", ["localhost:8081", "ftp://localhost", "http://", "::"])
def test_a_control_plane_that_is_no_url_is_refused(url: str) -> None:
    """EDGE_CONTROL without its scheme is a common slip."""
    result = edge("list", control_url=url)
    assert result.returncode == 1
    assert result.stderr == (
        f"Error: EDGE_CONTROL is {url!r}: give it a URL such as http://127.0.0.1:8081\n"
    )


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("slice_fule=5", "did you mean 'slice_fuel'?"),
        ("slice_fuel=lots", "slice_fuel must be a whole number"),
        ("concurrency_max=0", "concurrency_max must be between"),
        ("public_url=functions.example", "public_url must be a URL"),
    ],
)
def test_a_wrong_setting_of_the_host_is_refused(setting: str, said: str) -> None:
    """The host does not start on a setting it would have to guess."""
    result = edge("serve", "--set", setting)
    assert result.returncode == 1
    assert said in result.stderr


def test_an_address_in_use_is_one_line(tmp_path: Path) -> None:
    """A second host on the same port says which address it wanted."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as taken:
        address = f"127.0.0.1:{taken.server_port}"
        result = edge("serve", "--data", tmp_path, "--http", address, "--control", "127.0.0.1:0")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"Error: cannot listen on {address}: Address already in use\n"


def test_an_unknown_door_is_wrong_usage() -> None:
    """There are two doors, and the message names them."""
    result = edge("serve", "--door", "revolving")
    assert result.returncode == 2
    assert "'edge', 'hypercorn'" in result.stderr


class _Stranger(http.server.BaseHTTPRequestHandler):
    """Answers like some other program that happens to listen there."""

    def do_GET(self) -> None:
        self.send_response(404 if "missing" in self.path else 200)
        self.end_headers()
        self.wfile.write(b"<h1>hello</h1>")

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """The URL of a server that is no edge host."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["hello", "missing"])
def test_another_program_on_that_port_is_told_apart(stranger: str, name: str) -> None:
    """Success or error, an answer that is not edge's does not become a traceback."""
    result = edge("info", name, control_url=stranger)
    assert result.returncode == 1
    assert "in a shape that is not edge's: set EDGE_CONTROL" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_proxy_is_not_asked_for_this_machine(
    stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user behind a company's proxy still reaches a host on loopback."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, CLOSED)
    assert "not edge's" in edge("list", control_url=stranger).stderr


def _on_a_terminal(*arguments: str, **more: str) -> str:
    """What `edge ARGUMENTS` shows on a terminal."""
    terminal, end = pty.openpty()
    try:
        subprocess.run(
            [*EDGE, *arguments],
            stdin=end,
            stdout=end,
            stderr=end,
            timeout=COMMAND_SECONDS_MAX,
            env=environment(**more),
            check=False,
        )
        return os.read(terminal, 65_536).decode()
    finally:
        os.close(terminal)
        os.close(end)


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    """A pipe gets plain text, and so does a terminal with NO_COLOR; otherwise there is colour."""
    (tmp_path / "edge.toml").write_text('[function.f]\nmodule = "f.wasm"\nbuild = "exit 3"\n')
    command = ("deploy", str(tmp_path))
    assert "\x1b[31m" in _on_a_terminal(*command)
    assert "\x1b" not in _on_a_terminal(*command, NO_COLOR="1")
    assert "\x1b" not in edge(*command).stderr


def test_ctrl_c_during_a_build_ends_it_without_a_traceback(tmp_path: Path) -> None:
    """The user changed their mind before the host was up."""
    (tmp_path / "edge.toml").write_text(
        '[function.f]\nmodule = "f.wasm"\nbuild = "touch at-work; sleep 60"\n'
    )
    process = subprocess.Popen(
        [*EDGE, "up", tmp_path, "--data", tmp_path / "data"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    while not (tmp_path / "at-work").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=COMMAND_SECONDS_MAX)
    assert (process.returncode, stderr) == (1, "\nAborted!\n")
