"""Loads the function at build: its environment, its module, its primes.

Neighbours: `edge_task.json`, written by `edge/build/python.py`, says what; `edge_function.py` asks.
Invariant: a failure here fails the build, with the function's own traceback.
"""

import importlib
import json
import os
import sys

from edge_sdk import hooks, host, logs, modules, runtime, values
from edge_sdk.entropy import BuildEntropy

_FILE = "edge_task.json"
_HANDLERS = ("handler", "lambda_handler")


def load() -> runtime.Handler:
    """The function's handler, primed and ready for the snapshot."""
    folder = next(each for each in sys.path if os.path.isfile(os.path.join(each, _FILE)))
    with open(os.path.join(folder, _FILE)) as file:
        task = json.load(file)
    os.chdir(folder)  # where a request is, too: files beside the handler have their plain names
    modules.install(folder)
    runtime.set_folder(folder)
    logs.take_over()
    os.environ.update(task["environment"])
    entropy = BuildEntropy()
    entropy.begin(folder)
    module = importlib.import_module(task["module"])
    handler = _handler_of(module, task["handler"])
    for prime in task["primes"]:
        _run_prime(handler, prime)
    hooks.run_before_snapshot()
    entropy.end()
    return handler


def _handler_of(module: object, name: str) -> runtime.Handler:
    """The function of that name; of the usual ones where no name is given."""
    names = (name,) if name else _HANDLERS
    for each in names:
        found = getattr(module, each, None)
        if callable(found):
            return found
    raise SystemExit(f"{module.__name__} defines no 'def {names[0]}(event, context)'")


def _run_prime(handler: runtime.Handler, prime: dict[str, str]) -> None:
    """Run one sample event. An error is told, and the build goes on, as the function would."""
    known = values.decode(prime["answers"])
    envelope = values.encode({"event": values.decode(prime["event"]), "context": _CONTEXT})

    def reply(request: dict[str, object]) -> object:
        for each in known:
            if all(request.get(name) == value for name, value in each["call"].items()):
                return each["answer"]
        message = f"no answer to {request['op']} is given beside the event {prime['name']}"
        return {"error": {"code": "denied", "message": message}}

    with host.answering(reply):
        answer = values.decode(runtime.answer(handler, envelope))
    if "error" in answer:
        print(f"prime {prime['name']}: {answer['error']}", file=sys.stderr)


_CONTEXT = {
    "requestId": "prime",
    "functionName": "prime",
    "functionVersion": "$LATEST",
    "invokedFunctionArn": "arn:aws:lambda:edge:000000000000:function:prime:$LATEST",
    "memoryLimitMb": 128,
    "deadlineMs": 1 << 50,
    "traceparent": None,
    "clientContext": None,
}
