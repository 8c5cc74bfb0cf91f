"""The rewritten module: what it keeps, what it loses, and what its indices mean."""

import pytest
import wasmtime

from edge.model.errors import SnapshotRefused
from edge.sandbox.snapshot import SnapshotSettings, take_snapshot
from edge.sandbox.snapshot.parse import parse
from edge.sandbox.snapshot.sections import SectionId
from tests.sandbox.snapshot.guests import FUEL, Guest, snapshot, wat

MIB = 1024 * 1024


def test_a_module_without_changes_keeps_its_exports_and_functions() -> None:
    """Nothing is renamed, renumbered or added for the guest to see."""
    text = """(module (memory (export "memory") 1) (global (export "g") (mut i32) (i32.const 1))
      (table (export "t") 1 funcref) (func $named (export "f")) (func (export "edge_init")))"""
    before, after = parse(wat(text)), parse(snapshot(text).module)
    gone = [item for item in before.exports if item not in after.exports]
    assert [item.name for item in gone] == ["edge_init"]
    assert len(after.exports) == len(before.exports) - 1
    assert after.bodies[SectionId.CODE] == before.bodies[SectionId.CODE]
    assert (len(after.tables), len(after.memories)) == (1, 1)


def test_function_names_survive() -> None:
    """A stack trace from a snapshot reads like one from the module deployed."""
    taken = snapshot('(module (func (export "edge_init")) (func $boom (export "f") unreachable))')
    with pytest.raises(wasmtime.Trap) as caught:
        Guest(taken.module).call("f")
    assert [frame.func_name for frame in caught.value.frames] == ["boom"]


def test_our_own_export_names_may_be_taken() -> None:
    """A guest that uses the names of the instrumentation keeps its exports."""
    text = """(module (global $g (mut i32) (i32.const 0))
      (func (export "edge:snapshot/global/0")) (func (export "edge:snapshot/roster"))
      (func (export "edge_init") (global.set $g (i32.const 5)))
      (func (export "get") (result i32) (global.get $g)))"""
    guest = Guest(snapshot(text).module)
    assert guest.call("get") == 5
    assert "edge:snapshot/roster" in guest.exports


def test_tables_changed_at_init_come_back() -> None:
    """Functions put into a table, moved and removed, imports too, are found where they were."""
    text = """(module (import "edge" "log" (func $log (param i32 i32 i32)))
      (type $n (func (result i32)))
      (table $t 4 20 funcref) (elem (i32.const 0) $one $two) (elem declare func $log)
      (func $one (type $n) (i32.const 1)) (func $two (type $n) (i32.const 2))
      (func (export "edge_init")
        (table.set (i32.const 0) (ref.func $two))
        (table.set (i32.const 1) (ref.null func))
        (drop (table.grow (ref.func $one) (i32.const 3)))
        (table.set (i32.const 3) (ref.func $log)))
      (func (export "size") (result i32) (table.size $t))
      (func (export "null") (param i32) (result i32) (ref.is_null (table.get (local.get 0))))
      (func (export "call") (param i32) (result i32) (call_indirect (type $n) (local.get 0)))
      (func (export "log_at") (param i32)
        (call_indirect (param i32 i32 i32)
          (i32.const 0) (i32.const 0) (i32.const 0) (local.get 0))))"""
    guest = Guest(snapshot(text).module)
    assert guest.call("size") == 7
    assert [guest.call("null", slot) for slot in range(7)] == [0, 1, 1, 0, 0, 0, 0]
    assert [guest.call("call", slot) for slot in (0, 4, 5, 6)] == [2, 1, 1, 1]
    assert guest.call("log_at", 3) is None


def test_tables_of_typed_functions_come_back() -> None:
    """Nullable and not, with and without an expression to start from."""
    text = """(module (type $n (func (result i32)))
      (table $t (export "t") 2 (ref null $n) (ref.func $one))
      (table $u 3 (ref $n) (ref.func $one))
      (global $g (mut (ref $n)) (ref.func $one))
      (func $one (type $n) (i32.const 1)) (func $two (type $n) (i32.const 2))
      (export "two" (func $two))
      (func (export "edge_init") (table.set $t (i32.const 0) (ref.null $n))
        (table.set $u (i32.const 1) (ref.func $two)) (global.set $g (ref.func $two)))
      (func (export "null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0))))
      (func (export "call_u") (param i32) (result i32) (call_ref $n (table.get $u (local.get 0))))
      (func (export "call_g") (result i32) (call_ref $n (global.get $g))))"""
    guest = Guest(snapshot(text).module)
    assert [guest.call("null", slot) for slot in range(2)] == [1, 0]
    assert [guest.call("call_u", slot) for slot in range(3)] == [1, 2, 1]
    assert guest.call("call_g") == 2


