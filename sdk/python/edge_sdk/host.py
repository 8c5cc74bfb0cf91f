"""The two calls of the host, and who answers them while a function is primed.

Neighbours: `kv.py`, `fetch.py` and `logs.py` are made of them; `task.py` sets the priming.
Invariant: nothing reaches a host at build, as there is none: a call is answered by its prime or
refused.
"""

from collections.abc import Callable

from wit_world.imports import host

from edge_sdk import values

_TEXT_CHARACTERS_MAX = 256 * 1024


class HostError(Exception):
    """A host call that was not done. `code` is one of docs/abi.md, such as `denied`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


Answer = Callable[[dict[str, object]], object]
_priming: list[Answer] = []
"""Who answers while a prime runs; empty in every instance."""


def call(op: str, fields: dict[str, object] | None = None, **options: object) -> object:
    """Do one operation of docs/abi.md; options that are None are left out. Raises HostError."""
    given = {name: value for name, value in options.items() if value is not None}
    asked = {"op": op, **(fields or {}), **given}
    answer = _priming[-1](asked) if _priming else values.decode(host.call(values.encode(asked)))
    if "error" in answer:
        raise HostError(answer["error"]["code"], answer["error"]["message"])
    return answer["ok"]


def send(op: str, fields: dict[str, object]) -> None:
    """Do an operation that has no answer; nothing while a prime runs. Raises HostError."""
    if not _priming:
        call(op, fields)


def write(level: int, message: str) -> None:
    """One line of the function's log; at build, one of the build's."""
    if _priming:
        print(message)
        return
    text = message[:_TEXT_CHARACTERS_MAX]
    host.log(level, text.encode("utf-8", "replace").decode())


class answering:
    """While it is entered, `answer` is the host."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __enter__(self) -> None:
        _priming.append(self._answer)

    def __exit__(self, *_: object) -> None:
        _priming.pop()
