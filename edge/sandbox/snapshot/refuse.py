"""Turn away modules whose state a snapshot could not carry, each with the reason.

Neighbours: `take_snapshot` calls it between `parse` and `instrument`; what only shows after
the initialiser has run (a live GC reference, say) is refused by `capture`.
Invariant: what passes here owns all of its state: nothing of it lives outside the module.
"""

from collections.abc import Iterable
from typing import TypeAlias

from edge.model.errors import SnapshotRefused
from edge.sandbox.snapshot.binary import Reader
from edge.sandbox.snapshot.constants import END
from edge.sandbox.snapshot.sections import (
    FUNCREF,
    Kind,
    Limits,
    Mode,
    ParsedModule,
    SectionId,
)

_SHARED, _64_BIT = 0x02, 0x04
_FUNCTION_REFERENCES = frozenset((FUNCREF, b"\x63\x70", b"\x64\x70"))
_CALL, _LOCAL_GET = 0x10, 0x20

Call: TypeAlias = tuple[int, int]
"""The function called, and how many parameters were pushed for it."""


def refuse(module: ParsedModule) -> None:
    """Return for a module that can be snapshotted, raise `SnapshotRefused` for another."""
    _refuse_command(module)
    for item in module.imports:
        if item.kind is not Kind.FUNCTION:
            raise SnapshotRefused(
                f"it imports the {item.kind.name.lower()} `{item.module}.{item.name}`, whose"
                " contents belong to the host; define it in the module"
            )
    for memory in module.memories:
        _refuse_limits(memory, "memory")
    for table in module.tables:
        _refuse_limits(table.limits, "table")
    for segment in module.elements:
        if segment.mode is Mode.PASSIVE and segment.type not in _FUNCTION_REFERENCES:
            raise SnapshotRefused("it has a passive element segment of a type other than funcref")


def _refuse_limits(limits: Limits, what: str) -> None:
    if limits.flags & _SHARED:
        raise SnapshotRefused(f"its {what} is shared between threads; build it without threads")
    if limits.flags & _64_BIT:
        raise SnapshotRefused(f"its {what} is 64-bit; build it for wasm32")


def _refuse_command(module: ParsedModule) -> None:
    """A command sets itself up anew at each call, so there is no state worth keeping."""
    if module.exported("_start") is not None:
        raise SnapshotRefused(
            "it is a command (it exports `_start`) and starts anew for each request;"
            " build a reactor to have it snapshotted (`-mexec-model=reactor` for C and C++)"
        )
    if _is_wrapped(module):
        raise SnapshotRefused(
            "it is linked as a command: every export runs its constructors or destructors anew;"
            " link it as a reactor (`-mexec-model=reactor`)"
        )


def _is_wrapped(module: ParsedModule) -> bool:
    """Whether every exported function is nothing but wasm-ld's wrapper around another.

    Such a wrapper calls the constructors, the function with its own parameters, and the
    destructors; where there are none, wasm-ld leaves their call out.
    """
    functions = [item.index for item in module.exports if item.kind is Kind.FUNCTION]
    wrappers = [_forwarded_calls(module, index) for index in functions]
    lengths = {len(calls) for calls in wrappers}
    if len(wrappers) < 2 or len(lengths) != 1 or not lengths <= {2, 3}:
        return False
    constructors = _same_without_arguments(calls[0] for calls in wrappers)
    destructors = _same_without_arguments(calls[-1] for calls in wrappers)
    return constructors and destructors if lengths == {3} else constructors or destructors


def _same_without_arguments(calls: Iterable[Call]) -> bool:
    found = set(calls)
    return len(found) == 1 and found.pop()[1] == 0


def _forwarded_calls(module: ParsedModule, index: int) -> list[Call]:
    """The calls of a function that does nothing else than pass its parameters on, else none."""
    body = _function_body(module, index)
    if body is None or body.count() != 0:  # locals
        return []
    calls: list[Call] = []
    pushed = 0
    while (opcode := body.byte()) in (_CALL, _LOCAL_GET):
        operand = body.u32()
        if opcode == _CALL:
            calls.append((operand, pushed))
            pushed = 0
        elif operand == pushed:
            pushed += 1
        else:
            return []
    return calls if opcode == END[0] and not body.remaining and not pushed else []


def _function_body(module: ParsedModule, index: int) -> Reader | None:
    """The code of a defined function, after its size."""
    place = index - module.imported(Kind.FUNCTION)
    code = module.bodies.get(SectionId.CODE)
    if place < 0 or code is None:
        return None
    reader = Reader(code)
    if place >= reader.count():
        return None
    for _ in range(place):
        reader.sized()
    return reader.sized()
