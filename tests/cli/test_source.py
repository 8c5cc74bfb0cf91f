"""From a source to an answering function, and again: new, build, deploy, priming."""

import json
from pathlib import Path

import pytest

from edge.build.languages import LANGUAGES
from edge.build.sdk import template_directory
from tests.cli.commands import edge
from tests.running import Server


@pytest.fixture
def greet(tmp_path: Path) -> Path:
    """A new function in C."""
    result = edge("new", "c", tmp_path / "greet")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith(f"greet is ready: edge up {tmp_path / 'greet'}\n")
    return tmp_path / "greet"


def deploy(server: Server, *arguments: str | Path) -> str:
    """The stdout of a deploy that succeeds."""
    result = edge("deploy", *arguments, control_url=server.control_url)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_new_function_is_deployed_from_its_directory(shared_server: Server, greet: Path) -> None:
    """The template works as it is, and deploying it again changes nothing."""
    assert deploy(shared_server, greet).startswith("deployed greet\n")
    answer = shared_server.http.get("/greet", params={"name": "Ada"})
    assert answer.json() == {"message": "Hello, Ada!"}
    assert deploy(shared_server, greet / "main.c").startswith("unchanged greet\n")
    assert deploy(shared_server, greet, "--memory", "64").startswith("deployed greet\n")


def test_a_source_that_does_not_compile_shows_why_and_deploys_nothing(
    shared_server: Server, greet: Path
) -> None:
    """The compiler's line and column, and no function."""
    source = greet / "main.c"
    source.write_text(source.read_text() + "int broken = ;\n")
    result = edge("deploy", source, "--name", "broken", control_url=shared_server.control_url)
    assert (result.returncode, result.stdout) == (1, "")
    assert "main.c:" in result.stderr
    assert "error: expected expression" in result.stderr
    assert shared_server.http.get("/broken").status_code == 404


def test_events_of_the_manifest_are_in_the_snapshot(shared_server: Server, greet: Path) -> None:
    """Primed, a function answers as before; a changed event makes a new version of it."""
    (greet / "edge.toml").write_text("[function.primed]\nprime = ['ada.json']\n")
    event = greet / "ada.json"
    event.write_text('{"queryStringParameters": {"name": "Ada"}}')
    (deployed,) = json.loads(deploy(shared_server, greet, "--json"))["functions"]
    assert deployed["prime"] == ["ada.json"]
    assert deployed["snapshot"]["state"] == "taken"
    assert shared_server.http.get("/primed").json() == {"message": "Hello, world!"}
    assert deploy(shared_server, greet).startswith("unchanged primed\n")
    event.write_text('{"queryStringParameters": {"name": "Grace"}}')
    assert deploy(shared_server, greet).startswith("deployed primed\n")


def test_a_digest_is_taken_only_for_the_module_that_is_live(shared_server: Server) -> None:
    """A client that names another has to send it."""
    answer = shared_server.control.put(
        "/v1/functions/nobody", json={"digest": "0" * 64, "settings": {}}
    )
    assert answer.status_code == 404
    assert "send the module itself" in answer.json()["error"]["message"]


def test_build_writes_the_module_where_it_is_asked_to(greet: Path, tmp_path: Path) -> None:
    """Without a host, and the same bytes each time."""
    assert edge("build", greet).returncode == 0
    module = (greet / "greet.wasm").read_bytes()
    result = edge("build", greet / "main.c", "--output", tmp_path / "out", "--json")
    (built,) = json.loads(result.stdout)["modules"]
    assert built["name"] == "greet"
    assert Path(built["module"]).read_bytes() == module


def test_nothing_that_is_there_is_overwritten(greet: Path) -> None:
    """A second `edge new` refuses, and leaves every file as it was."""
    (greet / "main.c").write_text("mine")
    result = edge("new", "c", greet)
    assert result.returncode == 1
    assert "is there already" in result.stderr
    assert (greet / "main.c").read_text() == "mine"


def test_every_language_has_a_template() -> None:
    """`edge new` offers whatever `edge build` builds."""
    for language in LANGUAGES:
        assert template_directory(language.name).is_dir(), language.name
