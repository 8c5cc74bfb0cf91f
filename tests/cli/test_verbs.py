"""The verbs against a real host: what each prints, and how each fails."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime

from tests.cli.commands import EDGE, edge, environment
from tests.components import HELLO
from tests.running import Server
from tests.toolchain import build_guest

LINE_SECONDS_MAX = 30

TRAPPING = """(module
  (memory (export "memory") 1)
  (func (export "edge_alloc") (param i32) (result i32) i32.const 1024)
  (func (export "edge_handle") (param i32 i32) (result i64) unreachable))"""


class Verbs:
    """`edge` with EDGE_CONTROL set to one host."""

    def __init__(self, control_url: str) -> None:
        self.control_url = control_url

    def __call__(self, *arguments: str | Path, stdin: str = "") -> str:
        """The stdout of a verb that succeeds."""
        result = edge(*arguments, control_url=self.control_url, stdin=stdin)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def fails(self, *arguments: str | Path) -> str:
        """The one line on stderr of a verb that fails."""
        result = edge(*arguments, control_url=self.control_url)
        assert (result.returncode, result.stdout) == (1, "")
        (line,) = result.stderr.splitlines()
        return line


@pytest.fixture(scope="module")
def host(shared_server: Server) -> Server:
    """A host on which `hello` and `csvstat` were deployed by the command line."""
    for name in ("hello", "csvstat"):
        module = build_guest(name)
        result = edge("deploy", module, "--name", name, control_url=shared_server.control_url)
        assert result.returncode == 0, result.stderr
    return shared_server


@pytest.fixture
def run(host: Server) -> Verbs:
    """The verbs of that host."""
    return Verbs(host.control_url)


def test_a_deployed_module_answers(host: Server, run: Verbs) -> None:
    """What `edge deploy` printed as deployed, curl can call."""
    said = run("deploy", build_guest("hello"), "--name", "greeter", "--memory", "64")
    assert said.startswith("deployed greeter\n")
    assert "  kind      abi\n" in said
    assert "  snapshot  taken, image " in said
    assert "  grants    none\n" in said
    assert host.http.get("/greeter/Ada").json()["message"] == "Hello, Ada!"
    assert run("rm", "greeter") == "removed greeter\n"
    assert host.http.get("/greeter/Ada").status_code == 404


def test_deploying_the_same_again_changes_nothing(run: Verbs) -> None:
    """A repeated deploy is harmless and says so."""
    before = json.loads(run("info", "hello", "--json"))
    assert run("deploy", build_guest("hello"), "--name", "hello").startswith("unchanged hello\n")
    assert json.loads(run("info", "hello", "--json")) == before


def test_a_manifest_and_options_over_it_reach_the_function(tmp_path: Path, run: Verbs) -> None:
    """Options add to the manifest's grants and environment, and win over its limits."""
    shutil.copy(build_guest("hello"), tmp_path / "f.wasm")
    (tmp_path / "edge.toml").write_text(
        '[function.tuned]\nmodule = "f.wasm"\nmemory_mb = 32\ntimeout = "2s"\n'
        'grants = ["kv"]\nenvironment = { A = "1", B = "1" }\nrate = 5\nauth = "token"\n'
    )
    said = run(
        *("deploy", tmp_path, "--timeout", "500ms", "--env", "B=2", "--env", "C=x=y"),
        *("--grant", "kv", "--grant", "fetch:example.com", "--concurrency", "3"),
        *("--rate", "2.5", "--burst", "9", "--no-snapshot", "--json"),
    )
    (deployed,) = json.loads(said)["functions"]
    assert deployed["changed"] is True
    assert deployed["memoryMb"] == 32
    assert deployed["timeoutMs"] == 500
    assert deployed["concurrency"] == 3
    assert deployed["rate"] == {"perSecond": 2.5, "burst": 9}
    assert deployed["auth"] == "token"
    assert deployed["environment"] == {"A": "1", "B": "2", "C": "x=y"}
    assert deployed["grants"] == ["kv", "fetch:example.com"]
    assert deployed["snapshot"]["state"] == "off"
    info = run("info", "tuned")
    for line in ("grants       kv, fetch:example.com", "timeout      500 ms", "concurrency  3"):
        assert f"{line}\n" in info
    assert "2.5 a second, 9 at once" in info
    assert "holders of a key, by its token or signing" in info
    assert '"auth": "none"' in run("deploy", tmp_path, "--auth", "none", "--json")
    run("rm", "tuned")


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--grant", "everything"], "everything"), (["--env", f"A={'x' * 5000}"], "environment")],
)
def test_what_the_host_refuses_is_one_line(options: list[str], said: str, run: Verbs) -> None:
    """The host's own words reach the user, and nothing was deployed."""
    line = run.fails("deploy", build_guest("hello"), "--name", "refused", *options)
    assert line.startswith("Error: ")
    assert said in line
    assert "refused" in run.fails("info", "refused")


