"""Initialisers: what they may see, how they end, and what the deployer is told."""

import pytest

from edge.model.cbor import decode
from edge.model.errors import InitFailed, InvalidModule
from edge.sandbox.snapshot import SnapshotSettings, take_snapshot
from edge.sandbox.snapshot.log import InitLog
from tests.sandbox.snapshot.guests import SETTINGS, Guest, snapshot, wat

MIB = 1024 * 1024
WASI = "wasi_snapshot_preview1"


def importing(name: str, parameters: str, body: str, result: str = "(result i32)") -> bytes:
    """A module whose `edge_init` is `body`, with one WASI function under $call."""
    return wat(
        f"""(module (import "{WASI}" "{name}" (func $call (param {parameters}) {result}))
        (memory (export "memory") 1)
        (func (export "edge_init") {body}))"""
    )


def u64(guest: Guest, place: int) -> int:
    """A number from the guest's memory."""
    return int.from_bytes(guest.bytes_of()[place : place + 8], "little")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("unreachable", r"^edge_init trapped: wasm `unreachable` instruction executed in \$?init"),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "integer divide by zero"),
        ("(drop (i32.load (i32.const 99999999)))", "out of bounds memory access"),
        ("(loop (br 0))", "^edge_init used up its 1000000000 fuel; it may loop forever"),
        ("(call $init)", "call stack exhausted"),
    ],
)
def test_an_initialiser_that_fails_says_why(body: str, reason: str) -> None:
    """The deployer reads what happened and where, in one line."""
    with pytest.raises(InitFailed, match=reason) as caught:
        snapshot(f'(module (memory 1) (func $init (export "edge_init") {body}))')
    assert "\n" not in str(caught.value)


def test_a_start_function_that_traps_fails_the_deploy() -> None:
    """Instantiation is part of initialising."""
    with pytest.raises(InitFailed, match=r"^instantiation trapped: wasm `unreachable`"):
        snapshot("(module (func $s unreachable) (start $s))")


def test_initialisers_run_once_and_in_order() -> None:
    """start, then _initialize, then edge_init; afterwards none of them can run again."""
    text = """(module (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
      (func $note (param i32)
        (i32.store8 (global.get $n) (local.get 0))
        (global.set $n (i32.add (global.get $n) (i32.const 1))))
      (func $s (call $note (i32.const 115))) (start $s)
      (func (export "edge_init") (call $note (i32.const 101)))
      (func (export "_initialize") (call $note (i32.const 105)))
      (func (export "edge_restore")) (func (export "edge_handle")))"""
    guest = Guest(snapshot(text).module)
    assert guest.bytes_of()[:4] == b"sie\0"
    assert sorted(guest.exports) == ["edge_handle", "edge_restore", "memory"]


def test_memory_beyond_the_limit_is_not_to_be_had() -> None:
    """Growth fails as it does when serving; a minimum over the limit fails the deploy."""
    text = """(module (memory (export "memory") 1)
      (func (export "edge_init") (i32.store (i32.const 0) (memory.grow (i32.const 2000)))))"""
    assert Guest(snapshot(text).module).bytes_of()[:4] == b"\xff" * 4
    with pytest.raises(InitFailed, match="memory minimum size"):
        snapshot('(module (memory 2000) (func (export "edge_init")))')


def test_memories_share_the_limit() -> None:
    """Two memories of 40 MiB are over 64 MiB, though neither is."""
    with pytest.raises(InitFailed, match="80 MiB in all, over the limit of 64 MiB"):
        snapshot('(module (memory 640) (memory 640) (func (export "edge_init")))')


@pytest.mark.parametrize("declaration", ["(param i32)", "(result i32) (i32.const 1)"])
def test_an_initialiser_takes_and_returns_nothing(declaration: str) -> None:
    """Another signature is no `edge_init`."""
    with pytest.raises(InvalidModule, match="`edge_init` must be a function without"):
        snapshot(f'(module (func (export "edge_init") {declaration}))')


@pytest.mark.parametrize(
    ("declaration", "reason"),
    [
        ('"env" "f" (func)', "`env.f` is not provided"),
        ('"edge" "shout" (func)', "`edge.shout` is not provided"),
        ('"edge" "log" (func (param i64))', r"`edge.log` has type \(i64\) -> \(\), not \(i32, i32"),
        (f'"{WASI}" "fd_write" (func)', "`wasi_snapshot_preview1.fd_write` has type"),
        (f'"{WASI}" "odd" (func (param externref))', "is not a function of WASI preview 1"),
    ],
)
def test_unknown_imports_are_named(declaration: str, reason: str) -> None:
    """An import nobody provides, or with another type, is told by name."""
    with pytest.raises(InvalidModule, match=reason):
        snapshot(f'(module (import {declaration}) (func (export "edge_init")))')


