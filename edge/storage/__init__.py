"""Storage: protocols with their guarantees, and below them one package per backend.

Neighbours: `host/`, `registry/`, `meter/` and `sources/` hold the protocols; only `serve.py` names
a backend.
Invariant: whatever a backend's own errors are, callers see `StorageFailure`.
"""
