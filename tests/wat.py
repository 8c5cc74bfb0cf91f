"""Guests written by hand, as small as what they are to show."""

import wasmtime

HANDLE = '(func (export "edge_handle") (param i32 i32) (result i64)'
ALLOC = '(func (export "edge_alloc") (param i32) (result i32) i32.const 4096)'
# {"ok": "hello"} at 100, and the i64 that points there.
ANSWER = '(data (i32.const 100) "\\a1bokehello")'
POINT = "(i64.or (i64.shl (i64.const 100) (i64.const 32)) (i64.const 10))"


def guest(body: str = POINT, *, pages: int = 1, imports: str = "", more: str = "") -> bytes:
    """An ABI guest whose handler is `body` (it must leave an i64)."""
    return bytes(
        wasmtime.wat2wasm(
            f'(module {imports} (memory (export "memory") {pages}) {ANSWER}'
            f" {ALLOC} {HANDLE} {body}) {more})"
        )
    )


HELLO = guest()
LOOP = guest("(loop br 0) unreachable")
FILL = guest(
    "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 125000000)) br 0) unreachable",
    pages=2000,
)
POLL = (
    '(import "wasi_snapshot_preview1" "poll_oneoff"'
    " (func $poll (param i32 i32 i32 i32) (result i32)))"
)


def sleeper(seconds: float) -> bytes:
    """A guest that sleeps by WASI before it answers."""
    nanoseconds = int(seconds * 1e9)
    return guest(
        # One subscription at 1024: tag clock (0), monotonic (1), relative timeout.
        "(i32.store (i32.const 1040) (i32.const 1))"
        f"(i64.store (i32.const 1048) (i64.const {nanoseconds}))"
        "(if (call $poll (i32.const 1024) (i32.const 2048) (i32.const 1) (i32.const 3072))"
        f" (then unreachable)) {POINT}",
        imports=POLL,
    )


def large(size: int) -> bytes:
    """A guest whose answer is so many zeros."""
    head = b"\xa1bokZ" + size.to_bytes(4, "big")  # {"ok": bytes}
    text = "".join(f"\\{byte:02x}" for byte in head)
    point = f"(i64.or (i64.shl (i64.const 8192) (i64.const 32)) (i64.const {size + len(head)}))"
    data = f'(data (i32.const 8192) "{text}")'
    return guest(point, pages=size // 65_536 + 2, more=data)
