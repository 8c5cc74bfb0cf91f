"""The sample guests do what their first comment says, each run on the bare host."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sdk.bare_host import BareHost, Load
from tests.toolchain import build_guest, guest_names


def http(method: str, path: str, **parts: Any) -> dict[str, Any]:
    """What the guests read of an HTTP event; `query` and `headers` are dictionaries."""
    return {
        "requestContext": {"http": {"method": method}},
        "rawPath": path,
        "queryStringParameters": parts.get("query", {}),
        "headers": parts.get("headers", {}),
        "body": parts.get("body", b""),
        "isBase64Encoded": parts.get("is_base64", False),
    }


def get(**query: str) -> dict[str, Any]:
    """A GET of the root with a query."""
    return http("GET", "/", query=query)


WORDS = ["zebra", "Apple", "pear", "don't", "ÉTÉ", "été", "жук", "ЖУК", "7", "東京"]


@pytest.mark.parametrize("name", guest_names())
def test_modules_are_small(guest: Load, name: str) -> None:
    """Stripped and optimised: a sample guest is tens of kilobytes at most."""
    assert build_guest(name).stat().st_size < 64 * 1024


@pytest.mark.parametrize(
    ("event", "greeting"),
    [
        (http("GET", "/"), "Hello, world!"),
        (http("GET", "/Ada%20Lovelace"), "Hello, Ada Lovelace!"),
        (get(name="Grace"), "Hello, Grace!"),
        ({"not": "http"}, "Hello, world!"),
        (None, "Hello, world!"),
    ],
)
def test_hello(guest: Load, event: object, greeting: str) -> None:
    """The query's name comes before the path's; any other event greets the world."""
    answer = guest("hello").ok(event, functionName="hello", functionVersion="3")
    assert answer == {"message": greeting, "function": "hello", "version": "3"}


def test_ticker_writes_events() -> None:
    """A head, then one server-sent event after the other; a refusal ends it."""
    host = BareHost(build_guest("ticker"), lambda _request: {"ok": None})
    assert host.ok(get(n="3", every="1"), deadlineMs=0) is None
    head, *events = host.requests
    assert (head["op"], head["headers"]["content-type"]) == ("response.start", "text/event-stream")
    assert [event["data"] for event in events] == [
        b'data: {"tick":%d,"remainingMs":0}\n\n' % tick for tick in range(3)
    ]
    refused = BareHost(build_guest("ticker")).invoke(get(n="3"))
    assert refused["error"]["errorType"] == "edge.denied"


@pytest.mark.parametrize("is_base64", [False, True])
def test_echo_copies_bodies(guest: Load, is_base64: bool) -> None:
    """A body of the largest size comes back byte for byte, under its own content type."""
    body = bytes(range(256)) * (6 * 1024 * 4)
    sent = base64.b64encode(body).decode() if is_base64 else body
    event = http("POST", "/body", body=sent, is_base64=is_base64, headers={"content-type": "a/b"})
    answer = guest("echo").ok(event)
    assert answer["headers"] == {"content-type": "a/b"}
    assert answer["body"] == body


def test_echo_shows_the_context(guest: Load) -> None:
    """An event may ask for the context instead of itself."""
    assert guest("echo").ok({"echo": "context"}, requestId="r") == {"requestId": "r"}


def test_tiny_answers_anything(guest: Load) -> None:
    """The guest without an SDK has room for any event and one answer."""
    assert guest("tiny").ok(None) == "hello"
    assert guest("tiny").ok(b"x" * 6_000_000) == "hello"


def test_text_counts(guest: Load) -> None:
    """Words, sentences and lines of a text whose numbers can be counted by hand."""
    text = 'He said: "Don\'t panic!" Then, at 3.14, he left\nexample.com. ÉTÉ – été’s end'
    answer = guest("text").ok(http("POST", "/", body=text.encode(), query={"common": "keep"}))
    assert answer["words"] == 15
    assert answer["sentences"] == 3
    assert answer["lines"] == 2
    assert answer["characters"] == len(text)
    words = {entry["word"]: entry["count"] for entry in answer["top"]}
    assert words["he"] == 2
    assert answer["top"][0] == {"word": "he", "count": 2}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=80))
def test_text_top_words_are_a_counter(guest: Load, words: list[str]) -> None:
    """The commonest words are those of a dictionary of lower-cased words, ties in byte order."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word.lower()] = counts.get(word.lower(), 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))
    event = http("POST", "/", body=" ".join(words).encode(), query={"top": "4"})
    answer = guest("text").ok(event)
    assert answer["words"] == len(words)
    assert answer["distinctWords"] == len(counts)
    assert [(entry["word"], entry["count"]) for entry in answer["top"]] == ranked[:4]


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=5000))
def test_text_survives_any_bytes(guest: Load, body: bytes) -> None:
    """A body need not be text."""
    assert guest("text").ok(http("POST", "/", body=body))["lines"] >= (len(body) > 0)


def test_text_of_many_different_words(guest: Load) -> None:
    """The table grows as far as the words need, over memory that the arena has to ask for."""
    body = " ".join(f"word{i}" for i in range(200_000)).encode()
    answer = guest("text").ok(http("POST", "/", body=body))
    assert answer["words"] == answer["distinctWords"] == 200_000


