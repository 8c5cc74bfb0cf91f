"""The function's key-value store. Values are any that JSON has, and bytes.

Neighbours: `host.py` calls. Needs the grant `kv` (or `kv:NAMESPACE`).
"""

from dataclasses import dataclass

from edge_sdk import host


@dataclass(frozen=True, slots=True)
class Entry:
    """A value, and the version it was written as; versions of a key only grow."""

    value: object
    version: int
    expires_ms: int | None = None


class Store:
    """One namespace: the function's own by default. Every method raises HostError."""

    def __init__(self, namespace: str | None = None) -> None:
        self._namespace = namespace

    def entry(self, key: str) -> Entry | None:
        """The entry of a key with its version, None if it is absent."""
        found = self._call("kv.get", key=key)
        if found is None:
            return None
        return Entry(found["value"], found["version"], found.get("expiresMs"))

    def get(self, key: str, default: object = None) -> object:
        """The value of a key, `default` if it is absent."""
        found = self.entry(key)
        return default if found is None else found.value

    def put(
        self,
        key: str,
        value: object,
        *,
        if_version: int | None = None,
        ttl_ms: int | None = None,
    ) -> int:
        """Write, and return the new version.

        With `if_version` only if the key has that version (0: is absent), else HostError
        `conflict`.
        """
        fields = {"key": key, "value": value}  # not an option: the value may be None
        return self._call("kv.put", fields, ifVersion=if_version, ttlMs=ttl_ms)["version"]

    def delete(self, key: str, *, if_version: int | None = None) -> bool:
        """Whether there was something to delete."""
        return self._call("kv.delete", key=key, ifVersion=if_version)["deleted"]

    def increment(self, key: str, by: int = 1, *, ttl_ms: int | None = None) -> int:
        """Add to a whole number, 0 if absent, and return the sum; atomic."""
        return self._call("kv.increment", key=key, by=by, ttlMs=ttl_ms)["value"]

    def list(
        self, prefix: str = "", *, after: str | None = None, limit: int | None = None
    ) -> tuple[list[str], str | None]:
        """Keys in order, and the cursor for `after`, None at the end."""
        page = self._call("kv.list", prefix=prefix, after=after, limit=limit)
        return [entry["key"] for entry in page["entries"]], page["next"]

    def _call(self, op: str, fields: dict[str, object] | None = None, **options: object) -> object:
        return host.call(op, fields, namespace=self._namespace, **options)
