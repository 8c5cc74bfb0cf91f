"""Where the host's own log lines go: to stderr, and to nowhere when that is full or closed.

Neighbours: `serve.py` and `worker.py` send their process's lines here, first of all.
Invariant: saying what failed never makes anything else fail.
"""

import contextlib
import os

import structlog

_STDERR = 2


class StderrLines:
    """What structlog writes its finished lines to."""

    def msg(self, line: str) -> None:
        """Write one line, in one piece, if it can be written."""
        with contextlib.suppress(OSError):
            os.write(_STDERR, line.encode() + b"\n")

    log = debug = info = warn = warning = error = critical = exception = fatal = msg


def send_to_stderr() -> None:
    """Send the lines of this process there."""
    structlog.configure(logger_factory=lambda *_: StderrLines())
