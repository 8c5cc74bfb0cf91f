"""The component that a Python function becomes: it is loaded at build and called for each event.

Neighbours: `edge/build/python.py` puts the function's files and `edge_task.json` on the path;
componentize-py imports this module, then keeps the memory. Whatever the function's module-level
code and its priming leave behind is therefore in every instance.
"""

import wit_world
from edge_sdk import runtime, task

_handler = task.load()


class WitWorld(wit_world.WitWorld):
    """World `edge:function`."""

    def handle(self, envelope: str) -> str:
        """One event in, one answer out; the only call an instance ever gets."""
        return runtime.answer(_handler, envelope)
