"""Modules come out of zips, and hostile zips cost no more than their bound."""

import contextlib
import random
import stat
import struct
import tracemalloc
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZipFile, ZipInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.deploy.archive import DIRECTORY_BYTES_MAX, extract, module_in
from edge.model.errors import EdgeError, InvalidZipFile, PayloadTooLarge
from tests.front.packages import package, stored

MODULE = b"\0asm\1\0\0\0" + bytes(100)
OTHER = b"\0asm\1\0\0\0other"
MAX = 1024 * 1024


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"x.wasm": MODULE}, ""),
        ({"deep/er/x.wasm": MODULE, "README.md": b"", "x.wasm.map": b""}, "any.thing"),
        ({"x.wasm": MODULE, "__MACOSX/._x.wasm": b"junk"}, ""),
        ({"a.wasm": OTHER, "b.wasm": MODULE}, "b.wasm"),
        ({"a.wasm": OTHER, "b.wasm": MODULE}, "b"),
        ({"a.wasm": OTHER, "b.wasm": MODULE}, "b.handler"),
        ({"a.wasm": OTHER, "bootstrap.wasm": MODULE}, "index.handler"),
        ({"bootstrap.wasm": OTHER, "b.wasm": MODULE}, "b.handler"),
        ({"../../etc/x.wasm": MODULE}, ""),
    ],
)
def test_the_module_is_found(files: dict[str, bytes], handler: str) -> None:
    """The only one, else the one the handler names, else the bootstrap."""
    assert module_in(package(files), handler, MAX) == MODULE
    assert module_in(stored(files) + b"", handler, MAX) == MODULE


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "holds no .wasm"),
        ({"index.js": b""}, "holds no .wasm"),
        ({"a.wasm": OTHER, "b.wasm": MODULE}, "holds 2 .wasm files"),
    ],
)
def test_no_module_to_pick(files: dict[str, bytes], reason: str) -> None:
    """The message says what is missing."""
    with pytest.raises(InvalidZipFile, match=reason):
        module_in(package(files), "index.handler", MAX)


def test_a_bomb_is_stopped_at_the_bound() -> None:
    """A gigabyte of zeros in a megabyte of zip is not unpacked."""
    bomb = package({"x.wasm": bytes(64 * MAX)})
    assert len(bomb) < MAX
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLarge, match="over"):
            module_in(bomb, "", MAX)
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX
    finally:
        tracemalloc.stop()


def test_a_module_at_the_bound_is_taken() -> None:
    """The limit itself is allowed."""
    module = random.Random(1).randbytes(MAX)
    assert module_in(package({"x.wasm": module}), "", MAX) == module


def test_a_lie_about_the_size_is_noticed() -> None:
    """A member that claims to be smaller than it is does not come out cut short."""
    lying = stored({"x.wasm": MODULE}).replace(
        struct.pack("<LL", len(MODULE), len(MODULE)), struct.pack("<LL", len(MODULE), 8)
    )
    with pytest.raises(InvalidZipFile):
        module_in(lying, "", MAX)


def test_an_endless_directory_is_refused() -> None:
    """A directory over its bound is refused before it becomes objects."""
    entries = DIRECTORY_BYTES_MAX // 47 + 2_000
    many = stored({f"{i:x}": b"" for i in range(300)})
    at = many.rfind(b"PK\x05\x06")
    huge = bytearray(many[:at] + bytes(entries * 47) + many[at:])
    struct.pack_into("<L", huge, len(huge) - 22 + 12, entries * 47)
    with pytest.raises(InvalidZipFile, match="too many files"):
        module_in(bytes(huge), "", MAX)


def test_zip64_is_refused() -> None:
    """Its own sizes would go past the bound on the directory."""
    archive = stored({"x.wasm": MODULE})
    at = archive.rfind(b"PK\x05\x06")
    locator = b"PK\x06\x07" + bytes(16)
    with pytest.raises(InvalidZipFile, match="ZIP64"):
        module_in(archive[:at] + locator + archive[at:], "", MAX)


@pytest.mark.parametrize("compression", [ZIP_BZIP2, ZIP_LZMA])
def test_other_compressions_are_refused(compression: int) -> None:
    """Only what Lambda's clients write is unpacked."""
    with pytest.raises(InvalidZipFile, match="neither stored nor deflated"):
        module_in(package({"x.wasm": MODULE}, compression=compression), "", MAX)


def test_an_encrypted_module_is_refused() -> None:
    """There is no key to read it with."""
    archive = bytearray(stored({"x.wasm": MODULE}))
    archive[6] |= 1
    archive[archive.rfind(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidZipFile, match="encrypted"):
        module_in(bytes(archive), "", MAX)


@pytest.mark.parametrize("archive", [b"", b"PK", b"not a zip", b"PK\x05\x06", MODULE])
def test_what_is_no_zip_is_refused(archive: bytes) -> None:
    """A bare module or garbage has a clear message."""
    with pytest.raises(InvalidZipFile):
        module_in(archive, "", MAX)


@given(st.data())
def test_a_damaged_zip_is_read_or_refused(data: st.DataObject) -> None:
    """No damage raises anything but a platform error."""
    archive = bytearray(package({"a.wasm": MODULE, "b/c.txt": b"text" * 9}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(archive) - 1))
        archive[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(archive)))
    with contextlib.suppress(EdgeError):
        module_in(bytes(archive[: cut or None]), "", MAX)


def test_all_files_are_extracted(tmp_path: Path) -> None:
    """Directories are made as they come up, whatever the order."""
    files = {"a/b/c.py": b"1", "a/d.py": b"2" * 70_000, "e.py": b""}
    extract(package({**files, "f/": b""}), tmp_path, 1_000_000)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    assert (tmp_path / "f").is_dir()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a\\..\\x", "/"])
def test_paths_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written beside the directory."""
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(InvalidZipFile):
        extract(package({name: b"x"}), inside, 1_000)
    assert [path.name for path in tmp_path.rglob("*")] == ["inside"]


def test_links_are_refused(tmp_path: Path) -> None:
    """A link could name any file of the host."""
    link = ZipInfo("link.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InvalidZipFile, match="link"):
        extract(buffer.getvalue(), tmp_path, 1_000)


def test_files_together_stay_within_the_bound(tmp_path: Path) -> None:
    """It counts what comes out, and stops there."""
    files = {f"{number}.py": bytes(MAX // 2) for number in range(4)}
    with pytest.raises(PayloadTooLarge):
        extract(package(files), tmp_path, MAX)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= MAX


@given(st.data())
def test_a_damaged_zip_is_extracted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """No damage raises anything but a platform error, or writes elsewhere."""
    archive = bytearray(package({"a.py": b"x = 1", "b/c.txt": b"text" * 9}))
    for _ in range(data.draw(st.integers(1, 4))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    outside = tmp_path_factory.mktemp("damaged")
    inside = outside / "inside"
    inside.mkdir()
    with contextlib.suppress(EdgeError):
        extract(bytes(archive), inside, 1_000)
    assert [path.name for path in outside.iterdir()] == ["inside"]
