"""`edge up`: a host with the functions of a path on it, kept live as they are edited.

Neighbours: `edge/serve.py` runs the host; `watch.py` deploys from a thread of its own, through the
control plane like any other client.
"""

import threading
from pathlib import Path

import click

from edge.cli.host import host_options
from edge.cli.watch import Watcher
from edge.config import Settings
from edge.serve import Ready, run

STOP_SECONDS = 10


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@host_options
def up(path: Path, settings: Settings) -> None:
    """Serve the functions of PATH, and every save of them.

    PATH is a source or .wasm file, an edge.toml, a directory with one or with a project, or a
    directory of such directories.
    """
    stop = threading.Event()
    watcher = Watcher(path, stop, settings.data)
    built = watcher.build_all()
    context = click.get_current_context()
    threads: list[threading.Thread] = []

    def follow(ready: Ready) -> None:
        with context.scope(cleanup=False):  # threads do not inherit it, and it knows the colours
            watcher.run(ready.control_url, ready.http_url, built)

    def on_ready(ready: Ready) -> None:
        threads.append(threading.Thread(target=follow, args=(ready,), daemon=True))
        threads[0].start()

    try:
        run(settings, on_ready=on_ready)
    finally:
        stop.set()
        for thread in threads:
            thread.join(STOP_SECONDS)
