"""Modules whose state a snapshot could not carry are refused, each with its reason."""

import pytest

from edge.model.errors import SnapshotRefused
from tests.sandbox.snapshot.guests import snapshot

INIT = '(func (export "edge_init"))'
WRAPPED = """(module (memory 1) (global $n (mut i32) (i32.const 0))
  (func $ctors (global.set $n (i32.const 1))) (func $dtors (global.set $n (i32.const 2)))
  (func $init) (func $alloc (param i32) (result i32) (i32.const 8))
  (func $handle (param i32 i32) (result i64) (i64.const 0))
  (func (export "edge_init") {0} (call $init) {1})
  (func (export "edge_alloc") (param i32) (result i32) {0} (call $alloc (local.get 0)) {1})
  (func (export "edge_handle") (param i32 i32) (result i64)
    {0} (call $handle (local.get 0) (local.get 1)) {2}))"""


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (f'(import "env" "m" (memory 1)) {INIT}', "imports the memory `env.m`"),
        (f'(import "env" "t" (table 1 funcref)) {INIT}', "imports the table `env.t`"),
        (f'(import "env" "g" (global (mut i32))) {INIT}', "imports the global `env.g`"),
        (f"(memory 1 1 shared) {INIT}", "shared between threads"),
        (f"(memory i64 1) {INIT}", "its memory is 64-bit"),
        (f"(table i64 1 funcref) {INIT}", "its table is 64-bit"),
        (f"(elem externref (ref.null extern)) {INIT}", "passive element segment"),
        ('(func (export "_start"))', "it is a command .* reactor"),
    ],
)
def test_state_outside_the_module_is_refused(module: str, reason: str) -> None:
    """The deployer reads what stands in the way."""
    with pytest.raises(SnapshotRefused, match=reason):
        snapshot(f"(module {module})")


@pytest.mark.parametrize(
    "module",
    [
        """(global $g (mut anyref) (ref.null any))
        (func (export "edge_init") (global.set $g (ref.i31 (i32.const 1))))""",
        """(table $t 2 anyref)
        (func (export "edge_init") (table.set $t (i32.const 1) (ref.i31 (i32.const 1))))""",
        """(global $g (mut externref) (ref.null extern))
        (func (export "edge_init")
          (global.set $g (extern.convert_any (ref.i31 (i32.const 1)))))""",
        # The global never changes; what it refers to does.
        """(type $s (struct (field (mut i32)))) (global $g (ref $s) (struct.new $s (i32.const 1)))
        (func (export "edge_init") (struct.set $s 0 (global.get $g) (i32.const 2)))""",
    ],
)
def test_live_objects_on_a_heap_are_refused(module: str) -> None:
    """Garbage-collected objects have no place in a module."""
    with pytest.raises(SnapshotRefused, match="a reference to an object outside its memory"):
        snapshot(f"(module {module})")


def test_null_references_of_any_kind_are_fine() -> None:
    """What holds nothing loses nothing."""
    snapshot(
        """(module (type $s (struct))
        (global (mut anyref) (ref.null any)) (global (mut externref) (ref.null extern))
        (global (mut exnref) (ref.null exn)) (global (mut (ref null $s)) (ref.null $s))
        (table 3 anyref) (table 3 externref) (func (export "edge_init")))"""
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [("(call $ctors)", "(call $dtors)"), ("(call $ctors)", ""), ("", "(call $dtors)")],
)
def test_command_wrappers_are_recognised_by_their_shape(before: str, after: str) -> None:
    """wasm-ld's wrappers run constructors at each call, names stripped or not."""
    with pytest.raises(SnapshotRefused, match="linked as a command"):
        snapshot(WRAPPED.format(before, after, after))


@pytest.mark.parametrize(
    "texts", [("", "", ""), ("", "(call $dtors)", "(call $ctors)"), ("(call $ctors)", "", "(nop)")]
)
def test_code_that_resembles_a_wrapper_is_left_alone(texts: tuple[str, str, str]) -> None:
    """Functions that merely call another, or the same one some of the time, are no command."""
    snapshot(WRAPPED.format(*texts))


def test_a_module_without_initialiser_is_left_alone() -> None:
    """There is nothing to gain, and the module that runs is the one deployed."""
    taken = snapshot('(module (memory 1) (func (export "edge_handle")))')
    assert "no initialiser" in taken.note
    assert (taken.warnings, taken.init_fuel, taken.image_bytes, taken.log) == ((), 0, 0, ())
