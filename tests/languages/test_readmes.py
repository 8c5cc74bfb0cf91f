"""What each SDK's README shows first works as it stands, in a directory with nothing else in it."""

import re
from pathlib import Path

import httpx
import pytest

from edge.build.languages import LANGUAGES, language_of_directory, language_of_file
from edge.build.project import Project
from edge.model.errors import MissingToolchain
from tests.running import Server
from tests.toolchain import ROOT

pytestmark = pytest.mark.timeout(600)
_EXAMPLE = re.compile(r"^## A function in five minutes$(.*?)(?:^## |\Z)", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^`(\S+)`[^\n`]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def example(language: str) -> tuple[dict[str, str], str, str]:
    """The files of a README's first example, what it deploys, and the path it asks for."""
    readme = (ROOT / "sdk" / language / "README.md").read_text()
    found = _EXAMPLE.search(readme)
    assert found is not None, "the README has no first example"
    said = _SHELL.search(found[1])
    assert said is not None, "the README does not say how to deploy it"
    deploy, ask = said[1].splitlines()
    shown = re.fullmatch(r"edge deploy (\S+)(?: --name (\S+))?", deploy)
    asked = re.fullmatch(r"curl '127\.0\.0\.1:8080(/\S+)'", ask)
    assert shown is not None
    assert asked is not None
    return dict(_FILE.findall(found[1])), shown[1], asked[1]


@pytest.mark.parametrize("language", [each.name for each in LANGUAGES])
def test_the_first_example_works(shared_server: Server, tmp_path: Path, language: str) -> None:
    """The files, the deploy, the request."""
    files, target, path = example(language)
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    if target == ".":
        found = language_of_directory(tmp_path)
        assert found is not None
        compiler, source = found
    else:
        source = tmp_path / target
        known = language_of_file(source)
        assert known is not None
        compiler = known
    assert compiler.name == language
    try:
        compiler.check_toolchain()
    except MissingToolchain as missing:
        pytest.skip(missing.message)
    output = tmp_path / "function.wasm"
    compiler.compile(Project("f", source, tmp_path), output)
    name = path[1:].partition("?")[0]
    shared_server.deploy(name, output.read_bytes())
    answer = httpx.get(f"{shared_server.http_url}{path}", timeout=60)
    assert answer.status_code == 200, answer.text
    assert "Hello, Ada!" in answer.text
