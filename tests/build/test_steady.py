"""The machine that compilers see is the same everywhere: what a program can read of it is fixed."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from edge.build.project import Project
from edge.build.steady import steady_environment

LOOK = """
import json, os, selectors, sys, time
folder = sys.argv[1]
seen = [os.urandom(4).hex(), time.time(), time.monotonic()]
with selectors.EpollSelector() as nothing:
    nothing.select(0.02)
seen += [time.time(), os.listdir(folder)]
print(json.dumps(seen))
"""


def look(place: Path, library: Path) -> list[object]:
    """What a program sees from a folder with two files, made in another order each time."""
    folder = place / "tmp-of-a-build" / "f"
    folder.mkdir(parents=True)
    for name in "ba" if place.name == "one" else "ab":
        (folder / name).write_text(f"file {name}")
    project = Project("f", folder, folder)
    environment = steady_environment(project, library, with_files=True)
    if not environment:
        pytest.skip("no C compiler")
    seen: list[object] = json.loads(said([sys.executable, "-c", LOOK, folder], environment))
    # Python has its own way to ask about files, which no compiler has.
    asked = [
        "stat",
        "-c",
        "%i %d %h %X %Y %Z %s",
        *(folder / name for name in (".", "a", "b", "c")),
    ]
    return [*seen, said(asked, environment)]


def said(command: list[str | Path], environment: Mapping[str, str]) -> str:
    """What a program writes, with `environment` beside ours."""
    ran = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    return ran.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is libc's and Linux's")
def test_a_program_sees_the_same_machine_everywhere_and_always(tmp_path: Path) -> None:
    """No entropy, a clock that moves by what was waited, files by name without times."""
    seen = [look(tmp_path / name, tmp_path) for name in ("one", "another")]
    assert seen[0] == seen[1]
    entropy, now, monotonic, later, names, told = seen[0]
    assert (entropy, names) == ("65656565", ["a", "b"])
    assert len(str(told).splitlines()) == 3
    assert time.gmtime(now)[:4] == (1980, 1, 1, 0)  # type: ignore[arg-type]
    assert monotonic == 1
    assert later == pytest.approx(now + 0.02)  # type: ignore[operator]


def test_without_a_compiler_builds_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They read this machine then; nothing fails for it."""
    monkeypatch.setattr("edge.build.steady.find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert steady_environment(Project("f", tmp_path, tmp_path), tmp_path) == {}
