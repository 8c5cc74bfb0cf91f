"""The build support, and that each hostile guest misbehaves in the way it says.

What becomes of the hostile guests inside edge is tested with the sandbox. Here they run on the bare
host, so that a guest that has become harmless is noticed.
"""

import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cbor2
import pytest
import wasmtime

from tests import toolchain
from tests.sdk.bare_host import MEMORY_BYTES_MAX, BareHost

PAGE_BYTES = 65536
FUEL = 300_000_000  # some tens of milliseconds

STOPPED_BY_FUEL = ["loop", "fill", "log_forever", "print_forever", "get_forever"]
TRAPPING = {
    "recurse": "call stack exhausted",
    "reach_unreachable": "unreachable",
    "divide_by_zero": "divide by zero",
    "read_out_of_bounds": "out of bounds memory access",
}
RETURNING_NO_ENVELOPE = [
    "result_overlapping",
    "result_empty",
    "result_malformed",
    "result_cut",
    "result_not_utf8",
    "result_without_envelope",
    "result_claims_bytes",
    "result_claims_items",
    "result_claims_entries",
]


def hostile(name: str) -> BareHost:
    """A hostile guest on the bare host, with little fuel."""
    return BareHost(toolchain.build_hostile(name), fuel=FUEL)


def message(mode: str) -> bytes:
    """The message that chooses a way to misbehave."""
    return cbor2.dumps({"event": {"mode": mode}, "context": {}})


