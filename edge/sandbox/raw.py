"""Wasmtime's C API as plain functions over integers: the only file that knows its layouts.

Everything here is called with the GIL held (`PyDLL`): a call takes about a microsecond, and
giving the GIL away beside a busy thread costs milliseconds to get it back. The one exception is
`poll_released`, for guests on the background thread.

Neighbours: `instance.py` on the hot path, `imports.py` for callbacks, `engine.py` for settings.
Invariant: pointers are integers, 0 is null, and whoever is handed an owned pointer deletes it.
Source of the layouts: wasmtime 50's C headers, checked at start by `layout_matches`.
"""

import ctypes
from collections.abc import Callable
from ctypes import c_bool, c_char_p, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any

from wasmtime import _ffi

_held = ctypes.PyDLL(str(_ffi.filename))
_released = ctypes.CDLL(str(_ffi.filename))
_libc = ctypes.PyDLL(None)

# Sizes and offsets in bytes.
EXTERN_SIZE = 32
EXTERN_ITEM = 8
VAL_SIZE = 32
VAL_ITEM = 8
VAL_RAW_SIZE = 16
KIND_I32 = 0
KIND_I64 = 1

Function = Callable[..., Any]


def function_of(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Function:
    """A library's function by its name, and the types of its result and arguments."""
    function = library[name]  # item access: a prototype of our own, shared with nobody
    function.restype = result
    function.argtypes = arguments
    return function


def _call(name: str, result: Any, *arguments: Any) -> Function:
    return function_of(_held, name, result, *arguments)


_p, _n = c_void_p, c_size_t

store_new = _call("wasmtime_store_new", _p, _p, _p, _p)
store_context = _call("wasmtime_store_context", _p, _p)
store_limiter = _call("wasmtime_store_limiter", None, _p, *[c_int64] * 5)
store_delete = _call("wasmtime_store_delete", None, _p)
store_delete_released = function_of(_released, "wasmtime_store_delete", None, _p)
context_data = _call("wasmtime_context_get_data", _p, _p)
set_fuel = _call("wasmtime_context_set_fuel", _p, _p, c_uint64)
get_fuel = _call("wasmtime_context_get_fuel", _p, _p, _p)
set_slice = _call("wasmtime_context_fuel_async_yield_interval", _p, _p, c_uint64)

instantiate_async = _call("wasmtime_instance_pre_instantiate_async", _p, _p, _p, _p, _p, _p)
export_get = _call("wasmtime_instance_export_get", c_bool, _p, _p, c_char_p, _n, _p)
call_async = _call("wasmtime_func_call_async", _p, _p, _p, _p, _n, _p, _n, _p, _p)
poll = _call("wasmtime_call_future_poll", c_bool, _p)
poll_released = function_of(_released, "wasmtime_call_future_poll", c_bool, _p)
future_delete = _call("wasmtime_call_future_delete", None, _p)

memory_data = _call("wasmtime_memory_data", _p, _p, _p)
memory_size = _call("wasmtime_memory_data_size", _n, _p, _p)
caller_context = _call("wasmtime_caller_context", _p, _p)
caller_export_get = _call("wasmtime_caller_export_get", c_bool, _p, c_char_p, _n, _p)
define_unchecked = _call(
    "wasmtime_linker_define_func_unchecked", _p, _p, c_char_p, _n, c_char_p, _n, _p, _p, _p, _p
)
define_async = _call(
    "wasmtime_linker_define_async_func", _p, _p, c_char_p, _n, c_char_p, _n, _p, _p, _p, _p
)

trap_new_code = _call("wasmtime_trap_new_code", _p, ctypes.c_uint8)
_trap_code = _call("wasmtime_trap_code", c_bool, _p, _p)
_trap_message = _call("wasm_trap_message", None, _p, _p)
_trap_trace = _call("wasm_trap_trace", None, _p, _p)
_trap_delete = _call("wasm_trap_delete", None, _p)
_error_message = _call("wasmtime_error_message", None, _p, _p)
_error_delete = _call("wasmtime_error_delete", None, _p)
_bytes_delete = _call("wasm_byte_vec_delete", None, _p)
_frames_delete = _call("wasm_frame_vec_delete", None, _p)
_frame_name = _call("wasmtime_frame_func_name", _p, _p)
_frame_index = _call("wasm_frame_func_index", ctypes.c_uint32, _p)

memory_creator_set = _call("wasmtime_config_host_memory_creator_set", None, _p, _p)
stack_creator_set = _call("wasmtime_config_host_stack_creator_set", None, _p, _p)

copy_in = function_of(_libc, "memcpy", _p, _p, c_char_p, _n)
copy_out = ctypes.string_at

# Callbacks: `unchecked(env, caller, values, count) -> trap` and
# `async(env, caller, args, nargs, results, nresults, trap_out, continuation_out)`.
UncheckedCallback = ctypes.PYFUNCTYPE(_p, _p, _p, _p, _n)
AsyncCallback = ctypes.PYFUNCTYPE(None, _p, _p, _p, _n, _p, _n, _p, _p)
Continuation = ctypes.PYFUNCTYPE(c_bool, _p)

FRAMES_MAX = 32


class Trap(Exception):
    """A guest was stopped by Wasmtime. `code` is Wasmtime's trap code, -1 when it has none."""

    STACK_OVERFLOW = 0
    MEMORY_OUT_OF_BOUNDS = 1
    UNREACHABLE = 9
    OUT_OF_FUEL = 11

    def __init__(self, message: str, code: int = -1, frames: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.frames = frames


def address_of(item: Any) -> int:
    """The address a ctypes pointer or callback holds, as an integer."""
    return ctypes.cast(item, c_void_p).value or 0


def error_new() -> int:
    """The address of what makes an error, for libraries that Wasmtime calls."""
    return address_of(_held["wasmtime_error_new"])


def take_trap(pointer: int) -> Trap:
    """The trap behind an owned pointer, which is deleted."""
    code = ctypes.c_uint8(0)
    known = _trap_code(pointer, ctypes.addressof(code))
    message = _take_bytes(_trap_message, pointer).rstrip("\0")
    frames = take_frames(pointer)
    _trap_delete(pointer)
    # Wasmtime puts its backtrace between the lines; the last one says what happened.
    reason = message.rsplit("wasm trap: ", 1)[-1].strip() or "trap"
    return Trap(reason, code.value if known else -1, frames)


def take_error(pointer: int) -> str:
    """The message of an owned error, which is deleted."""
    message = _take_bytes(_error_message, pointer)
    _error_delete(pointer)
    return message


def _take_bytes(fill: Function, pointer: int) -> str:
    vector = _ffi.wasm_byte_vec_t()
    fill(pointer, ctypes.addressof(vector))
    text = ctypes.string_at(vector.data, vector.size).decode("utf-8", "replace")
    _bytes_delete(ctypes.addressof(vector))
    return text


def take_frames(trap: int, trace: Function = _trap_trace) -> tuple[str, ...]:
    """The names of a trap's innermost functions; of an error's with another `trace`."""
    vector = _ffi.wasm_frame_vec_t()
    trace(trap, ctypes.addressof(vector))
    names = []
    for index in range(min(vector.size, FRAMES_MAX)):
        frame = address_of(vector.data[index])
        name = _frame_name(frame)
        if name:
            text = _ffi.wasm_byte_vec_t.from_address(name)
            names.append(ctypes.string_at(text.data, text.size).decode("utf-8", "replace"))
        else:
            names.append(f"function[{_frame_index(frame)}]")
    _frames_delete(ctypes.addressof(vector))
    return tuple(names)


def layout_matches() -> bool:
    """Whether the installed binding lays its structures out as this file assumes."""
    return (
        ctypes.sizeof(_ffi.wasmtime_extern_t) == EXTERN_SIZE
        and _ffi.wasmtime_extern_t.of.offset == EXTERN_ITEM
        and ctypes.sizeof(_ffi.wasmtime_val_t) == VAL_SIZE
        and _ffi.wasmtime_val_t.of.offset == VAL_ITEM
        and ctypes.sizeof(_ffi.wasmtime_val_raw_t) == VAL_RAW_SIZE
        and ctypes.sizeof(_ffi.wasmtime_instance_t) == 16
    )
