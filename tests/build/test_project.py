"""Which files of a directory are a project's."""

from pathlib import Path

import pytest

from edge.build import project
from edge.build.project import tree_files
from edge.model.errors import BuildFailed


def fill(directory: Path, *files: str) -> Path:
    """Empty files at these places."""
    for file in files:
        path = directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return directory


def test_what_tools_leave_is_not_the_projects(tmp_path: Path) -> None:
    """Caches, environments, packages and outputs change without the source having changed; a
    folder that is merely called `target` or `build` is source."""
    fill(tmp_path, "a.go", "build/b.go", "src/target/c.go", ".git/d", "node_modules/e.js", "f.wasm")
    fill(tmp_path, "target/CACHEDIR.TAG", "target/g.d", "env/pyvenv.cfg", "env/h.py", ".i")
    found = [str(path.relative_to(tmp_path)) for path in tree_files(tmp_path)]
    assert found == ["a.go", "build/b.go", "src/target/c.go"]
    assert list(tree_files(tmp_path, (".js",))) == []


def test_a_home_directory_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a bound, and the message says what to do."""
    monkeypatch.setattr(project, "FILES_MAX", 2)
    with pytest.raises(BuildFailed, match="more than 2 files: give the function a directory"):
        tree_files(fill(tmp_path, "a", "b", "c"))
