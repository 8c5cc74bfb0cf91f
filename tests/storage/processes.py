"""Other processes for tests: Python programs given as text, with this repository importable."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start_python(program: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start a program; its standard streams are text pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def run_python(program: str, *arguments: object) -> str:
    """Run a program to its end, which has to be a good one; what it printed."""
    with start_python(program, *arguments) as process:
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return printed
