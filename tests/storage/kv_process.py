"""A process that writes to a key-value store, for tests that need more than one of them.

python -m tests.storage.kv_process increment|swap|acknowledge|fill PATH COUNT
"""

import asyncio
import resource
import sys
from pathlib import Path

from edge.model import cbor
from edge.model.errors import Conflict, StorageFailure
from edge.storage.sqlite.kv import SqliteKv

NAMESPACE = "fn:test"
FILE_BYTES_MAX = 2 << 20


async def increment(kv: SqliteKv, count: int) -> None:
    """Add one to the same key, `count` times, several at once."""

    async def some() -> None:
        for _ in range(count // 5):
            await kv.increment(NAMESPACE, "sum", 1)

    await asyncio.gather(*(some() for _ in range(5)))


async def swap(kv: SqliteKv, count: int) -> None:
    """The same by compare-and-set, again and again until it succeeds."""
    done = 0
    while done < count:
        entry = kv.get(NAMESPACE, "sum")
        total = cbor.decode(entry.value) if entry else 0
        assert isinstance(total, int)
        version = entry.version if entry else 0
        try:
            await kv.put(NAMESPACE, "sum", cbor.encode(total + 1), if_version=version)
        except Conflict:
            continue
        done += 1


async def acknowledge(kv: SqliteKv, count: int) -> None:
    """Put keys and print each once it was acknowledged, until killed."""
    for number in range(count):
        await asyncio.gather(
            *(kv.put(NAMESPACE, f"{number}-{part}", cbor.encode(number)) for part in range(4))
        )
        print(number, flush=True)


async def fill(kv: SqliteKv, count: int) -> None:
    """Put large values on a disk that is soon full; print what happened, then read."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    kept = 0
    try:
        for number in range(count):
            await kv.put(NAMESPACE, str(number), cbor.encode(b"x" * 100_000))
            kept += 1
    except StorageFailure as error:
        print(type(error).__name__, error)
    readable = all(kv.get(NAMESPACE, str(number)) for number in range(kept))
    print(kept, readable, kv.get(NAMESPACE, str(kept)))


def main() -> None:
    """Run the job named on the command line."""
    job, path, count = sys.argv[1:]
    kv = SqliteKv(Path(path))
    asyncio.run(globals()[job](kv, int(count)))
    kv.close()


if __name__ == "__main__":
    main()
