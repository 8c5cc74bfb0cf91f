"""The workers of one host ask each other: each listens on a Unix socket of its own.

A question is `QUESTION_BYTES` long. The answer is YES or NO at once, and after YES, as soon as it
is known, its length and its bytes, unless the worker that gave it ends before.

Neighbours: `lambda_api/joins.py` asks and answers.
Invariant: only this host's user can ask; who does not answer within `ASK_S`, or dies, has said no.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from edge.model.errors import StorageFailure

QUESTION_BYTES = 32
ASK_S = 2.0
"""How long a worker may be silent: longer than a busy one's event loop stalls."""
GIVE_S = 30.0
"""How long a worker may take to read an answer."""
ASKING_MAX = 64
"""Questions of this worker that wait for a yes or a no at once; more wait their turn."""
_BACKLOG = 1_024
_LENGTH_BYTES = 8
_YES, _NO = b"\1", b"\0"
_DESCRIPTORS = Path("/proc/self/fd")

Find = Callable[[bytes], Awaitable[bytes] | None]
"""What a worker knows of a question: None for nothing."""


class _Line(NamedTuple):
    """A connection to another worker, which said yes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Peers:
    """One worker among the others of its host; it can be asked from when this is made."""

    def __init__(self, directory: Path, number: int, answer_bytes_max: int) -> None:
        """`number` is of no other process that lives. Raises StorageFailure."""
        self._name = f"{number}.sock"
        self._answer_bytes_max = answer_bytes_max
        self._asking = asyncio.Semaphore(ASKING_MAX)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            # The name of a socket has at most 107 bytes, that of a data directory any number.
            through = _DESCRIPTORS / str(self._descriptor)
            self._directory = through if through.exists() else directory
            self._socket = _listen(self._directory / self._name)
        except OSError as error:
            raise StorageFailure(f"cannot listen in {directory}: {error.strerror}") from error

    async def listen(self, find: Find) -> None:
        """Answer by `find` until this is cancelled."""
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._answer(_Line(reader, writer), find))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_unix_server(accept, sock=self._socket)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for task in tasks:
                task.cancel()

    def close(self) -> None:
        """Be asked no more."""
        with suppress(OSError):
            (self._directory / self._name).unlink(missing_ok=True)
        self._socket.close()
        os.close(self._descriptor)

    async def ask(self, question: bytes) -> bytes | None:
        """What another worker knows; None when none does, or it ended before it could tell."""
        others = [name for name in os.listdir(self._descriptor) if name != self._name]
        if not others:
            return None
        calls: list[asyncio.Task[_Line | None]] = []
        try:
            async with self._asking:
                calls = [asyncio.create_task(self._call(name, question)) for name in others]
                lines = await asyncio.gather(*calls)
            said_yes = [line for line in lines if line is not None]
            return await self._hear(said_yes[0]) if said_yes else None
        finally:
            for call in calls:
                line = call.result() if call.done() and not call.cancelled() else None
                if line is not None:
                    line.writer.close()

    async def _call(self, name: str, question: bytes) -> _Line | None:
        """A connection to a worker that says yes."""
        writer = None
        said = _NO
        try:
            async with asyncio.timeout(ASK_S):
                reader, writer = await asyncio.open_unix_connection(self._directory / name)
                writer.write(question)
                said = await reader.readexactly(1)
                if said == _YES:
                    return _Line(reader, writer)
        except (OSError, EOFError, TimeoutError):
            said = _NO  # it is gone, going or stuck
        finally:
            if writer is not None and said != _YES:
                writer.close()
        return None

    async def _hear(self, line: _Line) -> bytes | None:
        try:
            length = int.from_bytes(await line.reader.readexactly(_LENGTH_BYTES))
            if length > self._answer_bytes_max:
                return None
            return await line.reader.readexactly(length)
        except (OSError, EOFError):
            return None

    async def _answer(self, line: _Line, find: Find) -> None:
        try:
            async with asyncio.timeout(ASK_S):
                question = await line.reader.readexactly(QUESTION_BYTES)
            found = find(question)
            line.writer.write(_NO if found is None else _YES)
            told = None if found is None else await _while_asked(found, line.reader)
            if told is not None:
                line.writer.write(len(told).to_bytes(_LENGTH_BYTES) + told)
                async with asyncio.timeout(GIVE_S):
                    await line.writer.drain()
        except (OSError, EOFError, TimeoutError):
            pass  # who asked is gone or stuck
        finally:
            line.writer.close()


async def _while_asked(found: Awaitable[bytes], reader: asyncio.StreamReader) -> bytes | None:
    """What was found; None when it fails, or who asked leaves before."""
    finding = asyncio.ensure_future(found)
    leaving = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait((finding, leaving), return_when=asyncio.FIRST_COMPLETED)
        failed = not finding.done() or finding.cancelled() or finding.exception() is not None
        return None if failed else finding.result()
    finally:
        finding.cancel()
        leaving.cancel()


def _listen(path: Path) -> socket.socket:
    """A socket that listens at a path, whatever a dead process left there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
