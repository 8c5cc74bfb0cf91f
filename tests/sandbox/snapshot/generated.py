"""Random small modules that change all the state they have, when initialised and afterwards.

Neighbours: `test_law` runs them twice. A module has two memories, globals of every type, two
function tables and an extern one, and segments of every kind; start, `_initialize`,
`edge_init` and `edge_handle` are random lists of the operations that change those.
"""

from hypothesis import strategies as st

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
FUNCTIONS = range(4)
TABLES = range(2)
MEMORIES = range(2)
PAGE_BYTES = 65_536

SMALL = st.one_of(st.integers(0, 3), st.integers(0, 7))
ADDRESS = st.one_of(
    *[st.integers(0, 64), st.integers(0, PAGE_BYTES - 40)] * 3,
    st.integers(PAGE_BYTES, 2 * PAGE_BYTES),
)
TABLE = st.sampled_from(TABLES)
MEMORY = st.sampled_from(MEMORIES)
REFERENCE = st.one_of(
    st.just("(ref.null func)"),
    st.just("(ref.func $log)"),
    st.sampled_from(FUNCTIONS).map("(ref.func $f{})".format),
)


def _i32(value: int) -> str:
    return f"(i32.const {value})"


@st.composite
def data_segments(draw: st.DrawFn) -> str:
    """One data segment, active or passive."""
    content = draw(st.binary(max_size=12))
    text = '"' + "".join(f"\\{byte:02x}" for byte in content) + '"'
    if draw(st.booleans()):
        return f"(data {text})"
    return f"(data (memory {draw(MEMORY)}) {_i32(draw(st.integers(0, PAGE_BYTES - 16)))} {text})"


@st.composite
def element_segments(draw: st.DrawFn) -> str:
    """One element segment: active, passive or declarative, as indices or expressions."""
    functions = draw(st.lists(st.sampled_from(FUNCTIONS), max_size=3))
    content = "func " + " ".join(f"$f{function}" for function in functions)
    if draw(st.booleans()):
        content = "funcref " + " ".join(draw(st.lists(REFERENCE, max_size=3)))
    place = f"(table {draw(TABLE)}) {_i32(draw(st.integers(0, 2)))}"
    return f"(elem {draw(st.sampled_from((place, '', 'declare')))} {content})"


@st.composite
def operations(draw: st.DrawFn, data: int, elements: int) -> str:
    """One instruction sequence that changes some state, rarely by trapping."""
    memory, other = draw(MEMORY), draw(MEMORY)
    table, source = draw(TABLE), draw(TABLE)
    address, size = _i32(draw(ADDRESS)), _i32(draw(st.integers(0, 40)))
    slot, count = _i32(draw(SMALL)), _i32(draw(st.integers(0, 2)))
    zero_first = _i32(draw(st.integers(0, 1)))
    reference = draw(REFERENCE)
    choices = [
        f"(i32.store8 $m{memory} {address} {_i32(draw(st.integers(0, 255)))})",
        f"(i64.store $m{memory} {address} (i64.const {draw(U64)}))",
        f"(memory.fill $m{memory} {address} {_i32(draw(st.integers(0, 255)))} {size})",
        f"(memory.copy $m{memory} $m{other} {address} {_i32(draw(ADDRESS))} {size})",
        f"(drop (memory.grow $m{memory} {_i32(draw(st.integers(0, 2)))}))",
        f"(table.set $t{table} {slot} {reference})",
        f"(drop (table.grow $t{table} {reference} {count}))",
        f"(table.fill $t{table} {slot} {reference} {count})",
        f"(table.copy $t{table} $t{source} {slot} {_i32(draw(SMALL))} {count})",
        f"(drop (table.grow $t2 (ref.null extern) {count}))",
        f"(global.set $g0 (i32.add (i32.mul (global.get $g0) (i32.const 31)) {slot}))",
        f"(global.set $g1 (i64.const {draw(U64)}))",
        f"(global.set $g2 (f32.reinterpret_i32 (i32.const {draw(U32)})))",
        f"(global.set $g3 (f64.reinterpret_i64 (i64.const {draw(U64)})))",
        f"(global.set $g4 (v128.const i64x2 {draw(U64)} {draw(U64)}))",
        f"(global.set $g5 {reference})",
    ]
    if data:
        segment = draw(st.integers(0, data - 1))
        copied = f"(memory.init $m{memory} {segment} {address} {zero_first} {count})"
        choices += [copied, copied, f"(data.drop {segment})"]
    if elements:
        segment = draw(st.integers(0, elements - 1))
        copied = f"(table.init $t{table} {segment} {slot} {zero_first} {count})"
        choices += [copied, copied, f"(elem.drop {segment})"]
    return draw(st.sampled_from(choices))


