"""Tell what kind of guest a component is, and what it lacks if it is none.

Neighbours: `build.py` asks at deploy, `loaded.py` at load.
Invariant: a component that `inspect_component` let through can be linked and driven.
"""

from dataclasses import dataclass

import wasmtime
from wasmtime import component as wit

from edge.model.errors import InvalidModule
from edge.model.function import GuestKind
from edge.sandbox.component.link import VERSION, Interface, read_imports

COMPONENT_PREAMBLE = b"\0asm\x0d\x00\x01\x00"
HANDLE = "handle"
HTTP_HANDLER = "wasi:http/incoming-handler@"


@dataclass(frozen=True, slots=True)
class ComponentInspection:
    """Kind, imports, and the path of names that leads to the handler."""

    kind: GuestKind
    imports: tuple[Interface, ...]
    handler: tuple[str, ...]


def is_component(module: bytes) -> bool:
    """Whether the bytes begin as a component does."""
    return module.startswith(COMPONENT_PREAMBLE)


def inspect_component(component: wit.Component, engine: wasmtime.Engine) -> ComponentInspection:
    """What it exports and imports; raises InvalidModule naming what is missing."""
    exports = component.type.exports(engine)
    handle = exports.get(HANDLE)
    if handle is not None:
        _check_handle(handle.ty)
        return ComponentInspection(GuestKind.COMPONENT, read_imports(component, engine), (HANDLE,))
    for name in exports:
        if name.startswith(HTTP_HANDLER + VERSION):
            return ComponentInspection(
                GuestKind.WASI_HTTP, read_imports(component, engine), (name, HANDLE)
            )
    raise InvalidModule(
        "the component is no function: it exports neither handle (world edge:function,"
        " sdk/wit/edge.wit) nor wasi:http/incoming-handler@0.2"
    )


def _check_handle(type_: object) -> None:
    if isinstance(type_, wit.FuncType):
        parameters = [parameter for _, parameter in type_.params]
        types = [*parameters, type_.result]
        if len(types) == 2 and all(isinstance(part, wit.String) for part in types):
            return
    raise InvalidModule("export handle must be a function func(envelope: string) -> string")
