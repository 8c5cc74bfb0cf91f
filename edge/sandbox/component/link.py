"""A component linked with what the host offers: its imports, and only those.

Every import is one callback, registered as one that may wait. It finds the calling guest by the
number its store carries, lifts the arguments, runs the function, and lowers the result, now or when
what it waits for has come. A function's types are reflected when it is first called: a Python
component imports a hundred and calls a dozen.

Neighbours: `host/wasi2/` has the functions; `instance.py` is what they find; `loaded.py` owns this.
Invariant: a callback returns normally, with a continuation set, whatever happened; what one guest
caused stays with it. Callbacks outlive every guest that is linked with them.
"""

import ctypes
from collections.abc import Mapping, Sequence
from inspect import iscoroutine
from time import perf_counter_ns
from typing import Any, NamedTuple

import wasmtime
from wasmtime import component as wit

from edge.host import wasi2
from edge.host.wasi2.context import Function, Resource
from edge.model.errors import InvalidModule
from edge.sandbox.component import raw
from edge.sandbox.component.denial import denial
from edge.sandbox.component.values import Codec, compile_type
from edge.sandbox.raw import Continuation, address_of, context_data
from edge.sandbox.seats import Seat

VERSION = "0.2."
_IMPORTS_NAMED_MAX = 5
_REFUSED = b"the host ended the guest"


class Signature(NamedTuple):
    """The codecs of one function, and its result's type for the rule of denial."""

    parameters: tuple[Codec, ...]
    result: Codec | None
    result_type: Any


class Interface(NamedTuple):
    """One import of a component: its full name, and what of it the component uses."""

    name: str
    functions: tuple[str, ...]
    resources: tuple[tuple[str, wit.ResourceType], ...]


def read_imports(component: wit.Component, engine: wasmtime.Engine) -> tuple[Interface, ...]:
    """The interfaces a component imports. Raises InvalidModule for what nobody answers."""
    interfaces, unknown = [], []
    for name, item in component.type.imports(engine).items():
        type_ = item.ty
        if not isinstance(type_, wit.ComponentInstanceType) or definitions(name) is None:
            unknown.append(name)
            continue
        functions, resources = [], []
        for member, exported in type_.exports(engine).items():
            kind = exported.ty
            if isinstance(kind, wit.FuncType):
                functions.append(member)
            elif isinstance(kind, wit.ResourceType):
                resources.append((member, kind))
        interfaces.append(Interface(name, tuple(functions), tuple(resources)))
    if unknown:
        listed = ", ".join(unknown[:_IMPORTS_NAMED_MAX])
        raise InvalidModule(
            f"the component imports what this host does not offer: {listed};"
            " it offers WASI 0.2 and edge:function/host (docs/abi.md)"
        )
    return tuple(interfaces)


def definitions(name: str) -> Mapping[str, Function] | None:
    """What is defined of an interface, by its full name; None when it is not offered."""
    plain, _, version = name.partition("@")
    if plain != wasi2.FUNCTION_HOST and not version.startswith(VERSION):
        return None
    return wasi2.INTERFACES.get(plain)


