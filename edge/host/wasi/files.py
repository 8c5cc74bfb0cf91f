"""WASI's files and sockets, of which there are none: each function says so as a program expects.

No descriptor is a directory and `fd_prestat_get` knows of no preopened one, so libc finds that no
path leads anywhere. On the three streams, what only files can do fails as on a pipe.

Neighbours: `stdio.py` has the streams and what works on them.
"""

from edge.host.memory import Memory
from edge.host.session import Session
from edge.host.wasi.errno import Errno
from edge.host.wasi.function import WasiFunction, define
from edge.host.wasi.stdio import is_open

# What the function answers for an open stream; any other descriptor is a bad one.
_ON_STREAMS: tuple[tuple[str, str, Errno], ...] = (
    ("fd_advise", "i32 i64 i64 i32", Errno.SPIPE),
    ("fd_allocate", "i32 i64 i64", Errno.SPIPE),
    ("fd_datasync", "i32", Errno.INVAL),
    ("fd_fdstat_set_rights", "i32 i64 i64", Errno.NOTSUP),
    ("fd_filestat_set_size", "i32 i64", Errno.INVAL),
    ("fd_filestat_set_times", "i32 i64 i64 i32", Errno.NOTSUP),
    ("fd_pread", "i32 i32 i32 i64 i32", Errno.SPIPE),
    ("fd_prestat_get", "i32 i32", Errno.BADF),
    ("fd_prestat_dir_name", "i32 i32 i32", Errno.BADF),
    ("fd_pwrite", "i32 i32 i32 i64 i32", Errno.SPIPE),
    ("fd_readdir", "i32 i32 i32 i64 i32", Errno.NOTDIR),
    ("fd_renumber", "i32 i32", Errno.NOTSUP),
    ("fd_seek", "i32 i64 i32 i32", Errno.SPIPE),
    ("fd_sync", "i32", Errno.INVAL),
    ("fd_tell", "i32 i32", Errno.SPIPE),
    ("path_create_directory", "i32 i32 i32", Errno.NOTDIR),
    ("path_filestat_get", "i32 i32 i32 i32 i32", Errno.NOTDIR),
    ("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32", Errno.NOTDIR),
    ("path_link", "i32 i32 i32 i32 i32 i32 i32", Errno.NOTDIR),
    ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32", Errno.NOTDIR),
    ("path_readlink", "i32 i32 i32 i32 i32 i32", Errno.NOTDIR),
    ("path_remove_directory", "i32 i32 i32", Errno.NOTDIR),
    ("path_rename", "i32 i32 i32 i32 i32 i32", Errno.NOTDIR),
    ("path_unlink_file", "i32 i32 i32", Errno.NOTDIR),
    ("sock_accept", "i32 i32 i32", Errno.NOTSOCK),
    ("sock_recv", "i32 i32 i32 i32 i32 i32", Errno.NOTSOCK),
    ("sock_send", "i32 i32 i32 i32 i32", Errno.NOTSOCK),
    ("sock_shutdown", "i32 i32", Errno.NOTSOCK),
)


def _refuse(name: str, params: str, on_stream: Errno) -> WasiFunction:
    def body(session: Session, _memory: Memory, fd: int, *_rest: int) -> int:
        return on_stream if is_open(session, fd) else Errno.BADF

    return define(name, params, body)


def _path_symlink(
    session: Session, _memory: Memory, _old: int, _old_length: int, fd: int, *_new: int
) -> int:
    """The one whose descriptor does not come first."""
    return Errno.NOTDIR if is_open(session, fd) else Errno.BADF


FUNCTIONS = (
    *(_refuse(*row) for row in _ON_STREAMS),
    define("path_symlink", "i32 i32 i32 i32 i32", _path_symlink),
)
