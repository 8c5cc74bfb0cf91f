"""WASI preview 1's error numbers, those that a host without files and sockets has a use for.

Source: the `wasi_snapshot_preview1` witx document.
"""

from enum import IntEnum


class Errno(IntEnum):
    """What a WASI function returns to the guest; 0 is success."""

    SUCCESS = 0
    BADF = 8
    FBIG = 22
    INVAL = 28
    IO = 29
    NOSYS = 52
    NOTDIR = 54
    NOTSOCK = 57
    NOTSUP = 58
    SPIPE = 70
