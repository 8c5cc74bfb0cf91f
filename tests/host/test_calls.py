"""`edge.call`: every request gets one well-formed answer, whatever it holds."""

import asyncio
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.host.answers import CallError, Code, ok
from edge.host.arguments import Arguments
from edge.host.calls import REQUEST_BYTES_MAX, HostCalls, Later
from edge.host.session import Session
from edge.model import cbor
from edge.model.errors import StorageFailure
from tests.host.guest import call, code_of, make_session

SECRET = "/data/kv.db line 42"


def echo(_session: Session, arguments: Arguments) -> bytes:
    """Answers at once."""
    value = arguments.value("value")
    arguments.end()
    return ok(value)


def later(_session: Session, arguments: Arguments) -> Later:
    """Answers after waiting."""
    value = arguments.value("value")

    async def answer() -> bytes:
        await asyncio.sleep(0)
        return ok(value)

    return answer


def failing(error: Exception) -> Any:
    """Raises at once."""

    def operation(_session: Session, _arguments: Arguments) -> bytes:
        raise error

    return operation


def failing_later(error: Exception) -> Any:
    """Raises after waiting."""

    def operation(_session: Session, _arguments: Arguments) -> Later:
        async def answer() -> bytes:
            await asyncio.sleep(0)
            raise error

        return answer

    return operation


@pytest.fixture
def calls() -> HostCalls:
    """A few operations."""
    return HostCalls({"echo": echo, "later": later})


async def test_an_answer_comes_at_once_or_is_awaited(calls: HostCalls) -> None:
    """What need not wait does not."""
    session = make_session()
    assert isinstance(calls.begin(session, cbor.encode({"op": "echo", "value": 1})), bytes)
    assert await call(calls, session, op="echo", value=[1]) == {"ok": [1]}
    assert await call(calls, session, op="later", value=[1]) == {"ok": [1]}


async def test_calls_are_counted_and_charged(calls: HostCalls) -> None:
    """By operation; what is unknown under one name, since guests choose the names."""
    session = make_session()
    await call(calls, session, op="echo", value=1)
    charged = session.host_fuel
    await call(calls, session, op="later", value="x" * 1_000)
    assert session.host_fuel - charged > charged + 1_000
    for number in range(3):
        await code_of(calls, session, op=f"nothing{number}")
    assert session.calls == {"echo": 1, "later": 1}
    assert session.host_ns > 0


@pytest.mark.parametrize(
    "request_", [b"", b"\x00", b"\xff", cbor.encode([]), cbor.encode({}), cbor.encode({"op": 1})]
)
async def test_a_malformed_request_is_answered(calls: HostCalls, request_: bytes) -> None:
    """With an error, at once."""
    answer = calls.begin(make_session(), request_)
    assert isinstance(answer, bytes)
    assert cbor.decode(answer)["error"]["code"] == "invalid_request"  # type: ignore[index]


async def test_a_request_is_bounded(calls: HostCalls) -> None:
    """Before it is decoded."""
    answer = calls.begin(make_session(), bytes(REQUEST_BYTES_MAX + 1))
    assert isinstance(answer, bytes)
    assert cbor.decode(answer)["error"]["code"] == "too_large"  # type: ignore[index]


async def test_a_misspelt_argument_is_an_error(calls: HostCalls) -> None:
    """Ignoring it would do something else than was asked."""
    session = make_session()
    answer = await call(calls, session, op="echo", value=1, valeu=2)
    assert "'valeu'" in answer["error"]["message"]


@pytest.mark.parametrize("fail", [failing, failing_later])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CallError(Code.DENIED, "no"), "denied"),
        (StorageFailure(SECRET), "unavailable"),
        (RuntimeError(SECRET), "unavailable"),
        (KeyError(SECRET), "unavailable"),
        (RecursionError(SECRET), "unavailable"),
    ],
)
async def test_a_failure_is_an_answer_that_tells_nothing_of_the_host(
    fail: Any, error: Exception, code: str
) -> None:
    """Whatever is raised, now or later."""
    calls = HostCalls({"fail": fail(error)})
    answer = await call(calls, make_session(), op="fail")
    assert answer["error"]["code"] == code
    assert SECRET not in str(answer)


async def test_a_call_can_be_cancelled_at_any_time(calls: HostCalls) -> None:
    """The guest's deadline ends the wait, also before it began; nothing is left behind."""
    for turns in range(3):
        awaitable = calls.begin(make_session(), cbor.encode({"op": "later", "value": 1}))
        assert not isinstance(awaitable, bytes)
        task = asyncio.ensure_future(awaitable)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError | bytes)


@given(
    st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["op", "value", "key"]) | st.text(max_size=5),
        st.sampled_from(["echo", "later"]) | st.none() | st.integers(0, 9) | st.lists(st.text()),
    ).map(cbor.encode)
)
@example(b"\x81" * 1_000)
def test_any_bytes_get_a_well_formed_answer(data: bytes) -> None:
    """One map, with `ok` or with a known error code."""

    async def answered() -> Any:
        calls = HostCalls({"echo": echo, "later": later})
        answer = calls.begin(make_session(), data)
        return cbor.decode(answer if isinstance(answer, bytes) else await answer)

    answer = asyncio.run(answered())
    assert set(answer) in ({"ok"}, {"error"})
    if "error" in answer:
        assert Code(answer["error"]["code"])
        assert isinstance(answer["error"]["message"], str)
