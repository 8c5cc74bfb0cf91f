"""The sample functions of each language do what their first comment says."""

import base64
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from edge.build.c import Cpp
from tests.languages.languages import LANGUAGES, Language, build_or_skip, digest, guest
from tests.sdk.bare_host import BareHost
from tests.toolchain import ROOT

COMPONENTS = {"python", "javascript", "starlingmonkey"}
BY_NAME = {language.title: language for language in LANGUAGES}
SAMPLED = [name for name in BY_NAME if name not in COMPONENTS | {"c"}]
"""C's samples have `tests/sdk/test_guests.py`, components `test_component_samples.py`."""


def request(body: bytes = b"", path: str = "/", **query: str) -> dict[str, Any]:
    """What the samples read of an HTTP event."""
    return {
        "requestContext": {"http": {"method": "POST" if body else "GET"}},
        "rawPath": path,
        "queryStringParameters": query,
        "headers": {},
        "body": body,
        "isBase64Encoded": False,
    }


def load(language: str, name: str) -> BareHost:
    """A guest on the least host there is, which knows nothing of snapshots."""
    return BareHost(build_or_skip(BY_NAME[language], guest(BY_NAME[language], name)))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", SAMPLED)
def test_hello(language: str) -> None:
    """The same greeting in every language: from the query, from the path, and for any event."""
    host = load(language, "hello")
    said = {"function": "hello", "version": "3"}
    for event, name in (
        (request(path="/Ada"), "Ada"),
        (request(name="Grace"), "Grace"),
        (request(), "world"),
        (None, "world"),
    ):
        answer = host.ok(event, functionName="hello", functionVersion="3")
        assert answer == {"message": f"Hello, {name}!", **said}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", SAMPLED)
