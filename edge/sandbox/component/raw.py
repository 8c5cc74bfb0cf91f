"""Wasmtime's component C API as plain functions over integers, as `sandbox/raw.py` has the rest.

Neighbours: `values.py` moves values with it, `link.py` defines imports, `instance.py` runs guests.
Invariant: as in `sandbox/raw.py`; besides, every value left in Wasmtime's hands is complete: its
kind is one of `Kind`, its text is UTF-8. Anything else there aborts the process.
Source of the layouts: wasmtime 50's C headers, checked at start by `layout_matches`.
"""

import ctypes
from ctypes import c_bool, c_char_p, c_size_t, c_uint32, c_void_p
from typing import Any, Final

from wasmtime import _ffi

from edge.sandbox.raw import Function, take_error

_held = ctypes.PyDLL(str(_ffi.filename))

# Sizes and offsets in bytes.
VAL_SIZE: Final = 32
VAL_ITEM: Final = 8
NAME_SIZE: Final = 16
FIELD_SIZE: Final = NAME_SIZE + VAL_SIZE
LENGTH: Final = VAL_ITEM
DATA: Final = VAL_ITEM + 8
VARIANT_VALUE: Final = VAL_ITEM + NAME_SIZE
RESULT_VALUE: Final = VAL_ITEM + 8


class Kind:
    """What a value is, by its first byte."""

    BOOL: Final = 0
    S8: Final = 1
    U8: Final = 2
    S16: Final = 3
    U16: Final = 4
    S32: Final = 5
    U32: Final = 6
    S64: Final = 7
    U64: Final = 8
    F32: Final = 9
    F64: Final = 10
    CHAR: Final = 11
    STRING: Final = 12
    LIST: Final = 13
    RECORD: Final = 14
    TUPLE: Final = 15
    VARIANT: Final = 16
    ENUM: Final = 17
    OPTION: Final = 18
    RESULT: Final = 19
    FLAGS: Final = 20
    RESOURCE: Final = 21


def _call(name: str, result: Any, *arguments: Any) -> Function:
    function = _held[name]  # item access: a prototype of our own, shared with nobody
    function.restype = result
    function.argtypes = arguments
    return function


_p, _n = c_void_p, c_size_t

component_new = _call("wasmtime_component_new", _p, _p, c_char_p, _n, _p)
component_load = _call("wasmtime_component_deserialize_file", _p, _p, c_char_p, _p)
export_index = _call("wasmtime_component_get_export_index", _p, _p, _p, c_char_p, _n)
export_index_delete = _call("wasmtime_component_export_index_delete", None, _p)

linker_new = _call("wasmtime_component_linker_new", _p, _p)
linker_delete = _call("wasmtime_component_linker_delete", None, _p)
linker_root = _call("wasmtime_component_linker_root", _p, _p)
linker_add_instance = _call(
    "wasmtime_component_linker_instance_add_instance", _p, _p, c_char_p, _n, _p
)
linker_add_function = _call(
    "wasmtime_component_linker_instance_add_func_async", _p, _p, c_char_p, _n, _p, _p, _p
)
linker_add_resource = _call(
    "wasmtime_component_linker_instance_add_resource", _p, _p, c_char_p, _n, _p, _p, _p, _p
)
linker_instance_delete = _call("wasmtime_component_linker_instance_delete", None, _p)

instantiate = _call("wasmtime_component_linker_instantiate_async", _p, _p, _p, _p, _p, _p)
function_get = _call("wasmtime_component_instance_get_func", c_bool, _p, _p, _p, _p)
call = _call("wasmtime_component_func_call_async", _p, _p, _p, _p, _n, _p, _n, _p)

value_box = _call("wasmtime_component_val_new", _p, _p)
value_delete = _call("wasmtime_component_val_delete", None, _p)
list_reserve = _call("wasmtime_component_vallist_new_uninit", None, _p, _n)
tuple_reserve = _call("wasmtime_component_valtuple_new_uninit", None, _p, _n)
record_reserve = _call("wasmtime_component_valrecord_new_uninit", None, _p, _n)
flags_reserve = _call("wasmtime_component_valflags_new_uninit", None, _p, _n)
name_copy = _call("wasm_byte_vec_new", None, _p, _n, c_char_p)

resource_new = _call("wasmtime_component_resource_host_new", _p, c_bool, c_uint32, c_uint32)
resource_delete = _call("wasmtime_component_resource_host_delete", None, _p)
resource_rep = _call("wasmtime_component_resource_host_rep", c_uint32, _p)
resource_type = _call("wasmtime_component_resource_host_type", c_uint32, _p)
resource_to_any = _call("wasmtime_component_resource_host_to_any", _p, _p, _p, _p)
any_to_resource = _call("wasmtime_component_resource_any_to_host", _p, _p, _p, _p)
any_delete = _call("wasmtime_component_resource_any_delete", None, _p)
resource_type_new = _call("wasmtime_component_resource_type_new_host", _p, c_uint32)
resource_type_delete = _call("wasmtime_component_resource_type_delete", None, _p)

error_new = _call("wasmtime_error_new", _p, c_char_p)
error_trace = _call("wasmtime_error_wasm_trace", None, _p, _p)

# `callback(env, context, type, args, nargs, results, nresults, error_out, continuation_out)` and
# `destructor(env, context, rep) -> error`.
Callback = ctypes.PYFUNCTYPE(None, _p, _p, _p, _p, _n, _p, _n, _p, _p)
Destructor = ctypes.PYFUNCTYPE(_p, _p, _p, c_uint32)


class WasmtimeRefusal(Exception):
    """Wasmtime did not do what it was asked; the message is its own."""


def check(error: int | None) -> None:
    """Raise WasmtimeRefusal for an owned error, which is deleted."""
    if error:
        raise WasmtimeRefusal(take_error(error))


def layout_matches() -> bool:
    """Whether the installed binding lays its structures out as this file assumes."""
    union: Any = _ffi.wasmtime_component_valunion_t
    result: Any = _ffi.wasmtime_component_valresult_t
    return (
        ctypes.sizeof(_ffi.wasmtime_component_val_t) == VAL_SIZE
        and _ffi.wasmtime_component_val_t.of.offset == VAL_ITEM
        and ctypes.sizeof(_ffi.wasm_name_t) == NAME_SIZE
        and ctypes.sizeof(_ffi.wasmtime_component_valrecord_entry_t) == FIELD_SIZE
        and ctypes.sizeof(_ffi.wasmtime_component_func_t) <= VAL_SIZE
        and ctypes.sizeof(_ffi.wasmtime_component_instance_t) == NAME_SIZE
        and union.variant.size == NAME_SIZE + 8
        and result.val.offset == RESULT_VALUE - VAL_ITEM
        and _ffi.WASMTIME_COMPONENT_RESOURCE.value == Kind.RESOURCE
    )
