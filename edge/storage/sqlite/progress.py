"""Changes under way in `registry.db`, beside the functions.

Neighbours: `edge/storage/progress.py` states the guarantees; `functions.py` has the schema, and
drops a function's row of this table with it.
"""

from sqlite3 import Connection

from edge.model.errors import Conflict, NotFound
from edge.model.function import Version
from edge.model.progress import Progress, Reason
from edge.storage.documents import (
    decode_artifact,
    decode_settings,
    encode_artifact,
    encode_settings,
)
from edge.storage.sqlite.database import Database

_SELECT = """
    SELECT function, token, alive_ms, base_revision, failed, message,
        revision_id, modified_ms, artifact, settings
    FROM progress WHERE function = ?
"""

_Row = tuple[str, str, int, str, str, str, str, int, str, str]


class SqliteProgress:
    """A `ProgressStore` in the database of the functions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, function: str) -> Progress | None:
        """See ProgressStore."""
        with self._database.read() as connection:
            return _find(connection, function)

    def begin(self, progress: Progress, *, dead_before_ms: int) -> None:
        """See ProgressStore."""
        function, draft = progress.function, progress.draft
        with self._database.write() as connection:
            before = _find(connection, function)
            if before and before.failed is None and before.alive_ms >= dead_before_ms:
                raise Conflict(
                    f"function {function} is being changed: wait until its LastUpdateStatus is"
                    " Successful, then repeat this"
                )
            exists = connection.execute(
                "SELECT 1 FROM function WHERE name = ?", (function,)
            ).fetchone()
            if exists and draft is not None:
                raise Conflict(f"function {function} exists: update it, or delete it first")
            if not exists and draft is None:
                raise NotFound(f"function {function} does not exist: deploy it first")
            connection.execute(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, '', '', ?, ?, ?, ?)",
                (
                    function,
                    progress.token,
                    progress.alive_ms,
                    progress.base_revision,
                    draft.revision_id if draft else "",
                    draft.modified_ms if draft else 0,
                    encode_artifact(draft.artifact) if draft else "",
                    encode_settings(draft.settings) if draft else "",
                ),
            )

    def renew(self, token: str, alive_ms: int) -> None:
        """See ProgressStore."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE progress SET alive_ms = ? WHERE token = ?", (alive_ms, token)
            )

    def fail(self, token: str, reason: Reason, message: str) -> None:
        """See ProgressStore."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE progress SET failed = ?, message = ? WHERE token = ?",
                (reason.value, message, token),
            )

    def finish(self, token: str) -> None:
        """See ProgressStore."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM progress WHERE token = ?", (token,))


def _find(connection: Connection, function: str) -> Progress | None:
    row: _Row | None = connection.execute(_SELECT, (function,)).fetchone()
    if row is None:
        return None
    name, token, alive_ms, base, failed, message, revision_id, modified_ms, artifact, settings = row
    draft = None
    if artifact:
        draft = Version(
            name, decode_artifact(artifact), decode_settings(settings), -1, revision_id, modified_ms
        )
    reason = Reason(failed) if failed else None
    return Progress(name, token, alive_ms, base, draft, reason, message)
