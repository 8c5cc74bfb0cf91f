"""What the kernel knows of a process: CPU time, threads, memory; and which cores it may use.

Neighbours: the benchmarks that watch a server from outside.
Source of the files: https://www.kernel.org/doc/html/latest/filesystems/proc.html.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SERVER_CORE = 0
_STOP_S = 15
_KIB = 1024


def all_cores() -> set[int]:
    """Every core this process could be given."""
    return set(range(os.cpu_count() or 1))


def load_cores() -> set[int]:
    """The cores for whoever makes the load: all but the server's, if there are others."""
    return all_cores() - {SERVER_CORE} or {SERVER_CORE}


@contextlib.contextmanager
def pinned(cores: set[int]) -> Iterator[None]:
    """Run on these cores; what is started meanwhile stays on them for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def threads(pid: int) -> int:
    """How many threads a process has now."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def cpu_s(pid: int) -> float:
    """CPU time a process has used, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_ns(pid: int) -> int:
    """CPU time that a process's first thread has used, exactly."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def pss_bytes(pid: int) -> int:
    """A process's proportional share of the memory it has mapped."""
    return _rollup(pid, "Pss:")


def own_bytes(pid: int) -> int:
    """The memory that is a process's alone; its share of files depends on who else maps them."""
    return _rollup(pid, "Pss_Anon:")


def _rollup(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * _KIB
    raise RuntimeError(f"the kernel does not tell the memory of process {pid}")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, and end it when it does not."""
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
