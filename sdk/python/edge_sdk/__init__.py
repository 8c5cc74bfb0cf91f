"""What a Python function has beyond `event` and `context`: log, key-value, fetch, responses.

Neighbours: `edge_function.py` calls the handler; `host.py` is all that crosses to the host.
Invariant: only the standard library is needed, so any function can be built with it.
"""

from edge_sdk.context import Context
from edge_sdk.fetch import Fetched, fetch
from edge_sdk.host import HostError
from edge_sdk.http import body_of, respond
from edge_sdk.kv import Entry, Store
from edge_sdk.logs import log

__all__ = [
    "Context",
    "Entry",
    "Fetched",
    "HostError",
    "Store",
    "body_of",
    "fetch",
    "log",
    "respond",
]
