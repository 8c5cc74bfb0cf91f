"""Who may do what: policies, signatures, access keys.

Neighbours: `front/` asks before it lets a request in; `storage/keys.py` keeps the keys.
"""
