"""Priming: the image holds what sample events warmed, and no answer changes by it."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.model.cbor import decode, encode
from edge.model.errors import InitFailed, SnapshotRefused
from edge.model.prime import Prime
from edge.sandbox.snapshot import Snapshot, SnapshotSettings, take_snapshot
from tests.sandbox.snapshot.guests import SETTINGS, Guest, wat
from tests.sdk.bare_host import BareHost
from tests.toolchain import build_guest

FIVE = {"ok": 5}


def data(place: int, value: object) -> str:
    """A data segment that holds `value` as CBOR."""
    text = "".join(f"\\{byte:02x}" for byte in encode(value))
    return f'(data (i32.const {place}) "{text}")'


def handler(body: str, more: str = "", answer: object = FIVE) -> bytes:
    """A guest that counts its events at 0, and whose `edge_handle` does `body` before it answers.

    `more` goes in front: imports. It has no initialiser.
    """
    return wat(
        f"""(module {more} (memory (export "memory") 1) {data(16, answer)}
          (func (export "edge_alloc") (param i32) (result i32) (i32.const 1024))
          (func (export "edge_handle") (param $place i32) (param $length i32) (result i64)
            (i32.store (i32.const 0) (i32.add (i32.const 1) (i32.load (i32.const 0))))
            {body}
            (i64.const {16 << 32 | len(encode(answer))})))"""
    )


def primed(module: bytes, *primes: Prime) -> Snapshot:
    """The snapshot of a module after these events."""
    bounds = SnapshotSettings(SETTINGS.fuel_max, SETTINGS.memory_bytes_max, primes=primes)
    return take_snapshot(module, bounds)


def test_each_event_runs_once_before_the_image_is_taken() -> None:
    """Also in a module that has nothing else to initialise."""
    taken = primed(handler(""), Prime("a", "{}"), Prime("b", "[1]"))
    assert Guest(taken.module).bytes_of()[0] == 2
    assert taken.warnings == ()
    assert taken.init_fuel > 0


def test_the_event_arrives_with_a_context_like_any_other() -> None:
    """`edge_handle` gets the envelope of docs/abi.md, at the place it asked for."""
    taken = primed(handler(""), Prime("a", '{"b":{"$bytes":"AP8="}}'))
    message = decode(Guest(taken.module).bytes_of()[1024:].rstrip(b"\0"))
    assert isinstance(message, dict)
    assert message["event"] == {"b": b"\x00\xff"}
    assert message["context"]["requestId"] == "prime"


def test_the_same_primes_give_the_same_image() -> None:
    """Nothing of the moment is in the context."""
    module = handler("")
    assert primed(module, Prime("a", "1")).module == primed(module, Prime("a", "1")).module


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("unreachable", "^priming with events/a.json trapped: wasm `unreachable`"),
        ("(loop (br 0))", "^priming with events/a.json used up its 1000000000 fuel"),
        ("(return (i64.const -1))", "pointed outside its memory"),
    ],
)
def test_an_event_that_ends_the_guest_fails_the_deploy(body: str, reason: str) -> None:
    """What a trap leaves half done must not be in every instance."""
    with pytest.raises(InitFailed, match=reason):
        primed(handler(body), Prime("events/a.json", "{}"))


def test_a_module_that_takes_no_events_cannot_be_primed() -> None:
    """The message names what is missing."""
    with pytest.raises(InitFailed, match="priming needs the export `edge_alloc`"):
        primed(wat('(module (memory (export "memory") 1))'), Prime("a", "1"))


def test_passive_segments_without_an_initialiser_are_refused() -> None:
    """The reason says what to add."""
    with pytest.raises(SnapshotRefused, match="export an `edge_init`"):
        primed(handler("(data.drop 0)", '(data "passive")'), Prime("a", "1"))


CALLING = """(import "edge" "call" (func $call (param i32 i32) (result i32)))
  (import "edge" "take" (func $take (param i32)))"""


def calling(request: object) -> bytes:
    """A guest that makes a host call for each event, and keeps its answer at 2048."""
    return handler(
        f"""(drop (call $call (i32.const 512) (i32.const {len(encode(request))})))
            (call $take (i32.const 2048))""",
        f"{CALLING} {data(512, request)}",
    )


@pytest.mark.parametrize(
    ("call", "is_answered"),
    [
        ({"op": "kv.get"}, True),
        ({"op": "kv.get", "key": "k"}, True),
        ({}, True),
        ({"op": "kv.put"}, False),
        ({"op": "kv.get", "key": "other"}, False),
        ({"op": "kv.get", "key": "k", "namespace": "n"}, False),
    ],
)
def test_a_host_call_is_refused_unless_an_answer_stands_beside_the_event(
    call: dict[str, str], is_answered: bool
) -> None:
    """An answer is for every request that has what its `call` has."""
    answers = json.dumps([{"call": call, "answer": {"ok": {"$bytes": "AP8="}}}])
    taken = primed(calling({"op": "kv.get", "key": "k"}), Prime("a", "1", answers))
    told = Guest(taken.module).bytes_of()[2048:]
    if is_answered:
        assert told.startswith(encode({"ok": b"\x00\xff"}))
        assert taken.warnings == ()
    else:
        assert b"denied" in told[:64]
        assert taken.warnings == ("host calls made while priming were refused",)


def test_an_event_that_is_answered_with_an_error_is_told() -> None:
    """It may have warmed less than the deployer thinks."""
    error = {"error": {"errorType": "Oops", "errorMessage": "no luck", "stackTrace": []}}
    assert primed(handler("", answer=error), Prime("a", "1")).warnings == (
        "priming with a ended in an error: Oops: no luck",
    )
    assert primed(handler("", answer=[5]), Prime("a", "1")).warnings == (
        "priming with a gave no answer",
    )


def test_randomness_is_warned_of_unless_it_is_renewed_at_restore() -> None:
    """`edge_restore` runs again in every instance; what an event draws is in all of them."""
    random = '(import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))'
    draw = "(drop (call $r (i32.const 64) (i32.const 8)))"
    assert primed(handler(draw, random), Prime("a", "1")).warnings == (
        "entropy drawn while priming is shared by every instance",
    )
    restoring = f'(func (export "edge_restore") {draw})'
    assert primed(handler("", f"{random} {restoring}"), Prime("a", "1")).warnings == ()


PATHS = st.text(st.characters(codec="utf-8"), max_size=12).map(lambda text: f"/{text}")
EVENTS = st.fixed_dictionaries(
    {
        "rawPath": PATHS,
        "queryStringParameters": st.dictionaries(
            st.sampled_from(("name", "n", "q")), st.text(max_size=8) | st.just("97")
        ),
        "headers": st.just({"content-type": "text/plain"}),
        "requestContext": st.just({"http": {"method": "POST"}}),
        "body": st.binary(max_size=64),
        "isBase64Encoded": st.just(False),
    }
)


@pytest.fixture(scope="module", params=["hello", "text", "echo"])
def module(request: pytest.FixtureRequest) -> bytes:
    """A sample guest."""
    return build_guest(request.param).read_bytes()


@given(warmed=st.lists(EVENTS, min_size=1, max_size=3), asked=EVENTS)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_same_request_gets_the_same_answer_primed_and_unprimed(
    module: bytes, warmed: list[dict[str, object]], asked: dict[str, object]
) -> None:
    """Whatever events warmed the image, a request is answered as if they had not been."""
    primes = tuple(
        Prime(str(number), json.dumps(event | {"body": "x"})) for number, event in enumerate(warmed)
    )
    plain, warm = primed(module), primed(module, *primes)
    assert BareHost(warm.module).invoke(asked) == BareHost(plain.module).invoke(asked)
