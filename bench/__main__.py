"""`python -m bench [NAME …] [--json FILE]`: measure, and print one table.

Neighbours: `suite.py` names the benchmarks; each runs in a process of its own, so that none leaves
its warmth, its threads or its garbage to the next.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from bench import table
from bench.line import Line
from bench.machine import ROOT, describe
from bench.suite import SUITE

_TIMEOUT_S = 600


def measure(name: str) -> list[Line]:
    """The lines of one benchmark; a failure is a line that says so."""
    print(f"measuring {name}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "bench.suite", name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        return [Line(name, None, "", met=False, note="failed: its error stands above")]
    return [Line(**line) for line in json.loads(done.stdout)]


def main() -> int:
    """0 when everything asked for was reached, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SUITE))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(SUITE):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    machine = describe()
    lines = [line for name in arguments.names or SUITE for line in measure(name)]
    print(table.render(machine, lines))
    if arguments.json:
        arguments.json.write_text(json.dumps(table.document(machine, lines), indent=2))
    return 0 if all(line.met is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
