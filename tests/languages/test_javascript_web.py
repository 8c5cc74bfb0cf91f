"""The web's own classes in a JavaScript function: URLs, messages, signals, clones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from edge.config import load
from edge.model.event import Event
from edge.worker import Worker, open_worker
from tests.languages.test_component_samples import JAVASCRIPT, NAME, deploy

pytestmark = pytest.mark.timeout(600)

URLS = (
    ("http://EXAMPLE.com:80/a/./b/../c", None, "http://example.com/a/c"),
    ("../b?x=1#f", "https://example.com/a/c", "https://example.com/b?x=1#f"),
    ("//other/p", "https://example.com/a", "https://other/p"),
    ("?q", "http://h/p?r#s", "http://h/p?q"),
    ("#t", "http://h/p?r#s", "http://h/p?r#t"),
    ("http:\\\\h\\p q", None, "http://h/p%20q"),
    ("https://u@x:p@h/", None, "https://u%40x:p@h/"),
    ("http://münchen.example/", None, "http://xn--mnchen-3ya.example/"),
    ("http://日本。jp/ü?ü", None, "http://xn--wgv71a.jp/%C3%BC?%C3%BC"),
    ("http://0x7f.1/", None, "http://127.0.0.1/"),
    ("http://[1:0:0:2::3]/", None, "http://[1:0:0:2::3]/"),
    ("http://[::ffff:1.2.3.4]/", None, "http://[::ffff:102:304]/"),
    ("file:///C|/x/../..", None, "file:///C:/"),
    ("mailto:ada@example.com", None, "mailto:ada@example.com"),
    ("foo://h/../p", None, "foo://h/p"),
    ("foo:/.//p", None, "foo:/.//p"),
    ("  ht\ntp://h/\t ", None, "http://h/"),
    ("/a/%2e%2E/b", "foo://h/x", "foo://h/b"),
    ("http://256.1.1.1/", None, None),
    ("http://h:65536/", None, None),
    ("http://a b/", None, None),
    ("http://", None, None),
    ("nothing", None, None),
    ("a", "mailto:x", None),
    ("http://[1::2::3]/", None, None),
    ("http://xn--/", None, None),
)

URL_HANDLER = """\
const read = (text, base) => (URL.canParse(text, base ?? undefined)
  ? new URL(text, base ?? undefined).href : null);

export function handler({ urls }) {
  const url = new URL("https://u:p@example.com:81/a?b=1&b=2");
  const { searchParams } = url;
  searchParams.append("c", "ü& ");
  searchParams.delete("b", "1");
  url.port = "443";
  url.pathname = "x y";
  url.hash = "z";
  url.username = "@";
  const params = new URLSearchParams({ z: "1", a: "two words" });
  params.sort();
  url.protocol = "foo";
  return {
    read: urls.map(([text, base]) => read(text, base)),
    url: [url.href, url.origin, url.host, url.search, JSON.stringify({ url })],
    params: [String(params), [...params], params.getAll("a"), params.size, params.get("none")],
    all: new URLSearchParams("?b=1&b=2+%2B&=&c").getAll("b"),
  };
}
"""


@pytest_asyncio.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    """A worker with time enough to compile an engine."""
    async with open_worker(load({"data": tmp_path / "data", "build_timeout_s": 120}), 0) as opened:
        yield opened


def write(folder: Path, source: str) -> Path:
    """A project of one file."""
    folder.mkdir()
    (folder / "index.js").write_text(source)
    return folder


async def answer(worker: Worker, folder: Path, source: str, event: object) -> object:
    """What a handler answers to an event."""
    await deploy(worker, JAVASCRIPT, write(folder, source))
    result = await worker.invoker.invoke(Event(NAME, event, "r"))
    assert result.failure is None
    return result.value


async def test_urls(worker: Worker, tmp_path: Path) -> None:
    """URLs are read, resolved, changed and written as the standard says."""
    urls = [[text, base] for text, base, _ in URLS]
    said = await answer(worker, tmp_path / "urls", URL_HANDLER, {"urls": urls})
    href = "https://%40:p@example.com/x%20y?b=2&c=%C3%BC%26+#z"
    assert said == {
        "read": [expected for *_, expected in URLS],
        "url": [
            *(href, "https://example.com", "example.com"),
            *("?b=2&c=%C3%BC%26+", f'{{"url":"{href}"}}'),
        ],
        "params": [
            *("a=two+words&z=1", [["a", "two words"], ["z", "1"]], ["two words"], 2, None),
        ],
        "all": ["1", "2 +"],
    }


WEB_HANDLER = """\
const nameOf = async (run) => {
  try { await run(); } catch (error) { return error.name; }
};

export async function handler() {
  const controller = new AbortController();
  let heard = 0;
  controller.signal.addEventListener("abort", () => { heard += 1; });
  controller.abort();
  controller.abort();
  const timed = AbortSignal.timeout(5);
  await new Promise((resolve) => timed.addEventListener("abort", resolve));
  const value = { day: new Date(0), map: new Map([[1, new Set([2])]]), bytes: new Uint8Array([3]) };
  value.self = value;
  const copied = structuredClone(value);
  copied.bytes[0] = 4;
  const response = Response.json({ a: 1 }, { status: 201 });
  const copy = response.clone();
  const cookie = "a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT";
  const headers = new Headers([["Set-Cookie", cookie], ["set-cookie", "b=2"]]);
  const body = new URLSearchParams({ k: "v" });
  const request = new Request("http://h/", { method: "post", body });
  return {
    heard,
    timed: timed.reason.name,
    late: await nameOf(() => fetch("http://h/", { signal: controller.signal })),
    copied: [copied.self === copied, copied.map.get(1).has(2), +copied.day, value.bytes[0]],
    refused: await nameOf(() => structuredClone(() => 1)),
    response: [response.ok, await response.json(), response.headers.get("Content-Type")],
    copy: [copy.status, (await copy.arrayBuffer()).byteLength],
    again: await nameOf(() => copy.text()),
    cookies: headers.getSetCookie().length,
    request: [request.method, request.headers.get("content-type"), await request.text()],
  };
}
"""


async def test_messages_signals_and_clones(worker: Worker, tmp_path: Path) -> None:
    """What people use beside `fetch` is there, and does what it does elsewhere."""
    assert await answer(worker, tmp_path / "web", WEB_HANDLER, {}) == {
        "heard": 1,
        "timed": "TimeoutError",
        "late": "AbortError",
        "copied": [True, True, 0, 3],
        "refused": "DataCloneError",
        "response": [True, {"a": 1}, "application/json"],
        "copy": [201, 7],
        "again": "TypeError",
        "cookies": 2,
        "request": ["POST", "application/x-www-form-urlencoded;charset=UTF-8", "k=v"],
    }


async def test_only_what_is_named_is_brought_along(worker: Worker, tmp_path: Path) -> None:
    """A function that names no URL has none; one that names it anywhere has it."""
    source = "export const handler = (event) => typeof globalThis[event.name];"
    event = {"name": "URL"}
    assert await answer(worker, tmp_path / "without", source, event) == "undefined"
    named = f"const {{ URL }} = globalThis;\n{source}"
    assert await answer(worker, tmp_path / "with", named, event) == "function"
