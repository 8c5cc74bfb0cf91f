"""What a guest may import: its log, host calls (kv, fetch), and WASI preview 1.

Neighbours: `sandbox/` calls in with a `Session` and the guest's `Memory`; `storage/` protocols are
below. No Wasmtime type is known here.
Invariant: a guest can do what its grants say and nothing else; whatever it passes is checked here,
and no exception leaves but the few that end the guest (`MemoryFault`, `GuestExit`).
"""
