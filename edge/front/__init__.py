"""The HTTP doors: data plane, control plane, and the one table of outcomes.

Neighbours: `serve.py` builds both planes; below are `invoke/`, `registry/` and `meter/`,
reached only through the protocols of `services.py`.
Invariant: nothing a guest or a caller sends leaves here as anything but a complete, valid
HTTP message, and no exception leaves at all.
"""