def test_a_file_that_is_no_module_is_refused(tmp_path: Path, run: Verbs) -> None:
    """A text renamed to .wasm says what is wrong with it."""
    path = tmp_path / "text.wasm"
    path.write_text("hello")
    assert "WebAssembly" in run.fails("deploy", path)


def test_list_shows_every_function(run: Verbs) -> None:
    """The table for people and the JSON for programs name the same functions."""
    header, *rows = run("list").splitlines()
    assert header.split()[:2] == ["NAME", "KIND"]
    assert [row.split()[:2] for row in rows] == [["csvstat", "command"], ["hello", "abi"]]
    listed = json.loads(run("list", "--json"))["functions"]
    assert [function["name"] for function in listed] == ["csvstat", "hello"]


def test_routes_are_deployed_and_shown(tmp_path: Path, host: Server, run: Verbs) -> None:
    """A manifest's routes answer; `info` has all, `list` the first two; without them they are gone.

    A deploy of the file alone leaves them.
    """
    (tmp_path / "routed.wasm").write_bytes(build_guest("hello").read_bytes())
    manifest = tmp_path / "edge.toml"
    declared = '[function.routed]\nmodule = "routed.wasm"\n'
    routes = "[[function.routed.route]]\npath = '/greet/{name}'\nmethods = ['GET']\n"
    routes += "[[function.routed.route]]\npath = '/b'\nhost = 'a.example'\nqualifier = 'live'\n"
    routes += "[[function.routed.route]]\npath = '/c/{rest+}'\n"
    manifest.write_text(declared + routes)
    said = "GET /greet/{name}, ANY a.example/b -> live"
    assert f"routes    {said}, ANY /c/{{rest+}}\n" in run("deploy", tmp_path)
    assert host.http.get("/greet/Ada?name=Ada").status_code == 200
    assert host.http.post("/greet/Ada").status_code == 405
    (row,) = [line for line in run("list").splitlines() if line.startswith("routed ")]
    assert row.endswith(f"  {said}, 1 more")
    run("deploy", tmp_path / "routed.wasm", "--memory", "64")
    assert "1 more" in run("list")
    assert "is taken: routed has GET /greet/{name}" in run.fails(
        "deploy", _manifest_of(tmp_path, "thief", "/greet/{anyone}")
    )
    manifest.write_text(declared)
    run("deploy", tmp_path)
    assert host.http.get("/greet/Ada").status_code == 404
    assert "routes" not in run("info", "routed")
    run("rm", "routed")


def _manifest_of(directory: Path, name: str, path: str) -> Path:
    (directory / name).mkdir()
    manifest = directory / name / "edge.toml"
    manifest.write_text(
        f'[function.{name}]\nmodule = "../routed.wasm"\n'
        f"[[function.{name}.route]]\npath = '{path}'\nmethods = ['GET']\n"
    )
    return manifest


def test_info_says_why_there_is_no_snapshot(run: Verbs) -> None:
    """A command is started afresh, and the reader learns it."""
    assert "snapshot     refused: " in run("info", "csvstat")


