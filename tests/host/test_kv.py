"""The key-value operations as a guest makes them: shapes, grants, bounds, errors."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.host.calls import HostCalls
from edge.host.kv import KvCalls
from edge.host.session import Session
from edge.model import cbor
from edge.storage.kv import KEY_BYTES_MAX, LIST_LIMIT_MAX, TTL_MS_MAX, VALUE_BYTES_MAX, Quota
from edge.storage.sqlite.kv import SqliteKv
from tests.host.guest import call, code_of, make_session


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteKv]:
    """A small store."""
    opened = SqliteKv(tmp_path / "kv.db", quota=Quota(entries_max=20))
    yield opened
    opened.close()


@pytest.fixture
def calls(store: SqliteKv) -> HostCalls:
    """The operations over it."""
    return HostCalls(KvCalls(store).operations)


@pytest.fixture
def session() -> Session:
    """A function with its own namespace and a shared one."""
    return make_session("kv", "kv:shared")


@pytest.mark.parametrize(
    "value", [None, True, 0, -1, 1.5, "text", b"bytes", [1, [2]], {"a": {"b": None}}, "", b"", {}]
)
async def test_any_value_comes_back(calls: HostCalls, session: Session, value: Any) -> None:
    """What a guest put is what it gets, null included."""
    put = await call(calls, session, op="kv.put", key="k", value=value)
    assert put == {"ok": {"version": 1}}
    got = await call(calls, session, op="kv.get", key="k")
    assert got == {"ok": {"value": value, "version": 1}}


async def test_absence_is_null(calls: HostCalls, session: Session) -> None:
    """Which no entry is, since an entry is a map."""
    assert await call(calls, session, op="kv.get", key="k") == {"ok": None}
    assert await call(calls, session, op="kv.delete", key="k") == {"ok": {"deleted": False}}


async def test_expiry_is_shown(calls: HostCalls, session: Session) -> None:
    """So that a cache can tell how fresh it is."""
    await call(calls, session, op="kv.put", key="k", value=1, ttlMs=60_000)
    got = await call(calls, session, op="kv.get", key="k")
    assert set(got["ok"]) == {"value", "version", "expiresMs"}


async def test_compare_and_set(calls: HostCalls, session: Session) -> None:
    """The loser of a race learns that it lost."""
    put = {"op": "kv.put", "key": "k", "value": 1}
    assert (await call(calls, session, **put, ifVersion=0))["ok"]["version"] == 1
    assert await code_of(calls, session, **put, ifVersion=0) == "conflict"
    assert (await call(calls, session, **put, ifVersion=1))["ok"]["version"] == 2
    assert await code_of(calls, session, op="kv.delete", key="k", ifVersion=1) == "conflict"
    deleted = await call(calls, session, op="kv.delete", key="k", ifVersion=2)
    assert deleted == {"ok": {"deleted": True}}


async def test_increment(calls: HostCalls, session: Session) -> None:
    """By one unless told otherwise; zero is told otherwise."""
    for by, wanted in (({}, 1), ({"by": 5}, 6), ({"by": 0}, 6), ({"by": -10}, -4)):
        answer = await call(calls, session, op="kv.increment", key="n", **by)
        assert answer["ok"]["value"] == wanted
    await call(calls, session, op="kv.put", key="n", value="text")
    assert await code_of(calls, session, op="kv.increment", key="n") == "invalid_request"


async def test_list(calls: HostCalls, session: Session) -> None:
    """Pages of keys with versions, and where the next one begins."""
    for key in ("a/1", "a/2", "b"):
        await call(calls, session, op="kv.put", key=key, value=0)
    page = await call(calls, session, op="kv.list", prefix="a/", limit=1)
    assert page == {"ok": {"entries": [{"key": "a/1", "version": 1}], "next": "a/1"}}
    rest = await call(calls, session, op="kv.list", prefix="a/", after="a/1")
    assert rest == {"ok": {"entries": [{"key": "a/2", "version": 2}], "next": None}}


async def test_shared_and_own_namespaces_are_apart(calls: HostCalls, session: Session) -> None:
    """Neither name leads into the other, nor one function into another's."""
    await call(calls, session, op="kv.put", key="k", value="own")
    await call(calls, session, op="kv.put", key="k", value="shared", namespace="shared")
    own = await call(calls, session, op="kv.get", key="k")
    shared = await call(calls, session, op="kv.get", key="k", namespace="shared")
    assert (own["ok"]["value"], shared["ok"]["value"]) == ("own", "shared")
    other = make_session("kv", "kv:shared")
    other.function = "other"
    assert await call(calls, other, op="kv.get", key="k") == {"ok": None}
    assert await call(calls, other, op="kv.get", key="k", namespace="shared") == shared


