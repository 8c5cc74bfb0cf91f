"""The key-value store's schema and its statements, each of which does its work whole.

Neighbours: `kv.py` runs them.
Invariant: `namespace.version`, `.entries` and `.bytes` change in the statement that changes the
entries, by triggers, so no failure can part them.
"""

MIGRATIONS = (
    """
    CREATE TABLE namespace (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL DEFAULT 0,
        entries INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE entry (
        namespace INTEGER NOT NULL REFERENCES namespace (id),
        key BLOB NOT NULL,
        version INTEGER NOT NULL,
        expires_ms INTEGER,
        value BLOB NOT NULL,
        UNIQUE (namespace, key)
    );
    CREATE INDEX entry_expiry ON entry (expires_ms) WHERE expires_ms IS NOT NULL;
    CREATE INDEX entry_expiry_in_namespace ON entry (namespace, expires_ms)
        WHERE expires_ms IS NOT NULL;
    CREATE TRIGGER entry_added AFTER INSERT ON entry BEGIN
        UPDATE namespace
        SET version = NEW.version, entries = entries + 1,
            bytes = bytes + length(NEW.key) + length(NEW.value)
        WHERE id = NEW.namespace;
    END;
    CREATE TRIGGER entry_changed AFTER UPDATE ON entry BEGIN
        UPDATE namespace
        SET version = NEW.version, bytes = bytes + length(NEW.value) - length(OLD.value)
        WHERE id = NEW.namespace;
    END;
    CREATE TRIGGER entry_removed AFTER DELETE ON entry BEGIN
        UPDATE namespace
        SET entries = entries - 1, bytes = bytes - length(OLD.key) - length(OLD.value)
        WHERE id = OLD.namespace;
    END;
    """,
)

GET = """
    SELECT e.value, e.version, e.expires_ms
    FROM namespace n JOIN entry e ON e.namespace = n.id
    WHERE n.name = :namespace AND e.key = :key
        AND (e.expires_ms IS NULL OR e.expires_ms > :now_ms)
"""

# Looks at `limit` entries whether live or not, so that expired ones cannot make it slow.
LIST = """
    SELECT e.key, e.version, e.expires_ms
    FROM namespace n JOIN entry e ON e.namespace = n.id
    WHERE n.name = :namespace AND e.key > :after AND e.key >= :prefix
        AND (:end IS NULL OR e.key < :end)
    ORDER BY e.key LIMIT :limit
"""

# Adds no row when the version is another one, the quota is reached, or the namespace is new.
PUT = """
    INSERT INTO entry (namespace, key, version, expires_ms, value)
    SELECT n.id, :key, n.version + 1, :expires_ms, :value
    FROM namespace n LEFT JOIN entry e ON e.namespace = n.id AND e.key = :key
    WHERE n.name = :namespace
        AND (:if_version IS NULL OR :if_version = CASE
            WHEN e.version IS NULL OR e.expires_ms <= :now_ms THEN 0 ELSE e.version END)
        AND n.entries + (e.version IS NULL) <= :entries_max
        AND n.bytes + length(:value) + CASE WHEN e.version IS NULL
            THEN length(:key) ELSE -length(e.value) END <= :bytes_max
    ON CONFLICT (namespace, key) DO UPDATE SET
        version = excluded.version, expires_ms = excluded.expires_ms, value = excluded.value
    RETURNING version
"""

DELETE = """
    DELETE FROM entry
    WHERE namespace = (SELECT id FROM namespace WHERE name = :namespace) AND key = :key
        AND (expires_ms IS NULL OR expires_ms > :now_ms)
        AND (:if_version IS NULL OR version = :if_version)
    RETURNING version
"""

SWEEP = """
    DELETE FROM entry WHERE rowid IN (
        SELECT rowid FROM entry WHERE expires_ms <= :now_ms ORDER BY expires_ms LIMIT :limit)
"""

SWEEP_NAMESPACE = """
    DELETE FROM entry WHERE rowid IN (
        SELECT rowid FROM entry
        WHERE namespace = (SELECT id FROM namespace WHERE name = :namespace)
            AND expires_ms <= :now_ms
        LIMIT :limit)
"""

CLEAR = """
    DELETE FROM entry WHERE rowid IN (
        SELECT rowid FROM entry
        WHERE namespace = (SELECT id FROM namespace WHERE name = :namespace) LIMIT :limit)
"""
