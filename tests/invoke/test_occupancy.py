"""The counters that limits are checked against."""

import subprocess
import sys
from pathlib import Path

from edge.invoke.occupancy import Occupancy


def test_counts_over_workers(tmp_path: Path) -> None:
    """A limit holds for the host, so one worker sees what another runs."""
    first = Occupancy(tmp_path / "occupancy", 8, 2, 0)
    second = Occupancy(tmp_path / "occupancy", 8, 2, 1)
    first.enter(3)
    second.enter(3)
    second.enter(4)
    assert (first.function(3), first.function(4), first.host()) == (2, 1, 3)
    second.leave(3)
    assert (first.function(3), second.host()) == (1, 2)
    first.close()
    second.close()


def test_clear_gives_back_a_dead_workers_share(tmp_path: Path) -> None:
    """What a killed worker was running must not count for ever."""
    path = tmp_path / "occupancy"
    ours = Occupancy(path, 8, 2, 0)
    script = (
        "import os, sys; from pathlib import Path; from edge.invoke.occupancy import Occupancy;"
        "o = Occupancy(Path(sys.argv[1]), 8, 2, 1); o.enter(5); o.enter(6); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    ours.enter(5)
    assert (ours.function(5), ours.host()) == (2, 3)
    ours.clear(1)
    assert (ours.function(5), ours.function(6), ours.host()) == (1, 0, 1)
    ours.close()


def test_fresh_forgets_a_former_host(tmp_path: Path) -> None:
    """Counters of a host that was killed are not carried into the next."""
    path = tmp_path / "occupancy"
    before = Occupancy(path, 8, 1, 0)
    before.enter(1)
    after = Occupancy.fresh(path, 8, 1)
    assert after.host() == 0
    before.close()
    after.close()
