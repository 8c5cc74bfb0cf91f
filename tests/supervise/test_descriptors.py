"""The limit of open descriptors: raised for connections, and said when it cannot be."""

import json
import subprocess
import sys

import pytest

resource = pytest.importorskip("resource")

SCRIPT = """
import json, resource, sys
from edge.config import DoorSettings
from edge.supervise.descriptors import fit_connections
from edge.supervise.lines import send_to_stderr
soft, hard, connections = map(int, sys.argv[1:])
send_to_stderr()
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
fitted = fit_connections(DoorSettings(connections_max=connections))
print(json.dumps([fitted.connections_max, *resource.getrlimit(resource.RLIMIT_NOFILE)]))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "limit", "fitting"),
    [
        (256, 4_000, 1_000, 2_916, 1_000),
        (256, 4_000, 2_500, 4_000, 2_079),
        (256, 1_500, 1_000, 1_500, 750),
        (3_000, 4_000, 9, 3_000, 9),
    ],
    ids=["raised", "as far as it goes", "half of what there is", "enough already"],
)
def test_limit(soft: int, hard: int, connections: int, limit: int, fitting: int) -> None:
    """The soft limit grows to what connections need; where it cannot, fewer are taken."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(soft), str(hard), str(connections)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [fitting, limit, hard]
    assert ("connections_limited" in done.stderr) == (fitting < connections)
