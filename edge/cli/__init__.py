"""The command line: one file per verb, over the control plane's HTTP.

Neighbours: `serve` and `up` start the host through `edge/serve.py`; nothing imports this room.
"""

from edge.cli.program import main

__all__ = ["main"]
