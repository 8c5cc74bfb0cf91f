"""Hooks around the snapshot, by the name and the interface that they have on Lambda.

Neighbours: `edge_sdk/hooks.py` runs what is registered here. A function may bring the package
`snapshot-restore-py` itself; then that one is asked.
Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["register_after_restore", "register_before_snapshot"]

Hook = Callable[..., Any]
_Registered = tuple[Hook, tuple[Any, ...], dict[str, Any]]

_before_snapshot: list[_Registered] = []
_after_restore: list[_Registered] = []


def register_before_snapshot(func: Hook, *args: Any, **kwargs: Any) -> Hook:
    """Have `func` called at the end of the build, the last registered first; a decorator, too."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func: Hook, *args: Any, **kwargs: Any) -> Hook:
    """Have `func` called before each event, the first registered first; a decorator, too."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot() -> list[_Registered]:
    """What is to run before the snapshot, in order of registration."""
    return _before_snapshot


def get_after_restore() -> list[_Registered]:
    """What is to run after it, in order of registration."""
    return _after_restore
