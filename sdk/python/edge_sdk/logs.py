"""The function's log: `log.info(…)`, and what `logging` is given.

Neighbours: `host.py` writes; `task.py` sets the handler before the function is imported.
"""

import logging

from edge_sdk import host

_LEVELS = ((logging.ERROR, 4), (logging.WARNING, 3), (logging.INFO, 2), (logging.DEBUG, 1))


class Log:
    """One method for each level of the host."""

    def trace(self, message: str) -> None:
        """Level 0."""
        host.write(0, message)

    def debug(self, message: str) -> None:
        """Level 1."""
        host.write(1, message)

    def info(self, message: str) -> None:
        """Level 2; a `print` has it, too."""
        host.write(2, message)

    def warn(self, message: str) -> None:
        """Level 3."""
        host.write(3, message)

    def error(self, message: str) -> None:
        """Level 4."""
        host.write(4, message)


log = Log()


class LogHandler(logging.Handler):
    """Sends the records of `logging` to the function's log, each at its own level."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record, with its exception's text if it has one."""
        try:
            level = next((ours for theirs, ours in _LEVELS if record.levelno >= theirs), 0)
            host.write(level, self.format(record))
        except Exception:
            self.handleError(record)


def take_over() -> None:
    """Make the function's log what the root logger writes to, from level INFO."""
    root = logging.getLogger()
    root.handlers[:] = [LogHandler()]
    root.setLevel(logging.INFO)