def test_bytes_that_are_no_module_are_invalid() -> None:
    """Neither text, nor a component, nor half a module gets further than validation."""
    whole = wat('(module (func (export "edge_init")))')
    for module in (b"", b"hello", b"\0asm\x0d\0\x01\0", whole[:-3]):
        with pytest.raises(InvalidModule, match="not valid WebAssembly"):
            snapshot(module)


def test_host_calls_are_refused_during_initialisation() -> None:
    """`edge.call` answers with CBOR that says so, and the deployer is told."""
    taken = snapshot(
        """(module (import "edge" "call" (func $call (param i32 i32) (result i32)))
        (import "edge" "take" (func $take (param i32)))
        (memory (export "memory") 1)
        (func (export "edge_init")
          (i32.store (i32.const 0) (call $call (i32.const 0) (i32.const 4)))
          (call $take (i32.const 8))))"""
    )
    memory = Guest(taken.module).bytes_of()
    length = int.from_bytes(memory[:4], "little")
    answer = decode(memory[8 : 8 + length])
    assert answer == {
        "error": {
            "code": "denied",
            "message": "host calls are refused during initialisation",
        }
    }
    assert taken.warnings == ("host calls made during initialisation were refused",)


def test_a_pointer_outside_the_memory_ends_the_initialiser() -> None:
    """The host reads nothing it was not given."""
    for arguments in ("(i32.const 65530) (i32.const 10)", "(i32.const -1) (i32.const -1)"):
        with pytest.raises(InitFailed, match="passed a pointer outside its memory"):
            snapshot(
                f"""(module (import "edge" "log" (func $log (param i32 i32 i32)))
                (memory (export "memory") 1)
                (func (export "edge_init") (call $log (i32.const 1) {arguments})))"""
            )


