"""Constant load from real HTTP clients, and an exact account of what became of each request.

Two kinds of client: one that keeps its connection, and one with a new connection each time. A kept
connection that the server closed before it answered anything is tried once more on a new one, as
RFC 9112 (section 9.3.1) has clients do for idle connections; nothing else is tried again.

Neighbours: the tests of this room.
Invariant: leaving the context stops every client.
"""

import contextlib
import http.client
import ssl
import threading
import time
from collections import Counter
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_S = 30
_CLOSED_IDLE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class Load:
    """`kept` and `fresh` clients that ask for `path` until the context ends.

    `trusted` is what clients of an https URL trust.
    """

    def __init__(
        self,
        url: str,
        path: str,
        *,
        kept: int = 3,
        fresh: int = 3,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._address = urlsplit(url).netloc
        self._trusted = trusted
        self._path = path
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.outcomes: Counter[str] = Counter()
        self.bodies: set[bytes] = set()
        self._threads = [threading.Thread(target=self._keep) for _ in range(kept)]
        self._threads += [threading.Thread(target=self._renew) for _ in range(fresh)]

    @property
    def answered(self) -> int:
        """How many requests were answered with 200."""
        return self.outcomes["200"]

    @property
    def failures(self) -> dict[str, int]:
        """What became of the others."""
        return {outcome: count for outcome, count in self.outcomes.items() if outcome != "200"}

    def await_answers(self, count: int) -> None:
        """Wait until `count` more requests were answered."""
        wanted, until = self.answered + count, time.monotonic() + TIMEOUT_S
        while self.answered < wanted:
            assert time.monotonic() < until, f"no answers any more: {self.outcomes}"
            time.sleep(0.01)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _connection(self) -> http.client.HTTPConnection:
        if self._trusted is None:
            return http.client.HTTPConnection(self._address, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(self._address, timeout=TIMEOUT_S, context=self._trusted)

    def _renew(self) -> None:
        while not self._stop.is_set():
            with contextlib.closing(self._connection()) as connection:
                self._ask(connection, {"connection": "close"}, was_kept=False)

    def _keep(self) -> None:
        with contextlib.closing(self._connection()) as connection:
            while not self._stop.is_set():
                self._ask(connection, {}, was_kept=connection.sock is not None)

    def _ask(
        self, connection: http.client.HTTPConnection, headers: dict[str, str], *, was_kept: bool
    ) -> None:
        try:
            connection.request("GET", self._path, headers=headers)
            response = connection.getresponse()
            body = response.read()
            outcome = str(response.status)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if was_kept and isinstance(error, _CLOSED_IDLE):
                self._ask(connection, headers, was_kept=False)
                return
            outcome = type(error).__name__ + ("" if was_kept else ", on a new connection")
        with self._lock:
            self.outcomes[outcome] += 1
            if outcome == "200":
                self.bodies.add(body)
