"""The build of a component: inspect, link once to see that it can be, compile.

Neighbours: `sandbox/build.py`, in whose process this runs and whose bounds hold here too.
"""

import wasmtime
from wasmtime import component as wit

from edge.model.errors import InvalidModule
from edge.model.function import GuestKind
from edge.sandbox.component.inspect import inspect_component
from edge.sandbox.component.link import Linked
from edge.sandbox.engine import Engine

_MESSAGE_CHARS_MAX = 500


def build_component(engine: Engine, module: bytes) -> tuple[GuestKind, bytes]:
    """Its kind, and machine code for this host. Raises InvalidModule."""
    try:
        component = wit.Component(engine.wasmtime, module)
    except wasmtime.WasmtimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines[-1] if lines else "it is malformed")[:_MESSAGE_CHARS_MAX]
        raise InvalidModule(f"the component cannot be compiled: {reason}") from None
    found = inspect_component(component, engine.wasmtime)
    Linked(engine.wasmtime, found.imports, ()).close()
    return found.kind, bytes(component.serialize())
