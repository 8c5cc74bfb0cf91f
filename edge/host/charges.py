"""What host functions cost in fuel: the same for the same call on any host, so bills agree.

Neighbours: every host function charges its `Session`; the sandbox adds it to the guest's own fuel
and ends the guest when both pass the limit, which is what bounds a flood of calls.
The figures are medians of what the work takes, at the tariff's 5 million fuel per millisecond.
"""

FUEL_PER_IMPORT = 10_000
"""Entering and leaving any imported function: 2 µs."""

FUEL_PER_CALL = 60_000
"""A host call beyond that, read, dispatched and answered: 12 µs."""

FUEL_PER_BYTE = 1
"""A byte copied between guest and host."""

FUEL_PER_RANDOM_BYTE = 12
"""A byte of the system's randomness: 2.4 ns."""
