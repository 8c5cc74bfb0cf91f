"""What is deployed to be measured: the sample guests, and three that only misbehave or wait.

Neighbours: `tests/toolchain.py` compiles; the benchmarks deploy.
"""

from wasmtime import wat2wasm

from tests.toolchain import build_guest

_PAGE_BYTES = 65_536
FILLED_PAGES = 1_900
"""Of 64 KiB each: 119 MB, which fits the default memory limit of 128 MB."""

# An ABI guest that answers {"ok": "hello"} after `body`.
_ABI = """
(module
  {imports}
  (memory (export "memory") {pages})
  (func (export "edge_alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "edge_handle") (param i32 i32) (result i64)
    {body}
    (i64.const {answer}))
  (data (i32.const 16) "\\a1\\62ok\\65hello")
  {data})
"""
_ANSWER = 16 << 32 | 10

# A subscription to one second of the monotonic clock, as WASI preview 1 lays it out.
_SLEEP_IMPORT = """(import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))"""
_SLEEP = "(drop (call $poll (i32.const 1024) (i32.const 2048) (i32.const 1) (i32.const 3072)))"
_SLEEP_DATA = """(data (i32.const 1040) "\\01")
  (data (i32.const 1048) "\\00\\ca\\9a\\3b")"""

_FILL = f"""(loop
      (memory.fill (i32.const 0) (i32.const 1) (i32.const {FILLED_PAGES * _PAGE_BYTES}))
      (br 0))"""


def sample(name: str) -> bytes:
    """A guest of `guests/`."""
    return build_guest(name).read_bytes()


def sleeping() -> bytes:
    """Sleeps one second, then answers."""
    return _guest(_SLEEP, imports=_SLEEP_IMPORT, data=_SLEEP_DATA)


def looping() -> bytes:
    """Never ends."""
    return _guest("(loop (br 0))")


def counting(rounds: int) -> bytes:
    """Counts to `rounds`, then answers: 4 units of fuel a round."""
    return _guest(f"""(local $n i32) (local.set $n (i32.const {rounds}))
      (loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))""")


def filling() -> bytes:
    """Fills all of its memory, again and again."""
    return _guest(_FILL, pages=FILLED_PAGES)


def distinct(module: bytes, number: int) -> bytes:
    """The same module with other bytes: a custom section with a number in it is appended."""
    content = b"\x05bench" + number.to_bytes(4, "little")
    return module + bytes((0, len(content))) + content


def _guest(body: str, *, imports: str = "", pages: int = 1, data: str = "") -> bytes:
    text = _ABI.format(body=body, imports=imports, pages=pages, data=data, answer=_ANSWER)
    return bytes(wat2wasm(text))
