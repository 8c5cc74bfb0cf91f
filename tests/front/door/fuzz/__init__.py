"""Differential fuzz of the door: generated messages, split anywhere, with h11 as second opinion.

`messages.py` generates, `readings.py` reads with the door and with h11, `laws.py` compares.
`python -m tests.front.door.fuzz COUNT SEED` runs as many as one likes.
"""
