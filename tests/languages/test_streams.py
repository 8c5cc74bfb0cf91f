"""What each language's own way to stream does beyond the conformance cases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from edge.config import load
from edge.model.event import Event
from edge.model.function import Settings
from edge.model.outcome import Outcome
from edge.model.prime import Prime
from edge.model.result import Result
from edge.worker import Worker, open_worker
from tests.languages.languages import Language, build_or_skip, guest
from tests.languages.test_component_samples import JAVASCRIPT, PYTHON
from tests.languages.test_samples import BY_NAME
from tests.sdk.bare_host import BareHost

pytestmark = pytest.mark.timeout(600)
PRIMED = Settings(primes=(Prime("all", '{"do": "all"}'), Prime("odd", '{"do": "odd"}')))
NAME = "streams"

JAVASCRIPT_HANDLER = """\
const say = {
  all(stream) {
    const told = [];
    stream.setContentType("text/plain");
    stream.on("finish", () => console.log("finished"));
    stream.once("close", () => console.log("closed"));
    stream.write("text ", () => told.push(1));
    stream.write(new Uint8Array([120, 121]));
    stream.write(new DataView(new Uint8Array([122]).buffer));
    stream.write("\\ud800", "utf8", () => told.push(2));
    stream.end(`|${told}`);
    stream.end("never");
    console.log(stream.writable, stream.writableEnded);
  },
  bare: (stream) => stream.end(new TextEncoder().encode("bytes")),
  // No promise: it is over when the stream is.
  later: (stream) => setTimeout(() => { stream.write("later"); stream.end(); }, 5),
  empty(stream) { awslambda.HttpResponseStream.from(stream, { statusCode: 204 }); },
  odd: (stream) => stream.write(7),
  destroy(stream) { stream.write("part"); stream.destroy(new RangeError("enough")); },
  async after(stream) { stream.end("a"); stream.write("b"); },
};
export const handler = awslambda.streamifyResponse((event, stream, context) => {
  if (typeof context.getRemainingTimeInMillis() !== "number") throw new Error("no context");
  const returned = say[event.do](stream);
  return event.do === "after" ? returned : undefined;
});
"""
PYTHON_HANDLER = """\
from edge_sdk import respond

closed = []


def words():
    try:
        yield "one "
        yield b"two"
    finally:
        print("closed")


def handler(event, context):
    match event["do"]:
        case "all":
            headers = {"x-count": 2}
            return {"statusCode": 206, "headers": headers, "cookies": ["a=1"], "body": words()}
        case "text":
            return words()
        case "bytes":
            return iter([b"\\xff", bytearray(b"\\x00"), memoryview(b"x")])
        case "empty":
            return iter(())
        case "odd":
            return iter([b"part", 7])
        case "respond":
            return respond(201, map(str, range(5)))
"""


@pytest_asyncio.fixture
async def worker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    """A worker with time enough to compile what a language brings along."""
    settings = load({"data": tmp_path_factory.mktemp("host") / "data", "build_timeout_s": 120})
    async with open_worker(settings, 0) as opened:
        yield opened


def put(folder: Path, name: str, source: str) -> None:
    """A project of one file."""
    folder.mkdir()
    (folder / name).write_text(source)


async def deploy(worker: Worker, language: Language, folder: Path, source: str) -> None:
    """Build a handler, primed with events that stream, and deploy it."""
    put(folder, f"index{language.compiler.suffixes[0]}", source)
    module = build_or_skip(language, folder, PRIMED)
    await worker.deployer.deploy(NAME, module, PRIMED)


async def ask(worker: Worker, what: str) -> Result:
    """The collected answer."""
    return await worker.invoker.invoke(Event(NAME, {"do": what}, "r"))


async def answers(worker: Worker, expected: dict[str, object]) -> None:
    """Each kind of answer has its value."""
    for what, value in expected.items():
        result = await ask(worker, what)
        assert (result.outcome, result.value) == (Outcome.OK, value), (what, result.failure)


def response(status: int, body: bytes, *cookies: str, **headers: str) -> dict[str, Any]:
    """Lambda's shape, which a collected answer with a head has."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    head = {"statusCode": status, "headers": named, "cookies": [*cookies]}
    return {**head, "body": body, "isBase64Encoded": False}


async def failures(worker: Worker, expected: dict[str, tuple[str, str]]) -> None:
    """Each kind of mistake is an error of its type and message."""
    for what, pair in expected.items():
        result = await ask(worker, what)
        assert result.outcome is Outcome.GUEST_ERROR, what
        assert result.failure is not None
        assert (result.failure.type, result.failure.message) == pair


async def test_javascript(worker: Worker, tmp_path: Path) -> None:
    """`streamifyResponse` as on Lambda: pieces of every kind, events, callbacks, its end."""
    await deploy(worker, JAVASCRIPT, tmp_path / "function", JAVASCRIPT_HANDLER)
    await answers(
        worker,
        {
            "all": response(200, "text xyz�|1,2".encode(), content_type="text/plain"),
            "bare": b"bytes",
            "later": b"later",
            "empty": response(204, b""),
        },
    )
    result = await ask(worker, "all")
    assert [line.message for line in result.log] == ["finished", "closed", "false true"]
    await failures(
        worker,
        {
            "odd": ("TypeError", "a piece is a string, a view or a buffer"),
            "destroy": ("RangeError", "enough"),
            "after": ("Error", "the response stream has ended"),
        },
    )


async def test_python(worker: Worker, tmp_path: Path) -> None:
    """Any iterator is a streamed answer, and a response's body may be one; it is closed."""
    await deploy(worker, PYTHON, tmp_path / "function", PYTHON_HANDLER)
    text = "text/plain; charset=utf-8"
    await answers(
        worker,
        {
            "all": response(206, b"one two", "a=1", x_count="2"),
            "text": response(200, b"one two", content_type=text),
            "bytes": b"\xff\x00x",
            "empty": None,
            "respond": response(201, b"01234"),
        },
    )
    assert [line.message for line in (await ask(worker, "all")).log] == ["closed"]
    await failures(worker, {"odd": ("TypeError", "a piece is bytes or str, not int")})


def test_go_readers() -> None:
    """A StreamingResponse, and a reader in the shape of aws-lambda-go's, are sent to their end."""
    language = BY_NAME["go"]
    module = build_or_skip(language, guest(language, "conformance"))
    host = BareHost(module, lambda _request: {"ok": None})
    for case in ("stream.response", "stream.reader"):
        assert host.ok({"case": case, "message": "read " * 20_000}) is None
        head, *pieces = host.requests
        assert head == {
            "op": "response.start",
            "statusCode": 202,
            "headers": {"x-kind": "read"},
            "cookies": ["a=1"],
        }
        assert {piece["op"] for piece in pieces} == {"response.write"}
        assert len(pieces) > 1
        assert b"".join(piece["data"] for piece in pieces) == b"read " * 20_000
        host.requests.clear()
