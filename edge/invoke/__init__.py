"""Invoke: admit → resolve → run → meter.

Neighbours: every door calls `Invoker.invoke`; `registry/`, `sandbox/` and `meter/` do the work.
Invariant: an invocation that was admitted is metered exactly once, however it ended.
"""
