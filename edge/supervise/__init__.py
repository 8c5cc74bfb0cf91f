"""Everything between the operating system and the workers: sockets, processes, signals, locks.

Neighbours: `serve.py` builds it, `worker.py` is what it starts.
Invariant: nothing here imports the engine; a process that only watches others stays small.
"""
