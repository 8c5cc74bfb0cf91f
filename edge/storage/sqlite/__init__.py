"""The storage protocols on SQLite: one file per concern, for one host and its processes.

Neighbours: `edge/storage/*.py` state the guarantees kept here; `database.py` opens the files.
"""
