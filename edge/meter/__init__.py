"""The meter: what every invocation used, what it costs, and what functions logged.

    invoke ──> journal (a record per invocation, on disk before the answer leaves)
                  └──> ledger (totals by function and day, each record counted once)
           └──> logs

Neighbours: `invoke/` writes, `front/` reads; storage is behind its protocols and segments.
"""