def test_template_and_single_file(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`edge new` makes what builds, with no word of where the SDK is; so does its source alone.

    The same source gives the same bytes wherever it and the SDK lie.
    """
    row = BY_NAME[language]
    project = shutil.copytree(ROOT / "sdk" / language / "template", tmp_path / "one")
    copied = shutil.copytree(project, tmp_path / "another")
    module = build_or_skip(row, project)
    answer = BareHost(module).ok(request(path="/Ada"), functionName="f")
    assert answer["message"] == "Hello, Ada!"
    twin = row.compiler.find_source(copied)
    assert twin is not None
    with monkeypatch.context() as patch:
        patch.setattr("edge.build.sdk._ROOT", shutil.copytree(ROOT / "sdk", tmp_path / "sdk"))
        assert digest(row.compile(twin)) == digest(module)
    assert str(ROOT).encode() not in module, "a path of this machine"
    if not row.compiler.suffixes:
        return
    (source,) = (path for path in project.rglob("*") if path.suffix in row.compiler.suffixes)
    alone = tmp_path / f"greet{source.suffix}"
    shutil.copy(source, alone)
    shutil.rmtree(tmp_path / "one")
    shutil.rmtree(tmp_path / "another")
    answer = BareHost(row.build_source(alone)).ok(request(name="Grace"), functionName="f")
    assert answer["message"] == "Hello, Grace!"


def test_rust_semver() -> None:
    """Versions that match a requirement, newest first; a bad version is the crate's own error."""
    host = load("rust", "semver")
    versions = b"1.2.3 1.9.0\n2.0.0 1.10.0"
    answer = host.ok(request(versions, requirement="^1.3"))
    assert answer == {"requirement": "^1.3", "versions": ["1.10.0", "1.9.0"]}
    error = host.invoke(request(b"1.x"))["error"]
    assert error["errorType"] == "Error"
    assert "unexpected character" in error["errorMessage"]
    assert error["stackTrace"][0].startswith("src/lib.rs:")


@pytest.mark.timeout(600)
def test_go_yaml() -> None:
    """A document becomes a value; a mistake is shown where it is."""
    host = load("go", "yaml")
    assert host.ok(request(b"a: [1, 2.5, yes]\nb: {c: null}")) == {
        "a": [1, 2.5, "yes"],
        "b": {"c": None},
    }
    answer = host.ok(request(b"a: [1"))
    assert answer["statusCode"] == 422
    assert b"[1:4]" in answer["body"]


CPP = Language(Cpp())


def test_cpp_trips() -> None:
    """The shortest way, not the one of fewest roads; no way, and no map, are said so."""
    host = BareHost(build_or_skip(CPP, guest(CPP, "trips")))
    roads = b"A B 7\nB C 1\nA C 9\nX Y 1"
    assert host.ok(request(roads, **{"from": "A", "to": "C"}))["body"] == b"A B C: 8\n"
    assert host.ok(request(roads, **{"from": "C", "to": "C"}))["body"] == b"C: 0\n"
    assert host.ok(request(roads, **{"from": "A", "to": "Y"}))["statusCode"] == 404
    assert host.ok(request(b"A B", **{"from": "A", "to": "B"}))["statusCode"] == 400


def test_cpp_words() -> None:
    """The most frequent first, as many as are asked for."""
    host = BareHost(build_or_skip(CPP, guest(CPP, "words")))
    text = "été one  two\ntwo été two".encode()
    assert list(host.ok(request(text)).items()) == [("two", 3), ("été", 2), ("one", 1)]
    assert host.ok(request(text, most="1")) == {"two": 3}
    assert host.ok(request(b"")) == {}
    assert host.ok(request(text, most="x"))["statusCode"] == 400


def test_zig_digest() -> None:
    """The checksums that Python computes too, and a refusal of other algorithms."""
    host = load("zig", "digest")
    body = bytes(range(256)) * 100
    for algorithm, expected in (
        ("sha256", hashlib.sha256(body)),
        ("sha3-256", hashlib.sha3_256(body)),
        ("blake2b", hashlib.blake2b(body, digest_size=32)),
    ):
        answer = host.ok(request(body, algorithm=algorithm))
        assert answer["body"] == f"{algorithm}:{expected.hexdigest()}\n".encode()
    assert host.ok(request(body, algorithm="md5"))["statusCode"] == 400


def test_assemblyscript_fibonacci(tmp_path: Path) -> None:
    """Exact to 128 bits, by as-bignum; further is a RangeError."""
    project = tmp_path / "fibonacci"
    source = guest(BY_NAME["assemblyscript"], "fibonacci")
    shutil.copytree(source, project, ignore=shutil.ignore_patterns("node_modules"))
    host = BareHost(build_or_skip(BY_NAME["assemblyscript"], project))
    for n, number in (("0", "0"), ("10", "55"), ("186", "332825110087067562321196029789634457848")):
        assert host.ok(request(n=n))["body"] == f"{number}\n"
    assert host.invoke(request(n="187"))["error"]["errorType"] == "RangeError"


def test_assemblyscript_life() -> None:
    """A glider is itself again, one cell on, after four generations; a ragged board is refused."""
    host = load("assemblyscript", "life")
    board = b".#...\n..#..\n###..\n.....\n.....\n"
    answer = host.ok(request(board, generations="4"))
    assert answer["body"] == ".....\n..#..\n...#.\n.###.\n.....\n"
    assert host.ok(request(b"..\n.\n"))["statusCode"] == 400
    assert host.invoke(request(board, generations="-1"))["error"]["errorType"] == "RangeError"


@pytest.mark.timeout(600)
def test_go_orders() -> None:
    """A handler written for Lambda, with aws-lambda-go's events: only its import was changed."""
    host = load("go", "orders")

    def ask(method: str, path: str, body: bytes | str = "", **more: Any) -> tuple[int, Any]:
        http = {"method": method, "path": path}
        event = {**request(path=path), "body": body, "requestContext": {"http": http}, **more}
        answer = host.ok(event)
        assert answer["headers"] == {"content-type": "application/json"}
        return answer["statusCode"], json.loads(answer["body"])

    assert ask("GET", "/items/tea") == (200, {"name": "tea", "price": 250})
    assert ask("GET", "/items/beer") == (404, {"error": 'item "beer": not found'})
    order = b'{"items": {"tea": 2, "cake": 1}, "customer": "Ada"}'
    placed = (200, {"customer": "Ada", "total": 920})
    assert ask("POST", "/orders", order) == placed
    coded = base64.b64encode(order).decode()
    assert ask("POST", "/orders", coded, isBase64Encoded=True) == placed
    assert ask("DELETE", "/orders")[0] == 404