def test_primes(guest: Load) -> None:
    """Factors, neighbours and counts, against what is known of the numbers."""
    primes = guest("primes")
    answer = primes.ok(get(n="360360"))
    factors = [(entry["prime"], entry["power"]) for entry in answer["factors"]]
    assert factors == [(2, 3), (3, 2), (5, 1), (7, 1), (11, 1), (13, 1)]
    assert (answer["previousPrime"], answer["nextPrime"]) == (360337, 360391)
    assert primes.ok(get(n="1000000"))["primesUpToN"] == 78498
    assert primes.ok(get(n=str(3999971**2)))["factors"] == [{"prime": 3999971, "power": 2}]
    assert primes.ok(get(n="9999999999971"))["prime"] is True
    assert primes.ok(get(nth="283146"))["prime"] == 3999971
    assert primes.ok(get(n="0"))["statusCode"] == 400


class Store:
    """A key-value store of one namespace, as little as the counter needs of one."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[Any, int]] = {}
        self.interfere = 0  # so many writes of somebody else come right before the next ones

    def __call__(self, request: dict[str, Any]) -> object:
        op, key = request["op"], request["key"]
        value, version = self.entries.get(key, (None, 0))
        if op == "kv.get":
            return {"ok": {"value": value, "version": version} if version else None}
        if op == "kv.delete":
            return {"ok": {"deleted": self.entries.pop(key, None) is not None}}
        if op == "kv.put" and self.interfere:
            self.interfere -= 1
            value, version = self.entries[key] = (value, version + 1)
        if request.get("ifVersion", version) != version:
            return {"error": {"code": "conflict", "message": "another version"}}
        new = request["value"] if op == "kv.put" else (value or 0) + request["by"]
        self.entries[key] = (new, version + 1)
        return {"ok": {"value": new, "version": version + 1}}


def test_counter(guest: Load) -> None:
    """Reading, adding, setting and deleting, with the version as the etag."""
    store = Store()
    counter = BareHost(build_guest("counter"), store)
    assert counter.ok(http("GET", "/a"))["statusCode"] == 404
    assert json.loads(counter.ok(http("POST", "/a"))["body"])["value"] == 1
    answer = counter.ok(http("POST", "/a", query={"by": "-5"}))
    assert json.loads(answer["body"]) == {"name": "a", "value": -4, "version": 2}
    assert answer["headers"]["etag"] == '"2"'
    assert counter.ok(http("PUT", "/a", body=b"40"))["headers"]["etag"] == '"3"'
    assert counter.ok(http("DELETE", "/a"))["statusCode"] == 204
    assert counter.ok(http("POST", "/"))["statusCode"] == 404
    assert counter.ok(http("PATCH", "/a"))["statusCode"] == 405
    assert counter.ok(http("PUT", "/a", body=b"many"))["statusCode"] == 400
    assert store.entries == {}


def test_counter_compares_and_sets(guest: Load) -> None:
    """A PUT with if-match writes over that version only; 0 is the version of what is absent."""
    counter = BareHost(build_guest("counter"), Store())

    def put(match: str, body: bytes) -> int:
        event = http("PUT", "/a", body=body, headers={"if-match": match})
        return int(counter.ok(event)["statusCode"])

    assert put("0", b"1") == 200
    assert put("0", b"2") == 412
    assert put('"1"', b"2") == 200
    assert put("1", b"3") == 412
    assert put("x", b"3") == 400


def test_counter_retries_conflicts(guest: Load) -> None:
    """Adding up to a maximum reads again when another request wrote in between, within a bound."""
    store = Store()
    counter = BareHost(build_guest("counter"), store)
    bounded = http("POST", "/seats", query={"max": "2"})
    statuses = [counter.ok(bounded)["statusCode"] for _ in range(3)]
    assert statuses == [200, 200, 409]
    store.entries["seats"] = (0, 9)
    store.interfere = 3
    assert counter.ok(bounded)["statusCode"] == 200
    assert store.entries["seats"] == (1, 13)
    store.interfere = 1000
    assert counter.ok(bounded)["statusCode"] == 503


def test_counter_without_a_grant(guest: Load) -> None:
    """A refused host call is the function's error, under the host's code."""
    error = guest("counter").invoke(http("GET", "/a"))["error"]
    assert error["errorType"] == "edge.denied"


def test_proxy(guest: Load) -> None:
    """A fetched page is summarised, or passed on when asked for."""
    page = {
        "status": 404,
        "headers": {"content-type": "text/html"},
        "body": "<p>né".encode() * 100,
        "url": "https://example.com/end",
    }
    proxy = BareHost(build_guest("proxy"), lambda _: {"ok": page})
    answer = proxy.ok(get(url="https://example.com/"))
    assert answer["status"] == 404
    assert answer["bytes"] == 600
    assert answer["url"] == page["url"]
    assert answer["preview"].startswith("<p>né<p>né")
    raw = proxy.ok(get(url="https://example.com/", raw="1"))
    assert (raw["statusCode"], raw["body"]) == (404, page["body"])
    assert proxy.requests[0]["url"] == "https://example.com/"
    assert proxy.ok(get())["statusCode"] == 400


@pytest.mark.parametrize(
    ("code", "status"), [("denied", 403), ("timeout", 504), ("unreachable", 502), ("quota", 429)]
)
def test_proxy_errors_have_a_status(guest: Load, code: str, status: int) -> None:
    """Each way for a fetch to fail has the gateway status that fits, and a line in the log."""
    proxy = BareHost(build_guest("proxy"), lambda _: {"error": {"code": code, "message": "no"}})
    assert proxy.ok(get(url="https://example.com/"))["statusCode"] == status
    assert proxy.lines == [(3, f"fetch failed: {code}: no")]
