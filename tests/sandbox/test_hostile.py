"""Hostile and broken guests against a real host: each ends in its own outcome, the host lives on,
and the next request is served."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.running import Server
from tests.toolchain import build_hostile, function_bomb, module_with_imports
from tests.wat import HELLO

OK = "ok"
LIMITS = {"timeoutMs": 700, "memoryMb": 32}

# What each mode of tests/hostile/misbehave.c must end in: an error type, or `ok`.
MODES: dict[str, set[str]] = {
    "loop": {"Timeout", "CpuExceeded"},
    "recurse": {"Trap"},
    "reach_unreachable": {"Trap"},
    "divide_by_zero": {"Trap"},
    "read_out_of_bounds": {"Trap"},
    "exit_early": {"Exit"},
    "sleep_an_hour": {"Timeout"},
    "grow": {OK},
    "fill": {"Timeout", "CpuExceeded"},
    "result_out_of_bounds": {"MemoryFault"},
    "result_across_the_end": {"MemoryFault"},
    "result_negative_pointer": {"MemoryFault"},
    "result_negative_length": {"Function.ResponseSizeTooLarge"},
    "result_sum_overflows": {"MemoryFault"},
    "result_overlapping": {"MalformedAnswer"},
    "result_empty": {"MalformedAnswer"},
    "result_malformed": {"MalformedAnswer"},
    "result_cut": {"MalformedAnswer"},
    "result_not_utf8": {"MalformedAnswer"},
    "result_without_envelope": {"MalformedAnswer"},
    "result_nested": {"MalformedAnswer"},
    "result_claims_bytes": {"MalformedAnswer"},
    "result_claims_items": {"MalformedAnswer"},
    "result_claims_entries": {"MalformedAnswer"},
    "result_too_large": {"Function.ResponseSizeTooLarge"},
    "log_forever": {"Timeout", "CpuExceeded"},
    "log_large": {OK},
    "log_garbage": {OK},
    "log_bad_pointer": {"MemoryFault"},
    "print_forever": {"Timeout", "CpuExceeded"},
    "get_forever": {"Timeout", "CpuExceeded"},
    "call_garbage": {OK},
    "call_empty": {OK},
    "call_not_a_map": {OK},
    "call_claims_bytes": {OK},
    "call_nested": {OK},
    "call_wrong_arguments": {OK},
    "call_bad_pointer": {"MemoryFault"},
    "call_negative_length": {"MemoryFault"},
    "take_without_call": {OK},
    "take_bad_pointer": {"MemoryFault"},
    "take_twice": {OK},
}

# Hostile in what surrounds the handler: what becomes of a call.
CALLS: dict[str, set[str]] = {
    "alloc_across_the_end": {"MemoryFault"},
    "alloc_loop": {"Timeout", "CpuExceeded"},
    "alloc_negative": {"MemoryFault"},
    "alloc_out_of_bounds": {"MemoryFault"},
    "alloc_trap": {"Trap"},
    "alloc_zero": {"OutOfMemory"},
    "init_grow": {OK},
    "restore_loop": {"Timeout", "CpuExceeded"},
    "restore_trap": {"Trap"},
    "table_growth": {OK},
    "wasi_everywhere": {OK},
}

# What is refused at deploy, and a word of why.
REFUSED: dict[str, str] = {
    "huge_memory": "memory",
    "huge_table": "table",
    "init_trap": "edge_init trapped",
    "start_trap": "start",
    "no_alloc": "edge_alloc",
    "no_memory": "memory",
    "wrong_signature": "edge_alloc must be",
}


@pytest.fixture(scope="module")
def host(shared_server: Server) -> Iterator[Server]:
    """A host with one good function and the misbehaving ones."""
    shared_server.deploy("hello", HELLO)
    shared_server.deploy("misbehave", build_hostile("misbehave"), **LIMITS, grants=["kv"])
    yield shared_server
    assert shared_server.process.poll() is None, "the host died"


def invoke(host: Server, name: str, event: object = None) -> Any:
    """The function's answer, or its error object, by Lambda's invoke API."""
    response = host.control.post(f"/2015-03-31/functions/{name}/invocations", json=event or {})
    assert response.status_code == 200, response.text
    return response.json(), response.headers.get("x-amz-function-error")


def ending(host: Server, name: str, event: object = None) -> str:
    """`ok`, or the error's type; and whatever it was, the next request is served."""
    answer, failed = invoke(host, name, event)
    assert invoke(host, "hello") == ("hello", None)
    return answer["errorType"] if failed else OK


