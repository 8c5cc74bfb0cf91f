"""The key-value operations of guests: grants, namespaces and bounds over the `Kv` protocol.

Neighbours: `calls.py` dispatches here; `storage/kv.py` has the guarantees.
Invariant: a function reaches its own namespace and the shared ones it was granted, and no other.
"""

from collections.abc import Mapping

from edge.host.answers import CallError, Code, ok, ok_entry
from edge.host.arguments import Arguments
from edge.host.calls import Later, Operation
from edge.host.session import Session
from edge.model import cbor
from edge.storage.kv import (
    INCREMENT_MAX,
    INCREMENT_MIN,
    KEY_BYTES_MAX,
    LIST_LIMIT_DEFAULT,
    LIST_LIMIT_MAX,
    TTL_MS_MAX,
    VALUE_BYTES_MAX,
    Kv,
)

NAMESPACE_BYTES_MAX = 64
VERSION_MAX = (1 << 63) - 1


def own_namespace(function: str) -> str:
    """Where the store keeps a function's own entries."""
    return f"fn:{function}"


def shared_namespace(name: str) -> str:
    """Where the store keeps a granted, named namespace."""
    return f"ns:{name}"


class KvCalls:
    """`kv.get`, `kv.put`, `kv.delete`, `kv.list`, `kv.increment`, as `docs/abi.md` has them."""

    def __init__(self, store: Kv) -> None:
        self._store = store

    @property
    def operations(self) -> Mapping[str, Operation]:
        """By name, for `HostCalls`."""
        return {
            "kv.get": self._get,
            "kv.put": self._put,
            "kv.delete": self._delete,
            "kv.list": self._list,
            "kv.increment": self._increment,
        }

    def _get(self, session: Session, arguments: Arguments) -> bytes:
        namespace, key = _address(session, arguments)
        arguments.end()
        entry = self._store.get(namespace, key)
        return ok(None) if entry is None else ok_entry(entry)

    def _put(self, session: Session, arguments: Arguments) -> Later:
        namespace, key = _address(session, arguments)
        value = cbor.encode(arguments.value("value"))
        if len(value) > VALUE_BYTES_MAX:
            raise CallError(Code.TOO_LARGE, f"the value is over {VALUE_BYTES_MAX} bytes of CBOR")
        ttl_ms, if_version = _ttl(arguments), _if_version(arguments)
        arguments.end()

        async def put() -> bytes:
            version = await self._store.put(
                namespace, key, value, ttl_ms=ttl_ms, if_version=if_version
            )
            return ok({"version": version})

        return put

    def _delete(self, session: Session, arguments: Arguments) -> Later:
        namespace, key = _address(session, arguments)
        if_version = _if_version(arguments)
        arguments.end()

        async def delete() -> bytes:
            return ok({"deleted": await self._store.delete(namespace, key, if_version=if_version)})

        return delete

    def _list(self, session: Session, arguments: Arguments) -> bytes:
        namespace = _namespace(session, arguments)
        prefix = arguments.text("prefix", bytes_max=KEY_BYTES_MAX, default="")
        after = arguments.text("after", bytes_max=KEY_BYTES_MAX, default="")
        limit = arguments.integer("limit", minimum=1, maximum=LIST_LIMIT_MAX)
        arguments.end()
        page = self._store.list(
            namespace, prefix=prefix, after=after, limit=limit or LIST_LIMIT_DEFAULT
        )
        entries = [entry._asdict() for entry in page.entries]
        return ok({"entries": entries, "next": page.next})

    def _increment(self, session: Session, arguments: Arguments) -> Later:
        namespace, key = _address(session, arguments)
        by = arguments.integer("by", minimum=INCREMENT_MIN, maximum=INCREMENT_MAX)
        ttl_ms = _ttl(arguments)
        arguments.end()

        async def increment() -> bytes:
            counted = await self._store.increment(
                namespace, key, 1 if by is None else by, ttl_ms=ttl_ms
            )
            return ok({"value": counted.value, "version": counted.version})

        return increment


def _address(session: Session, arguments: Arguments) -> tuple[str, str]:
    """(namespace, key) of a request."""
    namespace = _namespace(session, arguments)
    return namespace, arguments.text("key", bytes_max=KEY_BYTES_MAX)


def _namespace(session: Session, arguments: Arguments) -> str:
    """The store's name of the namespace asked for; raises CallError(denied)."""
    name = arguments.text("namespace", bytes_max=NAMESPACE_BYTES_MAX, default="") or None
    if not session.grants.allows_namespace(name):
        grant = "kv" if name is None else f"kv:{name}"
        raise CallError(Code.DENIED, f"the function was not granted {grant}")
    return own_namespace(session.function) if name is None else shared_namespace(name)


def _ttl(arguments: Arguments) -> int | None:
    return arguments.integer("ttlMs", minimum=1, maximum=TTL_MS_MAX)


def _if_version(arguments: Arguments) -> int | None:
    return arguments.integer("ifVersion", minimum=0, maximum=VERSION_MAX)
