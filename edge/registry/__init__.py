"""The registry: which functions exist, and which version a name and qualifier mean now.

Neighbours: `deploy/` and `front/` change it, `invoke/` asks it on every request; it holds the
storage protocols and knows no backend.
"""
