"""`edge alias` against a real host."""

import json

from tests.cli.commands import edge
from tests.running import Server
from tests.toolchain import build_guest


def test_an_alias_is_set_listed_and_removed(server: Server) -> None:
    """The first set creates, the next one shifts; a weight that is none is wrong usage."""
    url = server.control_url
    server.deploy("hello", build_guest("echo").read_bytes())
    for description in ("first", "second"):
        server.deploy("hello", build_guest("echo").read_bytes(), timeoutMs=len(description) * 100)
        assert edge("publish", "hello", control_url=url).returncode == 0
    made = edge("alias", "set", "hello", "live", "1", control_url=url)
    assert made.stdout == "hello:live is version 1\n"
    split = edge("alias", "set", "hello", "live", "1", "--also", "2=0.1", control_url=url)
    assert split.stdout == "hello:live is version 1 and 2 (0.1)\n"
    listed = json.loads(edge("alias", "list", "hello", "--json", control_url=url).stdout)
    assert [each["Name"] for each in listed["aliases"]] == ["live"]
    assert "2 (0.1)" in edge("alias", "list", "hello", control_url=url).stdout
    assert edge("alias", "set", "hello", "live", "9", control_url=url).returncode == 1
    wrong = edge("alias", "set", "hello", "live", "1", "--also", "2=x", control_url=url)
    assert wrong.returncode == 2
    assert edge("alias", "rm", "hello", "live", control_url=url).returncode == 0
    assert edge("invoke", "hello", "--qualifier", "live", control_url=url).returncode == 1
