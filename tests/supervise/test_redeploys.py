"""Redeploys under constant load on two workers: no request fails, none sees half of a version.

Each of them is a build in a process of its own, so the suite runs some of the 200;
`EDGE_REDEPLOYS=200` runs all.
"""

import os
import re
from pathlib import Path

import wasmtime

from tests.running import Server
from tests.supervise.load import Load

REDEPLOYS = int(os.environ.get("EDGE_REDEPLOYS", "40"))
WORKERS = 2
_WHOLE = re.compile(rb"(\d{4}) V=\1")
_GUEST = """
(module
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; {{"ok": "NNNN V=NNNN"}}: the module's own number, then what the environment says it is.
  (data (i32.const 100) "\\a1bok\\6b{number:04d} ")
  (func (export "edge_alloc") (param i32) (result i32) i32.const 4096)
  (func (export "edge_handle") (param i32 i32) (result i64)
    (drop (call $environ (i32.const 2048) (i32.const 110)))
    (i64.or (i64.shl (i64.const 100) (i64.const 32)) (i64.const 16))))
"""


def deploy(server: Server, number: int) -> None:
    """Deploy the module of a number, with an environment that says the same one."""
    module = bytes(wasmtime.wat2wasm(_GUEST.format(number=number)))
    server.deploy("counted", module, environment={"V": f"{number:04d}"})


def test_redeploys_under_load_are_atomic(tmp_path: Path) -> None:
    """Every request is answered, by the module and the environment of one version."""
    with Server(tmp_path / "data", workers=WORKERS) as server:
        deploy(server, 0)
        with Load(server.http_url, "/counted", kept=1, fresh=1) as load:
            load.await_answers(20)
            for number in range(1, REDEPLOYS + 1):
                deploy(server, number)
            load.await_answers(20)
        assert load.failures == {}
        assert load.answered >= REDEPLOYS
        torn = [body for body in load.bodies if not _WHOLE.fullmatch(body)]
        assert torn == []
        assert server.http.get("/counted").content == b"%04d V=%04d" % (REDEPLOYS, REDEPLOYS)