def test_info_counts_what_was_started_ahead(tmp_path: Path, run: Verbs) -> None:
    """For a component: each request found its sandbox waiting, or did not."""
    path = tmp_path / "ahead.wasm"
    path.write_bytes(HELLO)
    run("deploy", path)
    assert "misses" not in run("info", "ahead")
    run("invoke", "ahead")
    run("invoke", "ahead")
    ready = json.loads(run("info", "ahead", "--json"))["ready"]
    assert ready["hits"] + ready["misses"] == 2
    assert re.search(r"^ready +\d+ waiting \(.+\), \d hits, \d misses$", run("info", "ahead"), re.M)
    run("rm", "ahead")


def test_invoke_prints_the_payload(tmp_path: Path, run: Verbs) -> None:
    """The event comes from the command line, a file or stdin; without one it is empty."""
    event = json.dumps({"rawPath": "/Ada"})
    (tmp_path / "event.json").write_text(event)
    assert json.loads(run("invoke", "hello"))["message"] == "Hello, world!"
    for source in (event, f"@{tmp_path / 'event.json'}"):
        assert json.loads(run("invoke", "hello", "--event", source))["message"] == "Hello, Ada!"
    from_stdin = run("invoke", "hello", "--event", "-", stdin=event)
    assert json.loads(from_stdin)["message"] == "Hello, Ada!"


def test_invoke_shows_the_log_when_asked(host: Server) -> None:
    """The log goes to stderr, the payload alone to stdout."""
    result = edge("invoke", "hello", "--log", control_url=host.control_url)
    assert json.loads(result.stdout)["message"] == "Hello, world!"
    assert "greeting world" in result.stderr


def test_a_function_error_is_type_and_message(tmp_path: Path, run: Verbs) -> None:
    """A trap ends with 1 and Lambda's error in one line."""
    (tmp_path / "trap.wasm").write_bytes(wasmtime.wat2wasm(TRAPPING))
    run("deploy", tmp_path / "trap.wasm")
    line = run.fails("invoke", "trap")
    assert re.fullmatch(r"Error: [A-Z][\w.]+: .*unreachable.*", line)
    run("rm", "trap")


@pytest.mark.parametrize(
    "arguments",
    [("info", "nobody"), ("rm", "nobody"), ("logs", "nobody"), ("invoke", "nobody")],
    ids=" ".join,
)
def test_an_unknown_function_is_named(arguments: tuple[str, ...], run: Verbs) -> None:
    """Every verb says which function is not there."""
    assert "nobody" in run.fails(*arguments)


def test_an_unknown_qualifier_is_named(run: Verbs) -> None:
    """A version that does not exist is not answered by another."""
    assert "7" in run.fails("invoke", "hello", "--qualifier", "7")


def test_logs_show_each_line_once_and_in_order(run: Verbs) -> None:
    """People see time, request, level and text; programs one JSON object a line."""
    for name in ("Zoe", "Yan"):
        run("invoke", "hello", "--event", json.dumps({"rawPath": f"/{name}"}))
    texts = [line.split(maxsplit=4) for line in run("logs", "hello").splitlines()]
    assert [text[4] for text in texts][-2:] == ["greeting Zoe", "greeting Yan"]
    assert {text[3] for text in texts} == {"debug"}
    lines = [json.loads(line) for line in run("logs", "hello", "--json").splitlines()]
    assert [line["message"] for line in lines] == [text[4] for text in texts]
    assert all(line["requestId"].startswith(t[2]) for line, t in zip(lines, texts, strict=True))
    assert run("logs", "hello", "--since", "0s") == ""