def test_what_an_initialiser_writes_is_kept() -> None:
    """`edge.log`, stdout and stderr arrive as lines, unfinished ones too."""
    taken = snapshot(
        f"""(module (import "edge" "log" (func $log (param i32 i32 i32)))
        (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\\10\\00\\00\\00\\07\\00\\00\\00") (data (i32.const 16) "one\\ntwo")
        (func (export "edge_init")
          (call $log (i32.const 4) (i32.const 16) (i32.const 3))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
    )
    lines = [(line.level, line.text) for line in taken.log]
    assert lines == [(4, "one"), (2, "one"), (3, "one"), (2, "two"), (3, "two")]


def test_the_log_is_bounded() -> None:
    """A flood leaves its beginning and a note, whether in lines or without any."""
    for text in (b"spam\n" * 1000, b"x" * 5000):
        log = InitLog(100)
        log.write_stream(2, text)
        log.write_stream(2, text)
        log.write_line(2, b"more")
        *kept, note = log.close()
        assert 50 < sum(len(line.text) for line in kept) <= 100
        assert "full" in note.text


def test_a_flood_of_host_calls_ends() -> None:
    """Each call is charged, so that a loop of them runs out of fuel and not out of patience."""
    body = "(loop (drop (call $call (i32.const 0) (i32.const 60000))) (br 0))"
    with pytest.raises(InitFailed, match="fuel"):
        take_snapshot(
            importing("random_get", "i32 i32", body),
            SnapshotSettings(fuel_max=1_000_000, memory_bytes_max=MIB),
        )


def test_entropy_is_there_and_warned_about() -> None:
    """Random bytes drawn at initialisation are the same in every instance: the deployer knows."""
    module = importing("random_get", "i32 i32", "(drop (call $call (i32.const 0) (i32.const 32)))")
    one, two = snapshot(module), snapshot(module)
    assert one.warnings == ("entropy drawn during initialisation is shared by every instance",)
    assert Guest(one.module).bytes_of()[:32] != Guest(two.module).bytes_of()[:32]


def test_the_environment_is_frozen_and_warned_about() -> None:
    """Only what was given is seen, and only a look at something is worth a warning."""
    body = "(drop (call $call (i32.const 0) (i32.const 16)))"
    module = importing("environ_get", "i32 i32", body)
    given = SnapshotSettings(SETTINGS.fuel_max, MIB, environment=(("A", "1"), ("NAME", "värde")))
    taken = take_snapshot(module, given)
    assert Guest(taken.module).bytes_of()[16:32] == "A=1\0NAME=värde\0"[:15].encode()
    assert taken.warnings == ("environment read during initialisation is frozen into the snapshot",)
    assert snapshot(module).warnings == ()


def test_the_monotonic_clock_starts_near_zero_and_moves() -> None:
    """Time since initialisation is positive on any host; only the time of day is warned about."""
    body = """(drop (call $call (i32.const 1) (i64.const 0) (i32.const 0)))
      (drop (call $call (i32.const 1) (i64.const 0) (i32.const 8)))"""
    taken = snapshot(importing("clock_time_get", "i32 i64 i32", body))
    guest = Guest(taken.module)
    assert 0 < u64(guest, 0) < u64(guest, 8) < 1_000_000_000
    assert taken.warnings == ()
    day = importing(
        "clock_time_get", "i32 i64 i32", body.replace("$call (i32.const 1)", "$call (i32.const 0)")
    )
    assert snapshot(day).warnings == (
        "the time of day read during initialisation is frozen into the snapshot",
    )


def sleeper(nanoseconds: int) -> bytes:
    """A module that sleeps once and keeps the event it got at 64, their number at 128."""
    return importing(
        "poll_oneoff",
        "i32 i32 i32 i32",
        f"""(i64.store (i32.const 0) (i64.const 77)) (i32.store (i32.const 16) (i32.const 1))
        (i64.store (i32.const 24) (i64.const {nanoseconds}))
        (drop (call $call (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))""",
    )


def test_sleeping_takes_no_time() -> None:
    """A sleep ends at once, with the event a sleeper expects."""
    memory = Guest(snapshot(sleeper(5_000_000_000)).module).bytes_of()
    assert memory[64:80] == (77).to_bytes(8, "little") + bytes(8)
    assert memory[128:132] == (1).to_bytes(4, "little")
    with pytest.raises(InitFailed, match="slept longer than 10 s in all"):
        snapshot(sleeper(3_600_000_000_000))


def test_exiting_is_not_initialising() -> None:
    """proc_exit ends the deploy with its status, even where the guest would go on."""
    for after in ("", "unreachable"):
        module = importing("proc_exit", "i32", f"(call $call (i32.const 3)) {after}", result="")
        with pytest.raises(InitFailed, match=r"^edge_init called proc_exit\(3\)$"):
            snapshot(module)


@pytest.mark.parametrize(
    ("name", "parameters", "arguments", "errno"),
    [
        ("fd_prestat_get", "i32 i32", "(i32.const 3) (i32.const 0)", 8),
        (
            "fd_seek",
            "i32 i64 i32 i32",
            "(i32.const 1) (i64.const 0) (i32.const 0) (i32.const 0)",
            70,
        ),
        ("fd_fdstat_get", "i32 i32", "(i32.const 1) (i32.const 16)", 0),
        ("fd_fdstat_get", "i32 i32", "(i32.const 1) (i32.const -4)", 21),
        ("fd_close", "i32", "(i32.const 9)", 8),
        ("fd_write", "i32 i32 i32 i32", "(i32.const 5)" + "(i32.const 0)" * 3, 8),
        (
            "fd_write",
            "i32 i32 i32 i32",
            "(i32.const 1) (i32.const 0) (i32.const 9999) (i32.const 0)",
            28,
        ),
        ("random_get", "i32 i32", "(i32.const 65000) (i32.const 65000)", 21),
        ("sock_shutdown", "i32 i32", "(i32.const 3) (i32.const 0)", 52),
        ("never_heard_of", "f64", "(f64.const 0)", 52),
    ],
)
def test_wasi_without_a_host(name: str, parameters: str, arguments: str, errno: int) -> None:
    """There are no files and no network, and bad pointers are an error number."""
    body = f"(i32.store (i32.const 8) (call $call {arguments}))"
    memory = Guest(snapshot(importing(name, parameters, body)).module).bytes_of()
    assert int.from_bytes(memory[8:12], "little") == errno


def test_many_long_vectors_are_written_in_part() -> None:
    """A thousand vectors that each cover the memory do not make the host copy a thousand times."""
    body = """(local $n i32)
      (loop $next
        (i32.store (i32.add (i32.const 4) (i32.mul (local.get $n) (i32.const 8))) (i32.const 65536))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $n) (i32.const 999))))
      (drop (call $call (i32.const 1) (i32.const 0) (i32.const 999) (i32.const 16384)))"""
    module = importing("fd_write", "i32 i32 i32 i32", body)
    memory = Guest(snapshot(module).module).bytes_of()
    assert int.from_bytes(memory[16384:16388], "little") == 65_536


def test_fuel_is_reported() -> None:
    """The same initialiser costs the same, and a longer one costs more."""
    text = """(module (func (export "edge_init") (local $n i32) (local.set $n (i32.const {}))
      (loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"""
    short, again, long = (snapshot(text.format(turns)).init_fuel for turns in (10, 10, 1000))
    assert 0 < short == again < long
