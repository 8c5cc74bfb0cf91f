"""The function's own code around the snapshot, registered as on Lambda.

Neighbours: `task.py` runs what comes before the snapshot, `runtime.py` what comes after a restore,
which is before each event. `snapshot_restore_py.py` is where a function registers both; what it
never imported it did not use.
"""

import sys

_MODULE = "snapshot_restore_py"


def run_before_snapshot() -> None:
    """Run the hooks, the last registered first; what one raises fails the build."""
    module = sys.modules.get(_MODULE)
    if module is not None:
        for func, args, kwargs in reversed(module.get_before_snapshot()):
            func(*args, **kwargs)


def run_after_restore() -> None:
    """Run the hooks in their order; what one raises is the event's error."""
    module = sys.modules.get(_MODULE)
    if module is not None:
        for func, args, kwargs in module.get_after_restore():
            func(*args, **kwargs)