@st.composite
def modules(draw: st.DrawFn) -> str:
    """The text of a module; `look` functions show the state that exports do not."""
    data = draw(st.lists(data_segments(), max_size=4))
    elements = draw(st.lists(element_segments(), max_size=4))
    steps = st.lists(operations(len(data), len(elements)), max_size=6).map("\n    ".join)
    phases = [
        f"(func {export} (type $nothing)\n    {draw(steps)})"
        for export in ("$start", '(export "_initialize")', '(export "edge_init")')
        if "edge_init" in export or draw(st.booleans())
    ]
    started = "(start $start)" if any("$start" in phase for phase in phases) else ""
    lines = [
        "(type $nothing (func)) (type $number (func (result i32)))",
        '(import "edge" "log" (func $log (param i32 i32 i32)))',
        *(
            f'(memory $m{index} (export "m{index}") {draw(st.integers(1, 2))} 4)'
            for index in MEMORIES
        ),
        *(f"(table $t{index} {draw(st.integers(4, 7))} 9 funcref)" for index in TABLES),
        f"(table $t2 {draw(st.integers(0, 2))} externref) (table $scratch 1 funcref)",
        f"(global $g0 (mut i32) (i32.const {draw(U32)}))",
        "(global $g1 (mut i64) (i64.const -1)) (global $g2 (mut f32) (f32.const nan:0x12345))",
        "(global $g3 (mut f64) (f64.const -0)) (global $g4 (mut v128) (v128.const i64x2 1 2))",
        f"(global $g5 (mut funcref) {draw(REFERENCE)})",
        "(global $g6 i32 (i32.const 7)) (global $g7 (mut externref) (ref.null extern))",
        *(f"(func $f{index} (type $number) (i32.const {index}))" for index in FUNCTIONS),
        # Functions may be referred to only where one of these, or a segment, names them.
        '(export "log" (func $log))',
        *(f'(export "f{index}" (func $f{index}))' for index in FUNCTIONS),
        *elements,
        *data,
        *phases,
        started,
        f'(func (export "edge_handle") (type $nothing)\n    {draw(steps)})',
        _LOOKS,
        *(_USE_DATA.format(index) for index in range(len(data))),
        *(_USE_ELEMENTS.format(index) for index in range(len(elements))),
    ]
    return "(module\n  " + "\n  ".join(lines) + ")"


_USE_DATA = """(func (export "use_data_{0}") (result i32)
    (memory.init $m0 {0} (i32.const 0) (i32.const 0) (i32.const 1))
    (i32.load8_u $m0 (i32.const 0)))"""
_USE_ELEMENTS = """(func (export "use_elements_{0}") (result i32)
    (table.init $scratch {0} (i32.const 0) (i32.const 0) (i32.const 1))
    (ref.is_null (table.get $scratch (i32.const 0))))"""
_LOOKS = """
  (func (export "size_t0") (result i32) (table.size $t0))
  (func (export "size_t1") (result i32) (table.size $t1))
  (func (export "size_t2") (result i32) (table.size $t2))
  (func (export "null_t0") (param i32) (result i32) (ref.is_null (table.get $t0 (local.get 0))))
  (func (export "null_t1") (param i32) (result i32) (ref.is_null (table.get $t1 (local.get 0))))
  (func (export "call_t0") (param i32) (result i32)
    (call_indirect $t0 (type $number) (local.get 0)))
  (func (export "call_t1") (param i32) (result i32)
    (call_indirect $t1 (type $number) (local.get 0)))
  (func (export "look_g0") (result i32) (global.get $g0))
  (func (export "look_g1") (result i64) (global.get $g1))
  (func (export "look_g2") (result i32) (i32.reinterpret_f32 (global.get $g2)))
  (func (export "look_g3") (result i64) (i64.reinterpret_f64 (global.get $g3)))
  (func (export "look_g4_low") (result i64) (i64x2.extract_lane 0 (global.get $g4)))
  (func (export "look_g4_high") (result i64) (i64x2.extract_lane 1 (global.get $g4)))
  (func (export "look_g5") (result i32)
    (table.set $scratch (i32.const 0) (global.get $g5))
    (if (result i32) (ref.is_null (global.get $g5)) (then (i32.const -1))
      (else (call_indirect $scratch (type $number) (i32.const 0)))))
  (func (export "look_g6") (result i32) (global.get $g6))
  (func (export "look_g7") (result i32) (ref.is_null (global.get $g7)))"""
