"""One event: decode, call the handler, encode what it returned or raised.

Neighbours: `edge_function.py` calls it for each event, `task.py` for each prime.
Invariant: no exception leaves it, so a function that fails still answers, with Lambda's shape.
"""

import random
import sys
import traceback
from collections.abc import Callable

from edge_sdk import hooks, streaming, values
from edge_sdk.context import Context

Handler = Callable[[object, Context], object]
TASK = "/var/task"
"""Where a stack shows the function's files to be, as on Lambda."""
_OWN = __file__
_STACK_FRAMES_MAX = 64
_folder = [TASK]


def set_folder(folder: str) -> None:
    """Name the folder in which the function's files are at build."""
    _folder[0] = folder


def answer(handler: Handler, envelope: str) -> str:
    """The answer to an envelope, both JSON."""
    try:
        random.seed()  # its state is the snapshot's, equal in all instances
        hooks.run_after_restore()
        asked = values.decode(envelope)
        value = streaming.sent(handler(asked["event"], Context(asked["context"])))
    except BaseException as error:  # SystemExit must not end the guest without a word
        return values.encode({"error": describe(error)})
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    try:
        return values.encode({"ok": value})
    except (TypeError, ValueError, RecursionError) as error:
        message = f"Unable to marshal response: {error}"
        return values.encode({"error": _failure("Runtime.MarshalError", message, [])})


def describe(error: BaseException) -> dict[str, object]:
    """An exception as Lambda's error object; the stack begins with the function's own code."""
    if isinstance(error, SystemExit):
        return _failure("Runtime.ExitError", f"the handler exited with status {error.code}", [])
    frames = traceback.extract_tb(error.__traceback__)
    lines = traceback.format_list([each for each in frames if each.filename != _OWN])
    stack = [line.replace(f'"{_folder[0]}/', f'"{TASK}/') for line in lines]
    return _failure(type(error).__name__, str(error), stack[-_STACK_FRAMES_MAX:])


def _failure(kind: str, message: str, stack: list[str]) -> dict[str, object]:
    sane = [text.encode("utf-8", "replace").decode() for text in (kind, message, *stack)]
    return {"errorType": sane[0], "errorMessage": sane[1], "stackTrace": sane[2:]}