def test_no_mode_is_forgotten(host: Server) -> None:
    """Every way of misbehaving that the guest has is in the table above."""
    assert set(invoke(host, "misbehave", {"mode": "modes"})[0]) == set(MODES)


@pytest.mark.parametrize("mode", MODES)
def test_misbehaving_handler(host: Server, mode: str) -> None:
    """A handler that goes wrong ends in the right outcome and harms nobody."""
    assert ending(host, "misbehave", {"mode": mode, "status": 3}) in MODES[mode]


@pytest.mark.parametrize("name", CALLS)
def test_hostile_module(host: Server, name: str) -> None:
    """A module that is hostile around its handler ends in the right outcome."""
    host.deploy(name, build_hostile(name), **LIMITS)
    assert ending(host, name) in CALLS[name]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_at_deploy(host: Server, name: str) -> None:
    """What cannot run is refused with a reason, and nothing is left behind."""
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        host.deploy(name, build_hostile(name), **LIMITS)
    assert refusal.value.response.status_code == 400
    assert REFUSED[name] in refusal.value.response.json()["error"]["message"].lower()
    assert host.control.get(f"/v1/functions/{name}").status_code == 404


def test_memory_ends_at_its_limit(host: Server) -> None:
    """A guest can grow to its limit and not a page further."""
    answer, _ = invoke(host, "misbehave", {"mode": "grow"})
    assert answer == LIMITS["memoryMb"] * 16


def test_an_import_nobody_answers_is_named(host: Server) -> None:
    """The deployer is told which import is unknown."""
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        host.deploy("imports", module_with_imports(("env", "system")))
    assert "env.system" in refusal.value.response.json()["error"]["message"]


def test_a_bomb_of_functions(host: Server) -> None:
    """A hundred thousand functions are compiled within bounds or refused, and nobody waits."""
    status = 200
    try:
        host.deploy("bomb", function_bomb(), **LIMITS)
    except httpx.HTTPStatusError as refusal:
        status = refusal.response.status_code
    assert status == 400 or ending(host, "bomb") == OK


def test_an_endless_initialiser_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`edge_init` that never returns costs the deployer the bound, and the host nothing."""
    data = tmp_path_factory.mktemp("init") / "data"
    with Server(data, settings={"build_timeout_s": 3}) as server:
        server.deploy("hello", HELLO)
        for name in ("init_loop", "start_loop"):
            with pytest.raises(httpx.HTTPStatusError) as refusal:
                server.deploy(name, build_hostile(name), **LIMITS)
            assert refusal.value.response.status_code == 422
            assert "3 s" in refusal.value.response.json()["error"]["message"]
            assert ending(server, "hello") == OK


def test_no_tenant_sees_anothers_memory(host: Server) -> None:
    """What one tenant left in memory, stack and grown pages, no later instance finds."""
    secret = build_hostile("secret")
    host.deploy("writer", secret, **LIMITS)
    host.deploy("reader", secret, **LIMITS)
    for _ in range(20):
        written, _ = invoke(host, "writer", {"mode": "write"})
        assert written > 16 * 1024 * 1024
        for name in ("reader", "writer"):
            found, _ = invoke(host, name, {"mode": "read"})
            assert found["found"] == 0
            assert found["readBytes"] >= 16 * 1024 * 1024
