"""Runs the command `edge` as a user does: a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

COMMAND_SECONDS_MAX = 100
CLOSED = "http://127.0.0.1:1"
"""A control plane that nobody can serve: port 1 is no port of ours."""

EDGE = (sys.executable, "-m", "edge")


def environment(control_url: str = CLOSED, **more: str) -> dict[str, str]:
    """This process's environment, with the control plane named and colours left as they are."""
    kept = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    return {**kept, "EDGE_CONTROL": control_url, **more}


def edge(
    *arguments: str | Path, control_url: str = CLOSED, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """`edge ARGUMENTS`, to its end."""
    return subprocess.run(
        [*EDGE, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        env=environment(control_url),
        check=False,
    )
