"""Components written by hand, as small as what they are to show.

A component is put together of a handler in core WebAssembly and the capabilities it imports; each
capability is the part of WASI that it needs, spelled out, so that nothing but Wasmtime's own
parser makes these.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import wasmtime

ANSWER = '{"ok":"hello"}'

LIBC = """
(core module $Libc
  (memory (export "memory") PAGES)
  IMAGE
  (global $next (mut i32) (i32.const 65536))
  (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (block $fits (loop $more
      (br_if $fits (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
      (br $more)))
    (local.get $at)))
(core instance $libc (instantiate $Libc))
"""


@dataclass(frozen=True, slots=True)
class Capability:
    """What a guest imports: at the component's level, and `name: signature` of the core's."""

    imports: str
    functions: tuple[tuple[str, str, str], ...]
    """(name in the core, how it is found in the component, core signature)"""


POLLABLE = """
(import "wasi:io/poll@0.2.0" (instance $poll
  (export "pollable" (type $p (sub resource)))
  (export "[method]pollable.block" (func (param "self" (borrow $p))))
  (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
(alias export $poll "pollable" (type $pollable))
(import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
  (alias outer 1 $pollable (type $p))
  (export "pollable" (type $p2 (eq $p)))
  (export "subscribe-duration" (func (param "when" u64) (result (own $p2))))))
"""
SLEEP = Capability(
    POLLABLE,
    (
        ("subscribe", '(func $clock "subscribe-duration")', "(param i64) (result i32)"),
        ("block", '(func $poll "[method]pollable.block")', "(param i32)"),
        ("poll", '(func $poll "poll")', "(param i32 i32 i32)"),
    ),
)
STDOUT = Capability(
    """
(import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
(alias export $error "error" (type $err))
(import "wasi:io/streams@0.2.0" (instance $streams
  (export "output-stream" (type $o (sub resource)))
  (alias outer 1 $err (type $e))
  (export "error" (type $e2 (eq $e)))
  (type $failure (variant (case "last-operation-failed" (own $e2)) (case "closed")))
  (export "stream-error" (type $f (eq $failure)))
  (export "[method]output-stream.blocking-write-and-flush"
    (func (param "self" (borrow $o)) (param "contents" (list u8)) (result (result (error $f)))))))
(alias export $streams "output-stream" (type $output))
(import "wasi:cli/stdout@0.2.0" (instance $stdout
  (alias outer 1 $output (type $o))
  (export "output-stream" (type $o2 (eq $o)))
  (export "get-stdout" (func (result (own $o2))))))
""",
    (
        ("stdout", '(func $stdout "get-stdout")', "(result i32)"),
        (
            "write",
            '(func $streams "[method]output-stream.blocking-write-and-flush")',
            "(param i32 i32 i32 i32)",
        ),
    ),
)
EXIT = Capability(
    '(import "wasi:cli/exit@0.2.0" (instance $exit'
    ' (export "exit" (func (param "status" (result))))))',
    (("exit", '(func $exit "exit")', "(param i32)"),),
)
RANDOM = Capability(
    '(import "wasi:random/random@0.2.0" (instance $random'
    ' (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))',
    (("random", '(func $random "get-random-bytes")', "(param i64 i32)"),),
)
LYING = Capability(
    # WASI's own takes a u64.
    '(import "wasi:random/random@0.2.0" (instance $random'
    ' (export "get-random-bytes" (func (param "len" s64) (result (list u8))))))',
    (("random", '(func $random "get-random-bytes")', "(param i64 i32)"),),
)
CONFUSED = Capability(
    # Two kinds of pollable, where WASI has one.
    """
(import "wasi:io/poll@0.2.0" (instance $poll
  (export "pollable" (type $p (sub resource)))
  (export "[method]pollable.block" (func (param "self" (borrow $p))))))
(import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
  (export "pollable" (type $p (sub resource)))
  (export "subscribe-instant" (func (param "when" u64) (result (own $p))))
  (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
(import "wasi:cli/stdin@0.2.0" (instance $stdin
  (export "input-stream" (type $i (sub resource)))
  (export "get-stdin" (func (result (own $i))))))
(import "wasi:io/streams@0.2.0" (instance $streams
  (export "pollable" (type $p (sub resource)))
  (export "input-stream" (type $i (sub resource)))
  (export "[method]input-stream.subscribe" (func (param "self" (borrow $i)) (result (own $p))))))
""",
    (
        ("subscribe", '(func $clock "subscribe-duration")', "(param i64) (result i32)"),
        ("block", '(func $poll "[method]pollable.block")', "(param i32)"),
    ),
)
SOCKET = Capability(
    """
(import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
(alias export $tcp "tcp-socket" (type $socket))
(import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create
  (alias outer 1 $socket (type $s))
  (export "tcp-socket" (type $s2 (eq $s)))
  (type $codes (enum "unknown" "access-denied" "not-supported"))
  (export "error-code" (type $code (eq $codes)))
  (type $families (enum "ipv4" "ipv6"))
  (export "ip-address-family" (type $family (eq $families)))
  (export "create-tcp-socket"
    (func (param "address-family" $family) (result (result (own $s2) (error $code)))))))
""",
    (("socket", '(func $create "create-tcp-socket")', "(param i32 i32)"),),
)
HOST = Capability(
    '(import "edge:function/host@1.0.0" (instance $host'
    ' (export "log" (func (param "level" u32) (param "message" string)))'
    ' (export "call" (func (param "request" string) (result string)))))',
    (
        ("log", '(func $host "log")', "(param i32 i32 i32)"),
        ("call", '(func $host "call")', "(param i32 i32 i32)"),
    ),
)


def component(
    body: str = "",
    *capabilities: Capability,
    answer: str = ANSWER,
    more: str = "",
    start: str = "",
    image: str = "",
) -> bytes:
    """A component of world edge:function whose handler runs `body` and gives `answer`.

    `body` has the envelope at `$at`, `$size` long, and 64 bytes at 512 to use. `start` runs when
    it is instantiated. With an `image`, which is data segments, its memory has 4 MiB.
    """
    return _build(capabilities, _handler(body, answer, more, start), _EXPORT_HANDLE, image)


_EXPORT_HANDLE = """
(func $handle (param "envelope" string) (result string)
  (canon lift (core func $main "handle") (memory (core memory $libc "memory"))
    (realloc (core func $libc "realloc"))))
(export "handle" (func $handle))
"""


def _handler(body: str, answer: str, more: str, start: str) -> str:
    data = answer.encode().hex(sep="\\", bytes_per_sep=1)
    return f"""
      (import "libc" "memory" (memory 2))
      (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
      HOST_FUNCTIONS
      (data (i32.const 1024) "\\{data}")
      {more}
      {f"(func $begin {start}) (start $begin)" if start else ""}
      (func (export "handle") (param $at i32) (param $size i32) (result i32)
        (local $a i32) (local $b i32)
        {body}
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const {len(answer.encode())}))
        (i32.const 0))
    """


def _build(capabilities: Iterable[Capability], core: str, exports: str, image: str = "") -> bytes:
    libc = LIBC.replace("PAGES", "64" if image else "2").replace("IMAGE", image)
    functions = [entry for capability in capabilities for entry in capability.functions]
    lowered = "\n".join(
        f"(core func ${name} (canon lower {found}"
        ' (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))'
        for name, found, _ in functions
    )
    offered = "\n".join(f'(export "{name}" (func ${name}))' for name, _, _ in functions)
    imported = "\n".join(
        f'(import "host" "{name}" (func ${name} {signature}))' for name, _, signature in functions
    )
    return bytes(
        wasmtime.wat2wasm(f"""
        (component
          {"".join(capability.imports for capability in capabilities)}
          {libc}
          {lowered}
          (core module $Main {core.replace("HOST_FUNCTIONS", imported)})
          (core instance $main (instantiate $Main
            (with "libc" (instance $libc))
            (with "host" (instance {offered}))))
          {exports})
        """)
    )


HTTP = Capability(
    """
(import "wasi:http/types@0.2.0" (instance $types
  (export "fields" (type $fields (sub resource)))
  (export "incoming-request" (type $request (sub resource)))
  (export "response-outparam" (type $out (sub resource)))
  (export "outgoing-response" (type $response (sub resource)))
  (export "outgoing-body" (type $body (sub resource)))
  (alias outer 1 $output (type $o))
  (export "output-stream" (type $o2 (eq $o)))
  (type $codes (variant (case "internal-error" (option string))))
  (export "error-code" (type $code (eq $codes)))
  (export "[constructor]fields" (func (result (own $fields))))
  (export "[method]incoming-request.path-with-query"
    (func (param "self" (borrow $request)) (result (option string))))
  (export "[constructor]outgoing-response"
    (func (param "headers" (own $fields)) (result (own $response))))
  (export "[method]outgoing-response.body"
    (func (param "self" (borrow $response)) (result (result (own $body)))))
  (export "[method]outgoing-body.write"
    (func (param "self" (borrow $body)) (result (result (own $o2)))))
  (export "[static]outgoing-body.finish"
    (func (param "this" (own $body)) (param "trailers" (option (own $fields)))
      (result (result (error $code)))))
  (export "[static]response-outparam.set"
    (func (param "param" (own $out))
      (param "response" (result (own $response) (error $code)))))))
(alias export $types "incoming-request" (type $request))
(alias export $types "response-outparam" (type $out))
""",
    (
        ("fields", '(func $types "[constructor]fields")', "(result i32)"),
        (
            "path",
            '(func $types "[method]incoming-request.path-with-query")',
            "(param i32 i32)",
        ),
        (
            "response",
            '(func $types "[constructor]outgoing-response")',
            "(param i32) (result i32)",
        ),
        ("body", '(func $types "[method]outgoing-response.body")', "(param i32 i32)"),
        ("stream", '(func $types "[method]outgoing-body.write")', "(param i32 i32)"),
        (
            "finish",
            '(func $types "[static]outgoing-body.finish")',
            "(param i32 i32 i32 i32)",
        ),
        (
            "set",
            '(func $types "[static]response-outparam.set")',
            "(param i32 i32 i32 i32 i32 i32)",
        ),
    ),
)
RESPOND = """
  (local.set $response (call $response (call $fields)))
  (call $body (local.get $response) (i32.const 512))
  (local.set $body (i32.load (i32.const 516)))
  (call $set (local.get $out) (i32.const 0) (local.get $response)
    (i32.const 0) (i32.const 0) (i32.const 0))
  (call $stream (local.get $body) (i32.const 512))
  (local.set $stream (i32.load (i32.const 516)))
"""
"""Answers 200, and has `$stream` to write the body to."""
ECHO_PATH = """
  (call $path (local.get $request) (i32.const 512))
  (call $write (local.get $stream) (i32.load (i32.const 516)) (i32.load (i32.const 520))
    (i32.const 512))
"""
FINISH = """
  (call $finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 512))
"""


def http_component(body: str = RESPOND + ECHO_PATH + FINISH) -> bytes:
    """A `wasi:http/incoming-handler` whose handler runs `body`: by default it answers with the
    path it was asked for."""
    core = f"""
      (import "libc" "memory" (memory 2))
      HOST_FUNCTIONS
      (func (export "handle") (param $request i32) (param $out i32)
        (local $response i32) (local $body i32) (local $stream i32)
        {body})
    """
    return _build((STDOUT, HTTP), core, _EXPORT_HTTP)


_EXPORT_HTTP = """
(func $handle (param "request" (own $request)) (param "response-out" (own $out))
  (canon lift (core func $main "handle")))
(instance $handler (export "handle" (func $handle)))
(export "wasi:http/incoming-handler@0.2.0" (instance $handler))
"""

HELLO = component()
LOOP = component("(loop br 0)")


def sleeper(seconds: float) -> bytes:
    """A guest that sleeps before it answers."""
    nanoseconds = int(seconds * 1e9)
    return component(f"(call $block (call $subscribe (i64.const {nanoseconds})))", SLEEP)
