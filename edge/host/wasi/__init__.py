"""WASI preview 1 with nothing of the host in it: clocks, randomness, three streams, no files.

Neighbours: the sandbox links `FUNCTIONS`, and gives `poll.poll_oneoff` a way to wait.
Invariant: every function of `wasi_snapshot_preview1` is here, so any such module can be linked.
"""

from collections.abc import Mapping

from edge.host.wasi import clocks, environ, files, poll, process, random, stdio
from edge.host.wasi.function import WasiFunction

FUNCTIONS: Mapping[str, WasiFunction] = {
    function.name: function
    for part in (clocks, environ, files, poll, process, random, stdio)
    for function in part.FUNCTIONS
}