OPERATIONS = [
    {"op": "kv.get", "key": "k"},
    {"op": "kv.put", "key": "k", "value": 1},
    {"op": "kv.delete", "key": "k"},
    {"op": "kv.list"},
    {"op": "kv.increment", "key": "k"},
]


@pytest.mark.parametrize("request_", OPERATIONS, ids=lambda request: request["op"])
async def test_every_operation_needs_its_grant(calls: HostCalls, request_: dict[str, Any]) -> None:
    """The own namespace and each shared one."""
    assert await code_of(calls, make_session("kv:shared"), **request_) == "denied"
    for namespace in ("shared", "fn:test", "../fn:test", "x\0"):
        denied = await code_of(calls, make_session("kv"), **request_, namespace=namespace)
        assert denied == "denied"


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("invalid_request", {"op": "kv.get"}),
        ("invalid_request", {"op": "kv.get", "key": ""}),
        ("invalid_request", {"op": "kv.get", "key": b"k"}),
        ("invalid_request", {"op": "kv.get", "key": 1}),
        ("invalid_request", {"op": "kv.get", "key": "k", "namespace": 1}),
        ("too_large", {"op": "kv.get", "key": "é" * (KEY_BYTES_MAX // 2 + 1)}),
        ("invalid_request", {"op": "kv.put", "key": "k"}),
        ("invalid_request", {"op": "kv.put", "key": "k", "value": 1, "ttlMs": 0}),
        ("invalid_request", {"op": "kv.put", "key": "k", "value": 1, "ttlMs": TTL_MS_MAX + 1}),
        ("invalid_request", {"op": "kv.put", "key": "k", "value": 1, "ttlMs": 1.5}),
        ("invalid_request", {"op": "kv.put", "key": "k", "value": 1, "ttlMs": True}),
        ("invalid_request", {"op": "kv.put", "key": "k", "value": 1, "ifVersion": -1}),
        ("invalid_request", {"op": "kv.put", "key": "k", "value": 1, "ifVersion": 1 << 63}),
        ("invalid_request", {"op": "kv.put", "key": "k", "value": 1, "ttl": 5}),
        ("too_large", {"op": "kv.put", "key": "k", "value": b"x" * VALUE_BYTES_MAX}),
        ("invalid_request", {"op": "kv.list", "limit": 0}),
        ("invalid_request", {"op": "kv.list", "limit": LIST_LIMIT_MAX + 1}),
        ("too_large", {"op": "kv.list", "prefix": "x" * (KEY_BYTES_MAX + 1)}),
        ("invalid_request", {"op": "kv.increment", "key": "k", "by": "1"}),
        ("invalid_request", {"op": "kv.increment", "key": "k", "by": 1 << 63}),
        ("invalid_request", {"op": "kv.drop", "key": "k"}),
    ],
)
async def test_arguments_are_bounded(
    calls: HostCalls, session: Session, code: str, request_: dict[str, Any]
) -> None:
    """Each with the code that says what is wrong."""
    assert await code_of(calls, session, **request_) == code


async def test_the_largest_allowed_pass(calls: HostCalls, session: Session) -> None:
    """The bounds are inclusive."""
    key, value = "k" * KEY_BYTES_MAX, b"x" * (VALUE_BYTES_MAX - 5)
    put = await call(calls, session, op="kv.put", key=key, value=value, ttlMs=TTL_MS_MAX)
    assert "ok" in put
    assert (await call(calls, session, op="kv.get", key=key))["ok"]["value"] == value


async def test_a_full_namespace_says_quota(calls: HostCalls, session: Session) -> None:
    """And the other one still takes entries."""
    puts = [call(calls, session, op="kv.put", key=str(number), value=0) for number in range(21)]
    answers = await asyncio.gather(*puts)
    assert [answer["error"]["code"] for answer in answers if "error" in answer] == ["quota"]
    assert "ok" in await call(calls, session, op="kv.put", key="k", value=0, namespace="shared")


async def test_a_closed_store_is_unavailable(
    store: SqliteKv, calls: HostCalls, session: Session
) -> None:
    """The guest is told so, and not where the file is."""
    store.close()
    for request in OPERATIONS:
        answer = await call(calls, session, **request)
        assert answer["error"]["code"] == "unavailable"
        assert "kv.db" not in str(answer)


async def test_answers_are_decoded_by_any_reader(calls: HostCalls, session: Session) -> None:
    """The stored bytes are put into the answer as they are: it must still be one value."""
    await call(calls, session, op="kv.put", key="k", value={"deep": [1, {"x": b"y"}]}, ttlMs=9_999)
    answer = calls.begin(session, cbor.encode({"op": "kv.get", "key": "k"}))
    assert isinstance(answer, bytes)
    assert cbor.encode(cbor.decode(answer)) == answer
