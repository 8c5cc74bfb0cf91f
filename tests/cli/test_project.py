"""What a PATH means: a module, a manifest, a directory of manifests."""

from pathlib import Path

import pytest

from edge.cli.project import find_functions
from edge.model.errors import InvalidConfiguration
from edge.model.function import Settings


def declare(directory: Path, *names: str) -> Path:
    """A directory whose manifest declares functions of these names."""
    directory.mkdir(parents=True, exist_ok=True)
    manifest = directory / "edge.toml"
    manifest.write_text("".join(f"[function.{n}]\nmodule = '{n}.wasm'\n" for n in names))
    return manifest


def test_a_module_is_one_function_named_after_its_file(tmp_path: Path) -> None:
    """A bare .wasm needs no manifest, and --name renames it."""
    path = tmp_path / "resize.wasm"
    (declaration,) = find_functions(path)
    assert (declaration.name, declaration.module) == ("resize", path)
    assert (declaration.build, declaration.settings) == ("", Settings())
    assert find_functions(path, "other")[0].name == "other"


def test_a_module_whose_file_cannot_name_a_function_asks_for_a_name(tmp_path: Path) -> None:
    """The message says which option helps."""
    with pytest.raises(InvalidConfiguration, match="give --name"):
        find_functions(tmp_path / "my module.wasm")


def test_a_manifest_its_directory_and_a_directory_above_mean_the_same(tmp_path: Path) -> None:
    """All three ways to point at a project find its functions."""
    manifest = declare(tmp_path / "guests" / "hello", "hello", "bye")
    found = find_functions(manifest)
    assert [d.name for d in found] == ["hello", "bye"]
    assert find_functions(manifest.parent) == find_functions(tmp_path / "guests") == found


def test_every_manifest_of_a_directory_of_directories_is_found(tmp_path: Path) -> None:
    """`edge up guests` takes all of them, by name."""
    for name in ("b", "a"):
        declare(tmp_path / name, name)
    (tmp_path / "no-manifest").mkdir()
    assert [d.name for d in find_functions(tmp_path)] == ["a", "b"]


def test_a_name_chooses_one_function_of_a_manifest(tmp_path: Path) -> None:
    """--name picks among several, and lists them when it names none."""
    manifest = declare(tmp_path, "a", "b")
    assert [d.name for d in find_functions(manifest, "b")] == ["b"]
    with pytest.raises(InvalidConfiguration, match="no function 'c', only: a, b"):
        find_functions(manifest, "c")


def test_two_declarations_of_one_name_are_refused(tmp_path: Path) -> None:
    """Neither would win silently."""
    first, second = declare(tmp_path / "a", "same"), declare(tmp_path / "b", "same")
    with pytest.raises(InvalidConfiguration) as caught:
        find_functions(tmp_path)
    assert str(first) in caught.value.message
    assert str(second) in caught.value.message


def test_a_directory_without_a_manifest_is_refused(tmp_path: Path) -> None:
    """The message says what may be named instead."""
    with pytest.raises(InvalidConfiguration, match=r"or a directory with one"):
        find_functions(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A file named by mistake is not read as a manifest."""
    source = tmp_path / "hello.txt"
    source.write_text("x")
    with pytest.raises(InvalidConfiguration, match=r"hello\.txt cannot be deployed: name a \.wasm"):
        find_functions(source)


def test_a_source_is_one_function_named_after_its_file(tmp_path: Path) -> None:
    """No manifest is needed; a `main` is called after its directory."""
    for file in ("hello.c", "greet/main.c"):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text("int x;")
    (hello,) = find_functions(tmp_path / "hello.c")
    assert (hello.name, hello.source, hello.module) == ("hello", tmp_path / "hello.c", None)
    assert find_functions(tmp_path / "greet" / "main.c")[0].name == "greet"
    assert find_functions(tmp_path / "greet")[0].name == "greet"
    assert find_functions(tmp_path / "greet", "other")[0].name == "other"


def test_a_source_keeps_what_the_manifest_beside_it_says(tmp_path: Path) -> None:
    """`edge deploy hello.c` and `edge deploy .` deploy the same function."""
    (tmp_path / "hello.c").write_text("int x;")
    (tmp_path / "edge.toml").write_text(
        "[function.greeter]\nsource = 'hello.c'\nmemory_mb = 32\n[function.o]\nmodule = 'o.wasm'\n"
    )
    (found,) = find_functions(tmp_path / "hello.c")
    assert found == find_functions(tmp_path)[0]
    assert (found.name, found.settings.limits.memory_mb) == ("greeter", 32)
