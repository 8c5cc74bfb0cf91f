"""The SQL of async events.

Neighbours: `events.py` runs it. Invariant: `totals` has what `event` and `dead` hold, by triggers.
"""

_COLUMNS = "request_id, function, content, accepted_ms, qualifier, attempts, waits, hops"
_DEAD_COLUMNS = f"{_COLUMNS}, condition, reason, record, died_ms"
_CONFIG = "function, qualifier, retries_max, age_s_max, on_success, on_failure, modified_ms"


def _counting(table: str, size: str) -> str:
    return f"""
    CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN
        UPDATE totals SET kept = kept + 1, bytes = bytes + {size.format("NEW")};
    END;
    CREATE TRIGGER {table}_removed AFTER DELETE ON {table} BEGIN
        UPDATE totals SET kept = kept - 1, bytes = bytes - {size.format("OLD")};
    END;
    """


_EVENT = """
        request_id TEXT PRIMARY KEY,
        function TEXT NOT NULL,
        content BLOB NOT NULL,
        accepted_ms INTEGER NOT NULL,
        qualifier TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        waits INTEGER NOT NULL,
        hops INTEGER NOT NULL,
"""

MIGRATIONS = (
    f"""
    CREATE TABLE event ({_EVENT}
        due_ms INTEGER NOT NULL,
        owner TEXT
    ) STRICT;
    CREATE INDEX event_due ON event (due_ms);
    CREATE INDEX event_owner ON event (owner) WHERE owner IS NOT NULL;
    CREATE TABLE dead ({_EVENT}
        condition TEXT NOT NULL,
        reason TEXT NOT NULL,
        record BLOB NOT NULL,
        died_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX dead_of_function ON dead (function, request_id);
    CREATE TABLE totals (kept INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
    INSERT INTO totals VALUES (0, 0);
    CREATE TABLE config (
        function TEXT NOT NULL,
        qualifier TEXT NOT NULL,
        retries_max INTEGER NOT NULL,
        age_s_max INTEGER NOT NULL,
        on_success TEXT,
        on_failure TEXT,
        modified_ms INTEGER NOT NULL,
        PRIMARY KEY (function, qualifier)
    ) STRICT, WITHOUT ROWID;
    """
    + _counting("event", "length({0}.content)")
    + _counting("dead", "length({0}.content) + length({0}.record)"),
)

TOTALS = "SELECT kept, bytes FROM totals"
COUNTS = "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM dead)"
ADD = f"INSERT INTO event ({_COLUMNS}, due_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
IS_DUE = "SELECT 1 FROM event WHERE due_ms <= ? LIMIT 1"
CLAIM = (
    "UPDATE event SET owner = ?1, due_ms = ?2 WHERE rowid IN"
    " (SELECT rowid FROM event WHERE due_ms <= ?3 ORDER BY due_ms LIMIT ?4)"
    f" RETURNING {_COLUMNS}"
)
RENEW = "UPDATE event SET due_ms = ? WHERE owner = ?"
PUT_OFF = (
    "UPDATE event SET owner = NULL, due_ms = ?, attempts = ?, waits = ?"
    " WHERE request_id = ? AND owner = ?"
)
SETTLE = "DELETE FROM event WHERE request_id = ? AND owner = ?"
GIVE_BACK = "UPDATE event SET owner = NULL, due_ms = ? WHERE owner = ?"
BURY = f"INSERT INTO dead ({_DEAD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
DEAD_LIST = (
    f"SELECT {_DEAD_COLUMNS} FROM dead WHERE (?1 IS NULL OR function = ?1)"
    " AND request_id > ?2 ORDER BY request_id LIMIT ?3"
)
DEAD_GET = f"SELECT {_DEAD_COLUMNS} FROM dead WHERE request_id = ?"
DEAD_REMOVE = "DELETE FROM dead WHERE request_id = ?"
REDRIVE = (
    f"INSERT INTO event ({_COLUMNS}, due_ms)"
    " SELECT request_id, function, content, ?1, qualifier, 0, 0, hops, ?1"
    " FROM dead WHERE request_id = ?2"
)
CONFIG_PUT = f"INSERT OR REPLACE INTO config ({_CONFIG}) VALUES (?, ?, ?, ?, ?, ?, ?)"
CONFIG_GET = f"SELECT {_CONFIG} FROM config WHERE function = ? AND qualifier = ?"
CONFIG_LIST = (
    f"SELECT {_CONFIG} FROM config WHERE function = ? AND qualifier > ? ORDER BY qualifier LIMIT ?"
)
CONFIG_REMOVE = "DELETE FROM config WHERE function = ? AND qualifier = ?"
