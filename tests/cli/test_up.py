"""`edge up`: from sources to answering functions, and every save after that."""

import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge.cli.manifest import read_manifest
from tests.cli.commands import EDGE, edge, environment
from tests.toolchain import GUESTS, SDK_C

LINE_SECONDS_MAX = 100
STOP_SECONDS_MAX = 40


class Up:
    """A running `edge up PATH`, its output read a line at a time."""

    def __init__(self, path: Path, data: Path) -> None:
        self.said = ""
        self.process = subprocess.Popen(
            [
                *EDGE,
                "up",
                path,
                "--data",
                data,
                "--http",
                "127.0.0.1:0",
                "--control",
                "127.0.0.1:0",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env=environment(PYTHONUNBUFFERED="1"),
        )

    def wait_for(self, text: str) -> str:
        """The first line still unread that holds `text`."""
        assert self.process.stdout is not None
        until = time.monotonic() + LINE_SECONDS_MAX
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while selector.select(max(0, until - time.monotonic())):
                line = self.process.stdout.readline().decode()
                if not line:
                    break
                self.said += line
                if text in line:
                    return line.strip()
        raise AssertionError(f"no {text!r} in:\n{self.said}")

    def stop(self, number: int) -> int:
        """The exit code after a signal; what it still said is added to `said`."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=STOP_SECONDS_MAX)
        self.said += rest.decode()
        return self.process.returncode


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    """A copy of two sample guests and of the SDK they are built with."""
    shutil.copytree(SDK_C, tmp_path / "sdk" / "c")
    for name in ("hello", "echo"):
        shutil.copytree(GUESTS / name, tmp_path / "guests" / name)
    for built in tmp_path.rglob("*.wasm"):
        built.unlink()
    return tmp_path / "guests"


@pytest.fixture
def started(guests: Path, tmp_path: Path) -> Iterator[Up]:
    """`edge up` on those guests, watching."""
    up = Up(guests, tmp_path / "data")
    try:
        up.wait_for("watching")
        yield up
    finally:
        if up.process.poll() is None:
            up.process.kill()
            up.process.communicate()


def curl_url(up: Up, name: str) -> str:
    """The URL of the curl line that was printed for a function."""
    (line,) = [line for line in up.said.splitlines() if line.endswith(f"/{name}")]
    command, url = line.split()
    assert command == "curl"
    return url


def test_up_serves_builds_and_follows_every_save(started: Up, guests: Path) -> None:
    """The first five minutes: the printed curl line works, a save is live, a mistake is shown and
    harms nothing, and Ctrl-C ends it all."""
    url = curl_url(started, "hello")
    assert httpx.get(url).json()["message"] == "Hello, world!"
    assert httpx.get(curl_url(started, "echo")).status_code == 200

    source = guests / "hello" / "hello.c"
    text = source.read_text()
    source.write_text(text.replace("Hello, ", "Howdy, "))
    started.wait_for("deployed hello")
    assert httpx.get(url).json()["message"] == "Howdy, world!"

    source.write_text(text + "\nint broken = ;\n")
    assert "hello.c" in started.wait_for("error: expected expression")
    started.wait_for("hello goes on as it was")
    assert httpx.get(url).json()["message"] == "Howdy, world!"

    manifest = guests / "hello" / "edge.toml"
    manifest.write_text(manifest.read_text() + "\nmemroy = 3\n")
    assert "unknown key 'memroy'" in started.wait_for("Error: ")

    assert started.stop(signal.SIGINT) == 0
    assert "Traceback" not in started.said


def test_a_new_function_is_deployed_when_its_manifest_appears(started: Up, guests: Path) -> None:
    """Adding a directory to a running project is enough; the others are left alone."""
    shutil.copytree(guests / "echo", guests / "mirror")
    manifest = guests / "mirror" / "edge.toml"
    manifest.write_text(manifest.read_text().replace("function.echo", "function.mirror"))
    line = started.wait_for("curl ")
    assert line.endswith("/mirror")
    assert httpx.get(line.split()[1]).status_code == 200
    assert started.stop(signal.SIGTERM) == 0
    assert "Traceback" not in started.said


def test_a_build_that_fails_at_first_is_mended_by_the_next_save(
    guests: Path, tmp_path: Path
) -> None:
    """One broken function keeps neither the host nor the other functions from starting."""
    source = guests / "hello" / "hello.c"
    text = source.read_text()
    source.write_text("int broken = ;\n")
    up = Up(guests, tmp_path / "data")
    try:
        up.wait_for("Error: hello does not build (exit code 1)")
        up.wait_for("watching")
        source.write_text(text)
        assert httpx.get(up.wait_for("curl ").split()[1]).status_code == 200
        assert up.stop(signal.SIGINT) == 0
    finally:
        if up.process.poll() is None:
            up.process.kill()
            up.process.communicate()


def test_a_missing_toolchain_ends_up_before_it_starts(tmp_path: Path) -> None:
    """The user reads what to install, and nothing is left running."""
    (tmp_path / "edge.toml").write_text(
        '[function.f]\nmodule = "f.wasm"\nbuild = "python -m no_such_toolchain cc"\n'
    )
    result = edge("up", tmp_path, "--data", tmp_path / "data")
    assert (result.returncode, result.stdout) == (1, "")
    assert "run 'pip install no_such_toolchain'" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "manifest", sorted(GUESTS.glob("*/edge.toml")), ids=lambda p: p.parent.name
)
def test_every_sample_guest_has_a_manifest_that_is_read(manifest: Path) -> None:
    """The samples that a newcomer runs first are declared rightly."""
    for declaration in read_manifest(manifest):
        assert declaration.build


def test_a_source_is_followed_without_a_manifest(tmp_path: Path) -> None:
    """`edge new` and `edge up` are enough; what does not compile leaves the last version live."""
    assert edge("new", "c", tmp_path / "greet").returncode == 0
    source = tmp_path / "greet" / "main.c"
    up = Up(tmp_path / "greet", tmp_path / "data")
    try:
        up.wait_for("watching")
        url = curl_url(up, "greet")
        text = source.read_text()
        source.write_text(text.replace("Hello", "Howdy"))
        up.wait_for("deployed greet")
        assert httpx.get(url).json() == {"message": "Howdy, world!"}
        source.write_text("int broken = ;\n")
        assert "main.c:1:14" in up.wait_for("error: expected expression")
        up.wait_for("greet goes on as it was")
        assert httpx.get(url).json() == {"message": "Howdy, world!"}
        assert up.stop(signal.SIGTERM) == 0
    finally:
        if up.process.poll() is None:
            up.process.kill()
            up.process.communicate()
