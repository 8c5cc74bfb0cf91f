"""Components: how one is loaded, linked with the host's WASI 0.2, driven and answered.

Neighbours: `sandbox/` schedules them beside core modules; `host/wasi2/` has what they import.
Invariant: nothing here keeps an exception, a handle or a value of one guest for another.
"""