class Linked:
    """A linker with a component's imports defined. `numbers` are its resource types, by name."""

    def __init__(
        self, engine: wasmtime.Engine, interfaces: tuple[Interface, ...], seats: Sequence[Seat]
    ) -> None:
        self._seats = seats
        self.numbers: dict[str, int] = {}
        self._known: list[tuple[wit.ResourceType, int]] = []
        self._ready = Continuation(self._is_ready)
        self._ready_address = address_of(self._ready)
        self._destructor = raw.Destructor(self._drop)
        self._callbacks: list[Any] = []
        self.pointer: int = raw.linker_new(address_of(engine.ptr()))
        try:
            for interface in interfaces:
                self._define(interface)
        except raw.WasmtimeRefusal as error:
            self.close()
            raise InvalidModule(f"the component cannot be linked: {error}") from None

    def close(self) -> None:
        """Delete the linker; no guest is left by then."""
        if self.pointer:
            raw.linker_delete(self.pointer)
            self.pointer = 0

    # Defining

    def _define(self, interface: Interface) -> None:
        root = raw.linker_root(self.pointer)
        instance = ctypes.c_void_p()
        name = interface.name.encode()
        try:
            raw.check(raw.linker_add_instance(root, name, len(name), ctypes.addressof(instance)))
            try:
                for member, type_ in interface.resources:
                    self._define_resource(instance.value or 0, member, type_)
                for member in interface.functions:
                    self._define_function(instance.value or 0, interface.name, member)
            finally:
                raw.linker_instance_delete(instance.value)
        finally:
            raw.linker_instance_delete(root)

    def _define_resource(self, instance: int, name: str, type_: wit.ResourceType) -> None:
        number = next((number for known, number in self._known if known == type_), 0)
        if not number:
            number = len(self._known) + 1
            self._known.append((type_, number))
            self.numbers[name] = number
        host = raw.resource_type_new(number)
        label = name.encode()
        try:
            raw.check(
                raw.linker_add_resource(
                    instance, label, len(label), host, address_of(self._destructor), None, None
                )
            )
        finally:
            raw.resource_type_delete(host)

    def _define_function(self, instance: int, interface: str, name: str) -> None:
        function = (definitions(interface) or {}).get(name)
        callback = self._callback(f"{interface} {name}", function)
        self._callbacks.append(callback)
        label = name.encode()
        raw.check(
            raw.linker_add_function(instance, label, len(label), address_of(callback), None, None)
        )

    # Called by guests

    def _callback(self, name: str, function: Function | None) -> Any:
        seats, ready = self._seats, self._ready_address
        signature: Signature | None = None

        def enter(
            _env: int,
            context: int,
            type_: int,
            arguments: int,
            count: int,
            results: int,
            _nresults: int,
            error_out: int,
            continuation: int,
        ) -> None:
            nonlocal signature
            began_ns = perf_counter_ns()
            number = context_data(context)
            # First of all: Wasmtime aborts the process if this is missing on return.
            (ctypes.c_uint64 * 3).from_address(continuation)[:] = [ready, number, 0]
            guest = seats[number].component
            assert guest is not None
            try:
                if signature is None:
                    signature = _reflect(type_)
                guest.enter(signature, results)
                if function is None:
                    value = denial(name, signature.result_type)
                else:
                    end = arguments + count * raw.VAL_SIZE
                    value = function(
                        guest.surroundings,
                        *(
                            codec.lift(address, guest)
                            for codec, address in zip(
                                signature.parameters,
                                range(arguments, end, raw.VAL_SIZE),
                                strict=True,
                            )
                        ),
                    )
                if iscoroutine(value):
                    guest.wait(value)
                else:
                    guest.leave(value)
                guest.spend(perf_counter_ns() - began_ns)
            except BaseException as cause:
                guest.end(cause)
            if guest.stopped is not None:
                ctypes.c_uint64.from_address(error_out).value = raw.error_new(_REFUSED)
                guest.ready = True  # the error is seen when the continuation is done

        return raw.Callback(enter)

    def _is_ready(self, number: int) -> bool:
        guest = self._seats[number].component
        return guest is None or guest.ready

    def _drop(self, _env: int, context: int, handle: int) -> int:
        """The guest let go of a handle."""
        guest = self._seats[context_data(context)].component
        item = None if guest is None else guest.handles.forget(handle)
        if guest is not None and isinstance(item, Resource):
            try:
                item.dropped(guest.surroundings)
            except Exception as cause:  # seen when the guest calls the host again, or ends
                guest.end(cause)
        return 0


def _reflect(type_: int) -> Signature:
    """The codecs of a function's reflected type, which stays Wasmtime's. Raises Uncrossable."""
    pointer = ctypes.cast(type_, ctypes.POINTER(wasmtime._ffi.wasmtime_component_func_type_t))
    function = wit.FuncType._from_ptr(pointer, owner=type_)
    result = function.result
    return Signature(
        tuple(compile_type(parameter) for _, parameter in function.params),
        None if result is None else compile_type(result),
        result,
    )
