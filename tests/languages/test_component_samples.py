"""The sample functions that are components, on a worker, as their manifests declare them."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from edge.build.javascript import JavaScript
from edge.build.project import Project
from edge.build.python import Python
from edge.cli.manifest import MANIFEST_NAME, read_manifest
from edge.config import load
from edge.front.data import DataPlane
from edge.front.services import Bounds
from edge.model.errors import BuildFailed
from edge.model.event import Event, Source
from edge.model.function import GuestKind, Settings, Version
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.worker import Worker, open_worker
from tests.languages.languages import STARLINGMONKEY, Language, build_or_skip, digest, guest
from tests.toolchain import ROOT

pytestmark = pytest.mark.timeout(600)
PYTHON = Language(Python())
JAVASCRIPT = Language(JavaScript())
BOTH = pytest.mark.parametrize("language", [PYTHON, JAVASCRIPT], ids=lambda each: each.name)
NAME = "sample"


@pytest_asyncio.fixture
async def worker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    """A worker with time enough to compile what a language brings along."""
    settings = load({"data": tmp_path_factory.mktemp("host") / "data", "build_timeout_s": 120})
    async with open_worker(settings, 0) as opened:
        yield opened


def request(
    path: str = "/", method: str = "GET", body: bytes | None = None, **query: str
) -> dict[str, object]:
    """An HTTP event, with what Lambda's libraries read of one."""
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
        "headers": {"host": "edge.test", "content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
            "requestId": "r",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = query
    if body is not None:
        event["body"] = body
    return event


async def deploy(worker: Worker, language: Language, folder: Path) -> Version:
    """Build a project and deploy it, primed as its manifest says if it has one."""
    settings = Settings(limits=Limits(timeout_ms=10_000))
    manifest = folder / MANIFEST_NAME
    if manifest.is_file():
        (declaration,) = read_manifest(manifest)
        settings = declaration.settings
    module = build_or_skip(language, folder, settings)
    return await worker.deployer.deploy(NAME, module, settings)


async def ask(worker: Worker, event: object) -> Result:
    """What the sample answers to an HTTP event."""
    return await worker.invoker.invoke(Event(NAME, event, "r", Source.HTTP))


@BOTH
async def test_hello(worker: Worker, language: Language) -> None:
    """The same greeting as in every other language."""
    await deploy(worker, language, guest(language, "hello"))
    said = {"function": NAME, "version": "$LATEST"}
    for event, name in (
        (request("/Ada"), "Ada"),
        (request(name="Grace"), "Grace"),
        (None, "world"),
    ):
        result = await ask(worker, event)
        assert result.value == {"message": f"Hello, {name}!", **said}, result.failure


@BOTH
async def test_template_and_single_file(
    worker: Worker, language: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`edge new` makes what builds, and so does its one file by itself.

    The same source gives the same bytes, wherever it and the SDK lie and whenever it is built.
    """
    project = tmp_path / "greet"
    shutil.copytree(ROOT / "sdk" / language.name / "template", project)
    await deploy(worker, language, project)
    twin = shutil.copytree(project, tmp_path / "at another place" / "other")
    source = language.compiler.find_source(twin)
    assert source is not None
    with monkeypatch.context() as patch:
        patch.setattr("edge.build.sdk._ROOT", shutil.copytree(ROOT / "sdk", tmp_path / "sdk"))
        built = language.compile(source)
    assert digest(built) == digest(language.build(project))
    result = await ask(worker, request("/Ada"))
    assert result.value == {"message": "Hello, Ada!"}
    assert [line.message for line in result.log] == ["greeting Ada"]
    if language is PYTHON:
        return  # the first example of its README is one file
    (file,) = project.iterdir()
    alone = file.rename(tmp_path / f"alone{file.suffix}")
    await worker.deployer.deploy(NAME, language.build_source(alone), Settings())
    result = await ask(worker, request(name="Grace"))
    assert result.value == {"message": "Hello, Grace!"}


async def test_python_orders(worker: Worker) -> None:
    """A handler written for Lambda with Powertools' router runs as it is."""
    await deploy(worker, PYTHON, guest(PYTHON, "orders"))
    item = await ask(worker, request("/items/tea"))
    assert isinstance(item.value, dict), item.failure
    assert item.value["statusCode"] == 200
    assert item.value["body"] == '{"name":"tea","price":250}'
    missing = await ask(worker, request("/items/coffee"))
    assert isinstance(missing.value, dict), missing.failure
    assert missing.value["statusCode"] == 404
    order = b'{"tea": 2, "cake": 1}'
    placed = await ask(worker, {**request("/orders", "POST", order), "rawQueryString": ""})
    assert isinstance(placed.value, dict), placed.failure
    assert placed.value["statusCode"] == 201
    assert placed.value["body"] == '{"total": 920, "currency": "EUR"}'


LAZY = """\
import os
import random

TOKEN = os.urandom(4).hex()
PLACES = ("", "/var/task/", os.path.dirname(__file__) + "/")

def attempt(path, mode):
    try:
        open(path, mode)
    except OSError as error:
        return os.strerror(error.errno)

def handler(event, context):
    import colorsys, datetime, importlib.resources, pkgutil
    from other import deep
    return {
        "hsv": colorsys.rgb_to_hsv(1, 0, 0)[2],
        "year": datetime.datetime.strptime("2026", "%Y").year,
        "deep": deep.VALUE,
        "data": pkgutil.get_data("other", "data.txt").decode(),
        "read": [open(f"{place}other/data.txt").read() for place in PLACES],
        "resource": importlib.resources.files("other").joinpath("data.txt").read_text(),
        "refused": [attempt("other/data.txt", "w"), attempt("/var/task/new", "x")],
        "drawn": random.random(),
        "token": TOKEN,
    }
"""


async def test_python_imports_at_a_request(worker: Worker, tmp_path: Path) -> None:
    """Modules that only a request imports are found, and `random` differs between requests. Files
    beside the handler are read by any of their names, and never written.

    What the build drew is in all of them, and the deployer is warned of the line that did.
    """
    (tmp_path / "main.py").write_text(LAZY)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "__init__.py").touch()
    (tmp_path / "other" / "deep.py").write_text("VALUE = 5\n")
    (tmp_path / "other" / "data.txt").write_text("kept")
    version = await deploy(worker, PYTHON, tmp_path)
    (warning,) = version.artifact.snapshot.warnings
    assert warning.startswith("main.py:4 drew random bytes")
    drawn, tokens = set(), set()
    for _ in range(3):
        result = await ask(worker, None)
        assert isinstance(result.value, dict), result.failure
        drawn.add(result.value.pop("drawn"))
        tokens.add(result.value.pop("token"))
        assert result.value == {
            "hsv": 1,
            "year": 2026,
            "deep": 5,
            "data": "kept",
            "read": ["kept"] * 3,
            "resource": "kept",
            "refused": ["Read-only file system"] * 2,
        }
    assert len(drawn) == 3
    assert len(tokens) == 1


RAISES = """\
def handler(event, context):
    if event == "exit":
        raise SystemExit(3)
    if event == "set":
        return {1, 2}
    return inner()

def inner():
    raise KeyError("no such drink")
"""


async def test_python_errors(worker: Worker, tmp_path: Path) -> None:
    """An exception has Lambda's shape and its stack; so has an exit, and what JSON cannot say."""
    (tmp_path / "main.py").write_text(RAISES)
    await deploy(worker, PYTHON, tmp_path)
    failures = {}
    for event in ("raise", "exit", "set"):
        result = await worker.invoker.invoke(Event(NAME, event, "r"))
        assert result.outcome is Outcome.GUEST_ERROR
        failures[event] = result.failure
    raised, exited, unfit = failures["raise"], failures["exit"], failures["set"]
    assert raised is not None
    assert (raised.type, raised.message) == ("KeyError", "'no such drink'")
    assert [line.splitlines()[0] for line in raised.stack] == [
        '  File "/var/task/main.py", line 6, in handler',
        '  File "/var/task/main.py", line 9, in inner',
    ]
    assert exited is not None
    assert exited.type == "Runtime.ExitError"
    assert unfit is not None
    assert unfit.type == "Runtime.MarshalError"
    assert "type set is not JSON serializable" in unfit.message


def test_python_build_failures(tmp_path: Path) -> None:
    """A module that does not load fails the build with its own traceback and nothing else."""
    for name, source, said in (
        ("missing", "import nowhere\n", "ModuleNotFoundError: No module named 'nowhere'"),
        ("syntax", "def handler(:\n", "SyntaxError: invalid syntax"),
        ("empty", "", "defines no 'def handler(event, context)'"),
    ):
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        with pytest.raises(BuildFailed) as refused:
            PYTHON.compiler.compile(Project(name, path, tmp_path), tmp_path / "out.wasm")
        assert said in refused.value.message
        assert "Stack backtrace" not in refused.value.message


FEED = b"""<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>
<entry><title>Tea &amp; cake</title><link href="https://example.com/1"/><updated>2026</updated></entry>
<entry><title>Bread</title><link href="https://example.com/2"/><updated>2025</updated></entry></feed>"""


async def test_javascript_feed(worker: Worker, tmp_path: Path) -> None:
    """A handler written for Lambda, in CommonJS and with a package from npm, runs as it is."""
    project = tmp_path / "feed"
    source = guest(JAVASCRIPT, "feed")
    shutil.copytree(source, project, ignore=shutil.ignore_patterns("node_modules", "*.wasm"))
    await deploy(worker, JAVASCRIPT, project)
    read = await ask(worker, request("/", "POST", FEED, limit="1"))
    assert isinstance(read.value, dict), read.failure
    assert json.loads(read.value["body"]) == {
        "title": "News",
        "entries": [{"title": "Tea & cake", "href": "https://example.com/1", "updated": 2026}],
    }
    refused = await ask(worker, request("/", "POST", b"<rss/>"))
    assert isinstance(refused.value, dict), refused.failure
    assert refused.value["statusCode"] == 422


PROMISES = """\
const boot: number = Math.random();
let answer = "unset";

export const handler = async (event: { do?: string }) => {
  if (event.do === "never") return new Promise(() => {});
  if (event.do === "throw") throw new RangeError("out of tea");
  const order: string[] = [];
  setTimeout(() => order.push("second timer"), 20);
  setTimeout(() => order.push("first timer"), 5);
  queueMicrotask(() => order.push("job"));
  order.push("handler");
  async function* count() { yield 1; await null; yield 2; }
  const counted: number[] = [];
  for await (const each of count()) counted.push(each);
  await new Promise((resolve) => setTimeout(resolve, 40));
  const any = await Promise.any([Promise.reject(new Error("no")), "yes"]);
  const settled = await Promise.allSettled([Promise.reject(1), 2]);
  const text = new TextDecoder().decode(new TextEncoder().encode("grüße 🦀 \\ud800"));
  return { order, counted, any, settled, text, drawn: [Math.random(), crypto.randomUUID()], boot };
};
"""


async def test_typescript_and_promises(worker: Worker, tmp_path: Path) -> None:
    """Types are dropped; promises, timers and generators run in the language's order."""
    (tmp_path / "index.ts").write_text(PROMISES)
    await deploy(worker, JAVASCRIPT, tmp_path)
    drawn = []
    for _ in range(2):
        result = await worker.invoker.invoke(Event(NAME, {}, "r"))
        value = result.value
        assert isinstance(value, dict), result.failure
        drawn += value.pop("drawn")
        assert value.pop("boot") < 1
        assert value == {
            "order": ["handler", "job", "first timer", "second timer"],
            "counted": [1, 2],
            "any": "yes",
            "settled": [{"status": "rejected", "reason": 1}, {"status": "fulfilled", "value": 2}],
            "text": "grüße 🦀 �",
        }
    assert len(set(drawn)) == 4
    never = await worker.invoker.invoke(Event(NAME, {"do": "never"}, "r"))
    assert (never.outcome, never.value) == (Outcome.OK, None)
    thrown = await worker.invoker.invoke(Event(NAME, {"do": "throw"}, "r"))
    assert thrown.failure is not None
    assert (thrown.failure.type, thrown.failure.message) == ("RangeError", "out of tea")


def test_javascript_build_failure(tmp_path: Path) -> None:
    """A mistake is shown in the bundler's words, with its line."""
    path = tmp_path / "bad.js"
    path.write_text("export const handler = (;")
    with pytest.raises(BuildFailed, match=r"bad\.js:1:24"):
        JAVASCRIPT.compiler.compile(Project("bad", path, tmp_path), tmp_path / "bad.wasm")
    path.write_text("export const other = 1;")
    with pytest.raises(BuildFailed, match="exports no 'handler"):
        JAVASCRIPT.compiler.compile(Project("bad", path, tmp_path), tmp_path / "bad.wasm")


FETCH_EVENT = """\
addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const { searchParams } = new URL(request.url);
  const said = `${request.method} ${searchParams.get("name")} ${await request.text()}`;
  return new Response(said, { status: 201, headers: { "x-kind": "oolong" } });
}
"""


async def test_a_fetch_event_on_starlingmonkey(worker: Worker, tmp_path: Path) -> None:
    """A program that listens for fetch events is a component of wasi:http as it stands."""
    (tmp_path / "index.js").write_text(FETCH_EVENT)
    module = build_or_skip(STARLINGMONKEY, tmp_path)
    twin = tmp_path / "other" / "index.js"
    twin.parent.mkdir()
    twin.write_text(FETCH_EVENT)
    assert digest(STARLINGMONKEY.compile(twin)) == digest(module)
    version = await worker.deployer.deploy(NAME, module, Settings())
    assert version.artifact.kind is GuestKind.WASI_HTTP
    door = httpx.ASGITransport(app=DataPlane(worker.services(is_local=True), Bounds()))
    async with httpx.AsyncClient(transport=door, base_url="http://edge.test") as http:
        response = await http.post(f"/{NAME}/?name=Ada", content="milk")
    assert (response.status_code, response.text) == (201, "POST Ada milk")
    assert response.headers["x-kind"] == "oolong"
