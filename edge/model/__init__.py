"""The vocabulary every room shares: frozen values, ids, outcomes and errors; no I/O.

Neighbours: everyone imports this room, and it imports none of them.
"""
