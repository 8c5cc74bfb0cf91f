"""The sandbox: engine, compile cache, snapshots, instances and the slices they run in.

Neighbours: `invoke/` runs executions, `deploy/` builds modules; `host/` answers the imports.
Invariant: Wasmtime's types and pointers stay in this room.
"""
