"""A worker in this very process, for what is measured without a door.

Neighbours: `restore.py`, `invocation.py` and `components.py`.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edge.config import load
from edge.worker import Worker, open_worker


@asynccontextmanager
async def worker_inside(**settings: int) -> AsyncIterator[Worker]:
    """A whole worker as `serve` wires it, over a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        async with open_worker(load({"data": directory, **settings}), 0) as worker:
            yield worker