@pytest.fixture
def following(host: Server) -> Iterator[subprocess.Popen[str]]:
    """`edge logs -f` on a function with one log line."""
    edge("invoke", "hello", control_url=host.control_url)
    process = subprocess.Popen(
        [*EDGE, "logs", "hello", "-f", "--since", "1h"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(host.control_url),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_following_logs_shows_what_comes_and_ends_with_ctrl_c(
    host: Server, run: Verbs, following: subprocess.Popen[str]
) -> None:
    """-f shows the past, then the present, and Ctrl-C is its proper end."""
    assert following.stdout is not None
    assert "greeting" in following.stdout.readline()
    run("invoke", "hello", "--event", '{"rawPath": "/Follower"}')
    while "greeting Follower" not in following.stdout.readline():
        assert following.poll() is None
    following.send_signal(2)
    _, stderr = following.communicate(timeout=LINE_SECONDS_MAX)
    assert (following.returncode, stderr) == (0, "")


def test_a_reader_that_goes_away_is_no_error(host: Server, run: Verbs) -> None:
    """`edge logs NAME -f | head -1` ends without a traceback."""
    run("invoke", "hello")
    command = " ".join([*EDGE, "logs", "hello", "-f", "| head -1"])
    process = subprocess.Popen(
        command,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(host.control_url),
    )
    assert process.stdout is not None
    assert "greeting" in process.stdout.readline()
    while process.poll() is None:
        run("invoke", "hello")
    _, stderr = process.communicate()
    assert stderr == ""


def test_usage_adds_up_by_function_and_by_day(run: Verbs) -> None:
    """The table's figures are those of the JSON, and one invocation adds one request."""
    run("invoke", "hello")
    document = json.loads(run("usage", "hello", "--json"))
    (before,) = document["totals"]
    assert before["function"] == "hello"
    assert before["cost"] > 0
    run("invoke", "hello")
    (after,) = json.loads(run("usage", "hello", "--json"))["totals"]
    assert after["requests"] == before["requests"] + 1
    header, row = run("usage", "hello").splitlines()
    assert header.split()[:3] == ["FUNCTION", "REQUESTS", "ERRORS"]
    assert row.split()[:2] == ["hello", f"{after['requests']:,}"]
    (by_day,) = json.loads(run("usage", "hello", "--by", "day", "--json"))["totals"]
    assert by_day["requests"] == after["requests"]
    assert run("usage", "--until", "2001-01-01") == "nothing was used yet\n"


def test_several_totals_end_with_their_sum(run: Verbs) -> None:
    """The last line of the table is what all of them used."""
    run("invoke", "hello")
    edge("invoke", "csvstat", control_url=run.control_url)
    _, *rows, total = run("usage").splitlines()
    counts = [int(row.split()[1].replace(",", "")) for row in rows]
    assert total.split()[:2] == ["total", f"{sum(counts):,}"]


def test_an_event_for_later_that_fails_is_a_dead_letter(host: Server, run: Verbs) -> None:
    """`invoke --async` prints the request id under which `dead` shows, redrives and removes it."""
    host.deploy("doomed", bytes(wasmtime.wat2wasm(TRAPPING)))
    answer = host.control.put(
        "/2019-09-25/functions/doomed/event-invoke-config", json={"MaximumRetryAttempts": 0}
    )
    assert answer.status_code == 200
    request_id = run("invoke", "doomed", "--async", "--event", '{"a": 1}').strip()
    assert wait_for_dead(run) == [request_id]
    shown = json.loads(run("dead", "show", request_id))
    assert shown["record"]["requestPayload"] == {"a": 1}
    assert request_id in run("dead", "list", "--function", "doomed")
    run("dead", "redrive", request_id)
    assert wait_for_dead(run) == [request_id]
    run("dead", "rm", request_id)
    assert "no dead letters" in run("dead", "list")
    assert "there is no dead letter" in run.fails("dead", "show", request_id)
    run("rm", "doomed")


def wait_for_dead(run: Verbs) -> list[str]:
    """The request ids of dead letters, as soon as there are any."""
    give_up = time.monotonic() + LINE_SECONDS_MAX
    while time.monotonic() < give_up:
        if letters := json.loads(run("dead", "list", "--json"))["dead"]:
            return [letter["requestId"] for letter in letters]
    return []


def test_publish_numbers_what_versions_lists(run: Verbs) -> None:
    """`edge publish` keeps the function as it is; `edge versions` shows it beside the latest."""
    run("deploy", build_guest("hello"), "--name", "kept")
    assert run("publish", "kept", "--description", "the first") == "published kept:1\n"
    assert "the first" in run("versions", "kept")
    listed = json.loads(run("versions", "kept", "--json"))["versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1"]
    assert json.loads(run("publish", "kept", "--json"))["Version"] == "1"
    assert run("invoke", "kept", "--qualifier", "1", "--event", '{"rawPath": "/Ada"}')
    assert "does not exist" in run.fails("publish", "nobody")
