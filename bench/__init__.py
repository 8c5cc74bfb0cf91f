"""What the host reaches, measured: `python -m bench` prints one table.

Each module of `suite.py` is one benchmark and returns the lines of the table it stands for; it runs
in a process of its own. The others are what they share: servers and peers to start, load to put on
them, guests to deploy, numbers to read from the kernel.

Neighbours: uses `edge/` from outside and `tests/toolchain.py` for guests; nothing imports it.
Invariant: a ratio compares two things measured in turns in one run, so that a noisy machine is
noisy for both; every run is bounded in time and ends what it started.
"""
