"""Manifests: what is accepted, and how each mistake is refused with its file and line."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.manifest import MANIFEST_BYTES_MAX, Declaration, read_manifest
from edge.cli.shared import SharedChange
from edge.model.errors import InvalidConfiguration
from edge.model.function import Settings
from edge.model.limits import Limits
from edge.model.prime import Prime
from edge.model.rate import Rate
from edge.model.route import Route

KEYS = (
    "source",
    "module",
    "build",
    "memory_mb",
    "timeout",
    "rate",
    "burst",
    "auth",
    "engine",
    "environment",
    "grants",
    "prime",
    "route",
)


def read(tmp_path: Path, text: str) -> tuple[Declaration, ...]:
    """The functions that a manifest of this text declares."""
    path = tmp_path / "edge.toml"
    path.write_text(text)
    return read_manifest(path)


def refusal(tmp_path: Path, text: str) -> str:
    """The message with which a manifest of this text is refused, its directory left out."""
    with pytest.raises(InvalidConfiguration) as caught:
        read(tmp_path, text)
    return caught.value.message.removeprefix(f"{tmp_path}/")


def test_a_manifest_with_every_key_is_read_whole(tmp_path: Path) -> None:
    """Each supported key reaches the setting it names, in the units the host uses."""
    text = """
        [function.hello]
        module = "out/hello.wasm"
        build = "make"
        memory_mb = 64
        timeout = "1.5s"
        rate = 2.5
        burst = 7
        auth = "token"
        environment = { GREETING = "Hi", EMPTY = "" }
        grants = ["kv", "fetch:api.example.com"]

        [[function.hello.route]]
        path = "/hi/{name}"
        methods = ["GET"]
        host = "hi.example.com"
        qualifier = "live"

        [function.other]
        module = "other.wasm"
    """
    hello, other = read(tmp_path, text)
    assert hello == Declaration(
        name="hello",
        module=tmp_path / "out" / "hello.wasm",
        declared_in=tmp_path / "edge.toml",
        build="make",
        settings=Settings(
            limits=Limits(timeout_ms=1_500, memory_mb=64),
            environment=(("GREETING", "Hi"), ("EMPTY", "")),
            grants=("kv", "fetch:api.example.com"),
        ),
        shared=SharedChange(
            rate=Rate(2.5, 7),
            auth="token",
            routes=(Route("/hi/{name}", ("GET",), "hi.example.com", "live"),),
        ),
    )
    assert hello.directory == tmp_path
    assert (other.name, other.build, other.settings) == ("other", "", Settings())
    assert other.shared == SharedChange(routes=())


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("memory", "memory_mb"),
        ("memroy_mb", "memory_mb"),
        ("timeout_ms", "timeout"),
        ("env", "environment"),
        ("grant", "grants"),
        ("modul", "module"),
        ("builds", "build"),
        ("routes", "route"),
        ("src", "source"),
        ("primed", "prime"),
    ],
)
def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_key(
    tmp_path: Path, written: str, nearest: str
) -> None:
    """A typing error is found without reading the documentation."""
    text = f'[function.hello]\nmodule = "a.wasm"\n\n{written} = 1\n'
    assert refusal(tmp_path, text) == (
        f"edge.toml:4: unknown key {written!r} in [function.hello]: did you mean {nearest!r}?"
    )


@given(key=st.from_regex(r"[a-z_]{1,12}", fullmatch=True), blank_lines=st.integers(0, 5))
def test_whatever_key_is_unknown_gets_its_line_and_a_valid_key(
    tmp_path_factory: pytest.TempPathFactory, key: str, blank_lines: int
) -> None:
    """No unknown key is let through, however far it is from every valid one."""
    if key in KEYS:
        return
    text = '[function.hello]\nmodule = "a.wasm"\n' + "\n" * blank_lines + f"{key} = 'x'\n"
    message = refusal(tmp_path_factory.mktemp("manifest"), text)
    expected = rf"edge\.toml:{blank_lines + 3}: unknown key '{key}' .* did you mean '(\w+)'\?"
    match = re.fullmatch(expected, message)
    assert match is not None
    assert match.group(1) in KEYS


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[functions.hello]\nmodule = 'a'", 1, "did you mean 'function'?"),
        ("name = 'x'\n[function.hello]\nmodule = 'a'", 1, "unknown key 'name' in the manifest"),
        ("function.a.memory = 1\nfunction.a.module = 'x'", 1, "did you mean 'memory_mb'?"),
        ("function = {a = {\tmemory = 1, module = 'x'}}", 1, "did you mean 'memory_mb'?"),
        ("[function]\n'a b' = {module = 'x'}", 2, "'a b' is not a function name"),
        ("[function.hello]\n\nmemory_mb = 5", 1, "needs 'source'"),
        ("function = 3", 1, "function is a table, not 3"),
        ("[[function]]\nmodule = 'x'", 1, "function is a table, not"),
        ("[function]\nhello = 3", 2, "function.hello is a table, not 3"),
    ],
)
def test_a_mistake_in_the_structure_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    """Tables, dotted keys and inline tables each lead to the line that is wrong."""
    message = refusal(tmp_path, text)
    assert message.startswith(f"edge.toml:{line}: ")
    assert said in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("memory_mb = '128'", "memory_mb is a whole number of megabytes"),
        ("memory_mb = true", "memory_mb is a whole number of megabytes"),
        ("memory_mb = 0", "memory must be between 1 and"),
        ("memory_mb = 99999", "memory must be between 1 and"),
        ("timeout = 3", 'as in "3s"'),
        ("timeout = '3'", 'as in "3s"'),
        ("timeout = '3 parsecs'", 'as in "3s"'),
        ("timeout = '0s'", "timeout must be between"),
        ("timeout = '2h'", "timeout must be between"),
        ("rate = '5'", "rate is a number"),
        ("rate = true", "rate is a number"),
        ("rate = 0", "a rate is from"),
        ("rate = nan", "a rate is from"),
        ("burst = 5", "'burst' needs 'rate'"),
        ("auth = 'some'", 'auth is one of "none", "aws_iam", "token"'),
        ("auth = true", "auth is one of"),
        ("engine = 'v8'", 'engine is one of "quickjs", "starlingmonkey", not'),
        ("engine = 'quickjs'", "only a source in JavaScript has a choice of engines"),
        ("build = 3", "build takes a text in quotes, not 3"),
        ('build = "a\\u0000b"', "NUL"),
        ("environment = 'A=B'", "function.f.environment is a table"),
        ("environment = { A = 1 }", "A takes a text in quotes, not 1"),
        ("environment.A.B = 'x'", "A takes a text in quotes"),
        ("grants = 'kv'", 'grants is a list of texts, as in ["kv"]'),
        ("grants = [1]", "grants takes a text in quotes, not 1"),
        ("prime = 'a'", "prime is a list of texts"),
        ("prime = ['none.json']", "prime: cannot read"),
        ("route = '/hi'", "write [[function.f.route]]"),
        ("route = [7]", "is a table, not 7"),
        ("route = [{}]", "a route needs its path"),
        ("route = [{path = '/a', methods = 'GET'}]", "methods is a list of texts"),
        ("route = [{path = '/a', host = 7}]", "host takes a text in quotes"),
        ("route = [{path = '/a', verb = 'GET'}]", "unknown key 'verb' in a route: did you"),
        ("route = [{path = '/a'}, {path = '/a'}]", "claim the same requests"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line_and_what_to_write(
    tmp_path: Path, line: str, said: str
) -> None:
    """Every key checks its value."""
    message = refusal(tmp_path, f"[function.f]\n# here\nmodule = 'x.wasm'\n{line}\n")
    assert message.startswith("edge.toml:4: ")
    assert said in message


def test_a_manifest_without_routes_says_that_there_are_none(tmp_path: Path) -> None:
    """So that those go that were taken out of it; there may be several with two brackets each."""
    text = "[function.f]\nmodule = 'x'\n[[function.f.route]]\npath = '/a'\n"
    text += "[[function.f.route]]\npath = '/{rest+}'\n[function.g]\nmodule = 'x'\n"
    f, g = read(tmp_path, text)
    assert f.shared.routes == (Route("/a"), Route("/{rest+}"))
    assert g.shared.routes == ()


def test_a_wrong_route_is_refused_at_its_line(tmp_path: Path) -> None:
    """A fault of a key at the key, one of the whole at its header."""
    start = "[function.f]\nmodule = 'x'\n\n[[function.f.route]]\npath = '/a'\n"
    wrong = "[[function.f.route]]\npath = '/{a+}/b'\n"
    assert refusal(tmp_path, start + wrong).startswith("edge.toml:6: {a+} takes the rest")
    assert refusal(tmp_path, start + "method = ['GET']\n").startswith(
        "edge.toml:6: unknown key 'method' in a route: did you mean 'methods'?"
    )


def test_a_list_of_grants_leads_to_the_line_of_the_wrong_one(tmp_path: Path) -> None:
    """In a list over several lines the element's line is named, not the list's."""
    text = "[function.f]\nmodule = 'x'\ngrants = [\n  'kv',\n  7,\n]\n"
    assert refusal(tmp_path, text).startswith("edge.toml:5: grants takes a text")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[function.a\n", "not valid TOML"),
        (b"a = 1\na = 2\n", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"# empty\n", "declares no function"),
        (b"a = " + b"[" * 100_000, "not valid TOML"),
        (b"#" * (MANIFEST_BYTES_MAX + 1), "over the limit"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """Any bytes at all end in one message that names the file."""
    path = tmp_path / "edge.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidConfiguration, match=said) as caught:
        read_manifest(path)
    assert caught.value.message.startswith(str(path))


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A missing file is a message, not a traceback."""
    with pytest.raises(InvalidConfiguration, match="cannot be read: No such file"):
        read_manifest(tmp_path / "edge.toml")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("build = 'make'", 2, "'build' needs 'module'"),
        ("source = 'none.c'", 2, "there is no "),
        ("source = 'notes.txt'", 2, "is in no language that edge builds (.c, "),
        ("source = 'empty'", 2, "is in no language that edge builds"),
        ("source = 'a.c'\nbuild = 'make'", 3, "'build' beside 'source'"),
    ],
)
def test_a_function_is_made_from_one_thing(tmp_path: Path, text: str, line: int, said: str) -> None:
    """Either a source that edge builds, or a module and perhaps what makes it."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    message = refusal(tmp_path, f"[function.f]\n{text}\n")
    assert message.startswith(f"edge.toml:{line}: ")
    assert said in message


def test_a_manifest_beside_a_project_needs_no_source(tmp_path: Path) -> None:
    """Settings alone are a manifest, where the directory says what is built."""
    (tmp_path / "main.c").touch()
    (f,) = read(tmp_path, "[function.f]\nmemory_mb = 32\n")
    assert (f.source, f.module) == (tmp_path, None)


def test_events_to_prime_with_are_read_with_their_answers(tmp_path: Path) -> None:
    """Their layout does not matter, so that reformatting one makes no new version."""
    (tmp_path / "hi.json").write_text('{ "a" : [1] }\n')
    (tmp_path / "hi.answers.json").write_text('[{"call": {"op": "kv.get"}, "answer": {"ok": 1}}]')
    (f,) = read(tmp_path, "[function.f]\nmodule = 'f.wasm'\nprime = ['hi.json']\n")
    answers = '[{"call":{"op":"kv.get"},"answer":{"ok":1}}]'
    assert f.settings.primes == (Prime("hi.json", '{"a":[1]}', answers),)


def test_an_event_that_is_no_json_is_refused_at_its_line(tmp_path: Path) -> None:
    """The line is that of the event's name."""
    (tmp_path / "bad.json").write_text("{")
    message = refusal(tmp_path, "[function.f]\nmodule = 'f'\nprime = [\n  'bad.json',\n]\n")
    assert message.startswith("edge.toml:4: prime: ")
