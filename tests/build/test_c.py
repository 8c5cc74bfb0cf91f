"""C and C++ from source: the same bytes each time, cached by all that goes in, mistakes shown."""

from pathlib import Path

import pytest

from edge.build.builder import Built, build
from edge.build.cache import ENTRIES_MAX, Cache
from edge.build.languages import language_of_directory, language_of_file
from edge.build.project import Project
from edge.build.sdk import sdk_directory
from edge.model.errors import BuildFailed

HANDLER = """#include "edge.h"
#include "words.h"
static edge_result greet(edge_value event, edge_value context) {
    (void)event, (void)context;
    return edge_ok(edge_of_text(edge_str(WORD)));
}
EDGE_HANDLER(greet)
"""


def write(directory: Path, word: str = "hello", name: str = "f.c") -> Path:
    """A handler that answers `word`, which it includes."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "words.h").write_text(f'#define WORD "{word}"\n')
    source = directory / name
    source.write_text(HANDLER)
    return source


def run(source: Path, cache: Path) -> Built:
    """The module of one source file."""
    language = language_of_file(source)
    assert language is not None
    return build(language, Project("f", source, source.parent), Cache(cache))


@pytest.mark.parametrize("name", ["f.c", "f.cpp"])
def test_the_same_source_gives_the_same_bytes_anywhere(tmp_path: Path, name: str) -> None:
    """Neither the directory nor the day is in the module."""
    first = run(write(tmp_path / "a", name=name), tmp_path / "cache-a")
    second = run(write(tmp_path / "elsewhere" / "b", name=name), tmp_path / "cache-b")
    assert first.is_new
    assert second.is_new
    assert first.module == second.module
    assert str(tmp_path).encode() not in first.module


def test_a_build_is_taken_from_the_cache_until_an_input_changes(tmp_path: Path) -> None:
    """A header counts like the source, and so does going back to what was."""
    source, cache = write(tmp_path), tmp_path / "cache"
    first = run(source, cache)
    assert run(source, cache) == Built(first.module, is_new=False)
    write(tmp_path, "howdy")
    changed = run(source, cache)
    assert changed.is_new
    assert changed.module != first.module
    write(tmp_path)
    assert run(source, cache) == Built(first.module, is_new=False)


def test_a_mistake_is_shown_in_the_compilers_words(tmp_path: Path) -> None:
    """With the file's own name and line, and nothing is kept."""
    source = write(tmp_path)
    source.write_text(HANDLER + "int broken = ;\n")
    with pytest.raises(BuildFailed, match=r"f does not build[^\n]*\nf\.c:8:14: error: expected"):
        run(source, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_program_with_a_main_becomes_a_command(tmp_path: Path) -> None:
    """Any program that reads stdin and writes stdout is a function."""
    source = tmp_path / "p.c"
    source.write_text('#include <stdio.h>\nint main(void) { return puts("hi") < 0; }\n')
    assert b"_start" in run(source, tmp_path / "cache").module


def test_a_directory_is_a_project_when_it_says_which_file_is_first(tmp_path: Path) -> None:
    """One source is enough; of several one must be `main`; several without it are no project."""
    source = write(tmp_path)
    found = language_of_directory(tmp_path)
    assert found is not None
    assert found[1] == source
    (tmp_path / "more.c").touch()
    assert language_of_directory(tmp_path) is None
    (tmp_path / "main.c").touch()
    found = language_of_directory(tmp_path)
    assert found is not None
    assert found[1] == tmp_path


def test_the_cache_holds_so_many_modules_and_no_more(tmp_path: Path) -> None:
    """The oldest go, what was just made stays."""
    cache = Cache(tmp_path)
    for number in range(ENTRIES_MAX + 3):
        with cache.scratch() as directory:
            output = directory / "f.wasm"
            output.write_bytes(b"x")
            cache.keep(f"{number:064}", output)
    assert len(list(tmp_path.glob("*.wasm"))) == ENTRIES_MAX
    assert cache.get(f"{ENTRIES_MAX + 2:064}") == b"x"


def test_the_sdk_is_found(tmp_path: Path) -> None:
    """From a checkout and from a wheel alike, it stands beside the package."""
    assert (sdk_directory("c") / "edge.h").is_file()
