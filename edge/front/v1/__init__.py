"""`/v1`: what Lambda's API has no word for. The `edge` command is its first client.

Neighbours: `control.py` routes here; `edge/cli/client.py` is the other end.
"""