@pytest.mark.parametrize("dropped", [True, False])
def test_passive_segments_keep_their_index_and_their_fate(dropped: bool) -> None:
    """One dropped at init stays dropped; one that was not can still be copied from."""
    text = f"""(module (memory (export "memory") 1) (table $t 2 funcref)
      (data (i32.const 0) "active") (data "passive") (data "other")
      (elem (i32.const 0) $f) (elem func $f $f)
      (func $f (export "edge_init")
        {"(data.drop 1) (elem.drop 1)" if dropped else ""})
      (func (export "copy_data") (memory.init 1 (i32.const 100) (i32.const 1) (i32.const 3)))
      (func (export "copy_used") (memory.init 0 (i32.const 100) (i32.const 0) (i32.const 1)))
      (func (export "copy_other") (memory.init 2 (i32.const 200) (i32.const 0) (i32.const 5)))
      (func (export "copy_elem") (table.init 1 (i32.const 0) (i32.const 1) (i32.const 1))))"""
    guest = Guest(snapshot(text).module)
    with pytest.raises(wasmtime.Trap):
        guest.call("copy_used")
    guest.call("copy_other")
    assert guest.bytes_of()[200:205] == b"other"
    for name in ("copy_data", "copy_elem"):
        if dropped:
            with pytest.raises(wasmtime.Trap):
                guest.call(name)
        else:
            guest.call(name)
    assert guest.bytes_of()[100:103] == (bytes(3) if dropped else b"ass")


def test_data_cleared_at_init_stays_cleared() -> None:
    """An active segment was used up: it is not written again under the image."""
    text = """(module (memory (export "memory") 1) (data (i32.const 8) "secret") (data "other")
      (func (export "edge_init") (memory.fill (i32.const 8) (i32.const 0) (i32.const 6)))
      (func (export "drop") (data.drop 1)))"""
    taken = snapshot(text)
    assert b"secret" not in taken.module
    assert Guest(taken.module).bytes_of() == bytes(65_536)


def test_a_function_only_the_initialiser_exported_can_still_be_referred_to() -> None:
    """`ref.func` needs a declaration, which must not go with the export."""
    text = """(module (table $t 1 funcref)
      (func $init (export "edge_init"))
      (func (export "f") (table.set (i32.const 0) (ref.func $init)))
      (func (export "null") (result i32) (ref.is_null (table.get (i32.const 0)))))"""
    guest = Guest(snapshot(text).module)
    assert guest.call("null") == 1
    guest.call("f")
    assert guest.call("null") == 0


def test_number_bits_survive() -> None:
    """NaN payloads, negative zero and the extremes come back bit by bit."""
    text = """(module
      (global $a (export "a") (mut i32) (i32.const 0)) (global $b (mut i64) (i64.const 0))
      (global $c (mut f32) (f32.const 0)) (global $d (mut f64) (f64.const 0))
      (func (export "edge_init") (global.set $a (i32.const 0x80000000))
        (global.set $b (i64.const 0x8000000000000000))
        (global.set $c (f32.reinterpret_i32 (i32.const 0xffa12345)))
        (global.set $d (f64.reinterpret_i64 (i64.const 0x7ff0000000000001))))
      (func (export "look") (result i32 i64 i32 i64) (global.get $a) (global.get $b)
        (i32.reinterpret_f32 (global.get $c)) (i64.reinterpret_f64 (global.get $d))))"""
    signed = Guest(snapshot(text).module).call("look")
    assert signed == [-(2**31), -(2**63), 0xFFA12345 - 2**32, 0x7FF0000000000001]


def test_memory_grown_at_init_starts_grown() -> None:
    """The size at the snapshot is the size to start with, and growth goes on from there."""
    text = """(module (memory (export "memory") 1 5)
      (func (export "edge_init") (drop (memory.grow (i32.const 2)))
        (i32.store8 (i32.const 196607) (i32.const 9)))
      (func (export "grow") (result i32) (memory.grow (i32.const 1))))"""
    guest = Guest(snapshot(text).module)
    assert len(guest.bytes_of()) == 3 * 65_536
    assert guest.bytes_of()[-1] == 9
    assert [guest.call("grow") for _ in range(3)] == [3, 4, -1]


def test_far_apart_data_is_written_as_an_image_wasmtime_maps() -> None:
    """Two bytes 40 MiB apart would be copied at each start; zeros between them are mapped."""
    text = f"""(module (memory (export "memory") 700) (data "kept")
      (func (export "edge_init") (i32.store8 (i32.const 5) (i32.const 1))
        (i32.store8 (i32.const {40 * MIB}) (i32.const 2)))
      (func (export "drop") (data.drop 0)))"""
    taken = snapshot(text)
    assert taken.image_bytes * 2 > 40 * MIB
    memory = Guest(taken.module).bytes_of()
    assert (memory[5], memory[40 * MIB], memory.count(0)) == (1, 2, len(memory) - 2)


def test_data_segments_stay_within_their_limit() -> None:
    """Those of the module that keep their index count; what remains is shared out."""
    text = """(module (memory (export "memory") 4) (data "a") (data "b")
      (func (export "edge_init")
        (i32.store8 (i32.const 0) (i32.const 1)) (i32.store8 (i32.const 70000) (i32.const 2))
        (i32.store8 (i32.const 200000) (i32.const 3)))
      (func (export "drop") (data.drop 0)))"""
    module = wat(text)
    taken = take_snapshot(module, SnapshotSettings(FUEL, MIB, data_segments_max=4))
    assert len(parse(taken.module).data) == 4
    memory = Guest(taken.module).bytes_of()
    assert (memory[0], memory[70_000], memory[200_000]) == (1, 2, 3)
    with pytest.raises(SnapshotRefused, match="more than 2 data segments"):
        take_snapshot(module, SnapshotSettings(FUEL, MIB, data_segments_max=2))