def test_builds_are_cached_and_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several builds of one guest at once end in one complete file, and a later one reuses it."""
    monkeypatch.setenv("EDGE_TEST_CACHE", str(tmp_path))
    with ThreadPoolExecutor(3) as pool:
        built = set(pool.map(toolchain.build_guest, ["tiny"] * 3))
    (path,) = built
    assert list(tmp_path.iterdir()) == [path]
    before = path.stat()
    assert toolchain.build_guest("tiny").stat() == before


def test_changed_sources_are_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache goes by content, so an edited source is never served from it."""
    monkeypatch.setenv("EDGE_TEST_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "guest.c"
    text = (toolchain.GUESTS / "tiny" / "tiny.c").read_text()
    source.write_text(text)
    first = toolchain.build_source(source, toolchain.FREESTANDING_FLAGS)
    source.write_text(text.replace("hello", "howdy"))
    second = toolchain.build_source(source, toolchain.FREESTANDING_FLAGS)
    assert first != second
    assert BareHost(second).ok(None) == "howdy"


def test_a_failed_build_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler's message reaches the reader, and nothing reaches the cache."""
    monkeypatch.setenv("EDGE_TEST_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "broken.c"
    source.write_text("int broken(void) { return nothing; }\n")
    with pytest.raises(toolchain.BuildError, match="nothing"):
        toolchain.build_source(source)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", toolchain.guest_names())
def test_manifests_name_what_they_build(name: str) -> None:
    """A manifest describes the folder's function, and its module is what its command writes."""
    manifest = tomllib.loads((toolchain.GUESTS / name / "edge.toml").read_text())
    (function,) = manifest["function"].items()
    assert function[0] == name
    assert function[1]["build"].split()[-2:] == ["-o", function[1]["module"]]


def test_the_readme_of_the_c_sdk_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a C programmer copies from the README builds with its own command, and answers."""
    monkeypatch.setattr(toolchain, "GUESTS", tmp_path / "guests")
    readme = (toolchain.SDK_C / "README.md").read_text()
    folder = tmp_path / "guests" / "greet"
    folder.mkdir(parents=True)
    (tmp_path / "sdk").symlink_to(toolchain.SDK_C.parent)
    for name, language in (("greet.c", "c"), ("edge.toml", "toml")):
        block = readme.partition(f"```{language}\n")[2].partition("```")[0]
        (folder / name).write_text(block)
    greet = BareHost(toolchain.build_guest("greet"))
    assert greet.ok({"queryStringParameters": {"name": "Ada"}}) == "Hello, Ada!\n"


def test_modules_are_not_committed() -> None:
    """Git ignores what the manifests' commands leave beside the sources."""
    ignored = subprocess.run(
        ["git", "check-ignore", "-q", "guests/hello/hello.wasm"], cwd=toolchain.ROOT, check=False
    )
    assert ignored.returncode in (0, 128)  # 128: not a checkout


@pytest.mark.parametrize("name", toolchain.hostile_names())
def test_hostile_guests_are_valid_modules(name: str) -> None:
    """What is hostile about them is what they do, not how they are written."""
    wasmtime.Module.validate(wasmtime.Engine(), toolchain.build_hostile(name))


def test_every_mode_is_in_this_test() -> None:
    """A way to misbehave that is added to the guest is tested here too, or runs in edge only."""
    only_in_edge = {  # bad pointers, sleeps and sizes, which the bare host does not guard
        *("exit_early", "sleep_an_hour", "grow", "log_large", "log_garbage", "log_bad_pointer"),
        *("call_garbage", "call_empty", "call_not_a_map", "call_claims_bytes", "call_nested"),
        *("call_wrong_arguments", "call_bad_pointer", "call_negative_length"),
        *("take_without_call", "take_bad_pointer", "take_twice"),
        *("result_out_of_bounds", "result_across_the_end", "result_negative_pointer"),
        *("result_negative_length", "result_sum_overflows", "result_nested", "result_too_large"),
    }
    modes = set(hostile("misbehave").ok({"mode": "modes"}))
    assert modes == only_in_edge | {*STOPPED_BY_FUEL, *TRAPPING, *RETURNING_NO_ENVELOPE}


@pytest.mark.parametrize("mode", STOPPED_BY_FUEL)
def test_endless_modes_end_with_the_fuel(mode: str) -> None:
    """Nothing but fuel ends these."""
    with pytest.raises(wasmtime.Trap, match="fuel"):
        hostile("misbehave").invoke_raw(message(mode))


@pytest.mark.parametrize(("mode", "reason"), TRAPPING.items())
def test_trapping_modes_trap(mode: str, reason: str) -> None:
    """Each trap is the one that its name promises; a compiler may not remove it."""
    with pytest.raises(wasmtime.Trap, match=reason):
        hostile("misbehave").invoke_raw(message(mode))


@pytest.mark.parametrize("mode", RETURNING_NO_ENVELOPE)
def test_results_are_no_envelopes(mode: str) -> None:
    """What is returned lies in memory, and is not an envelope with one of its two keys."""
    answer = hostile("misbehave").invoke_raw(message(mode))
    try:
        envelope = cbor2.loads(answer)
    except (cbor2.CBORDecodeError, MemoryError):
        return
    assert not (isinstance(envelope, dict) and envelope.keys() & {"ok", "error"})


def test_growth_ends_at_the_limit() -> None:
    """The guest gets every page up to its limit and not one more."""
    assert hostile("misbehave").ok({"mode": "grow"}) == MEMORY_BYTES_MAX // PAGE_BYTES


@pytest.mark.parametrize("status", [1, 3])
def test_exits_carry_their_status(status: int) -> None:
    """proc_exit leaves the handler with the status of the event."""
    with pytest.raises(wasmtime.ExitTrap) as exit_trap:
        hostile("misbehave").invoke({"mode": "exit_early", "status": status})
    assert exit_trap.value.code == status


def test_sleeping_is_a_call_that_can_be_shadowed() -> None:
    """The hour is slept in WASI's poll_oneoff and not in a loop of the C library."""
    module = wasmtime.Module(wasmtime.Engine(), toolchain.build_hostile("misbehave"))
    assert "poll_oneoff" in {entry.name for entry in module.imports}


def test_the_secret_is_everywhere_and_is_found() -> None:
    """The writer fills most of its memory; the reader, on a clean host, finds none."""
    guest = BareHost(toolchain.build_hostile("secret"))
    assert guest.ok({"mode": "write"}) > MEMORY_BYTES_MAX * 0.9
    assert guest.ok({"mode": "read"}) == {"readBytes": MEMORY_BYTES_MAX, "found": 0}


def test_wasi_answers_in_every_phase() -> None:
    """On a host that has WASI from the start, every phase succeeds and no file is in reach."""
    answer = BareHost(toolchain.build_hostile("wasi_everywhere")).ok(None)
    assert answer["phases"] == [0, 0, 0, 0, 0, 0]
    assert answer["random"] != b"_" * 16


def test_the_bomb_goes_off() -> None:
    """A hundred thousand functions are valid, and the guest around them works."""
    module = toolchain.function_bomb(2_000)
    assert BareHost(module).ok(None) == "hello"
    wasmtime.Module.validate(wasmtime.Engine(), toolchain.function_bomb())


def test_missing_imports_are_missing() -> None:
    """A module may ask for what nobody provides, and then does not start."""
    module = toolchain.module_with_imports(("env", "missing"))
    with pytest.raises(wasmtime.WasmtimeError, match="env::missing"):
        BareHost(module).invoke(None)
    assert BareHost(toolchain.module_with_imports()).ok(None) == "hello"
