"""A component's `/tmp`: it behaves as a directory, within its bounds, and leads nowhere else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.host.calls import HostCalls
from edge.host.grants import GrantSet
from edge.host.log import LogBuffer
from edge.host.session import Session
from edge.host.wasi2 import directories, files
from edge.host.wasi2.context import Context
from edge.host.wasi2.descriptors import CHANGES, Descriptor
from edge.host.wasi2.package import read_package
from edge.host.wasi2.results import Err
from edge.host.wasi2.tree import DEPTH_MAX, NODES_MAX, Directory, Quota, Refused, Tree, split_path
from edge.model import cbor
from edge.model.sections import FILES_BYTES_MAX, FILES_MAX

BYTES_MAX = 64
CREATE = frozenset({"create"})
WRITE = frozenset({"read", "write"})
NONE: frozenset[str] = frozenset()
NAMES = st.sampled_from(["a", "b", "a/b", "b/a", "./a", "a/../b"])


def context() -> Context:
    """A guest's surroundings with a tiny `/tmp`."""
    session = Session("r", "f", GrantSet(), (), LogBuffer(), 0)
    return Context(session, HostCalls({}), Tree(Quota(BYTES_MAX)))


def root(of: Context) -> Descriptor:
    """The directory a guest begins with."""
    [(descriptor, name)] = directories.get_directories(of)
    assert name == "/tmp"
    return descriptor


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b"]), max_size=12))
def test_no_path_leads_out(names: list[str]) -> None:
    """A path stays below the directory it is relative to, or is refused."""
    with contextlib.suppress(Refused):
        resolved = split_path("/".join(names))
        assert ".." not in resolved
        assert len(resolved) <= DEPTH_MAX


def test_files_of_the_host_are_not_there() -> None:
    """Neither absolute paths nor dots reach one."""
    here = context()
    for path in ("/etc/passwd", "../etc/passwd", "a/../../etc/passwd"):
        opened = directories.open_at(here, root(here), NONE, path, NONE, NONE)
        assert opened == Err("not-permitted")


def test_read_what_was_written() -> None:
    """Writing past the end fills with zeros; the end is told."""
    here = context()
    file = directories.open_at(here, root(here), NONE, "f", CREATE, WRITE)
    assert files.write(here, file, b"xyz", 2) == 3
    assert files.read(here, file, 10, 0) == (b"\0\0xyz", True)
    assert files.read(here, file, 2, 0) == (b"\0\0", False)
    assert files.stat(here, file)[:3] == ("regular-file", 1, 5)


def test_a_file_opened_for_reading_is_not_written() -> None:
    """Rights are those asked for at opening."""
    here = context()
    directories.open_at(here, root(here), NONE, "f", CREATE, WRITE)
    file = directories.open_at(here, root(here), NONE, "f", NONE, frozenset({"read"}))
    assert files.write(here, file, b"x", 0) == Err("bad-descriptor")


PACKAGE = {"mounts": ["/var/task", "/1"], "files": {"a": b"hi", "d/e/f": b"deep", "d/g": b""}}


def test_a_package_is_read_and_never_changed() -> None:
    """At every one of its places it is the same tree; each way to change it is refused."""
    here = context()
    here.package = read_package(cbor.encode(PACKAGE))
    (tmp, _), (task, place), (other, alias) = directories.get_directories(here)
    assert (place, alias) == ("/var/task", "/1")
    assert files.is_same_object(here, task, other)
    deep = directories.open_at(here, other, NONE, "d/e", NONE, frozenset({"read", CHANGES}))
    file = directories.open_at(here, deep, NONE, "f", NONE, frozenset({"read"}))
    assert files.read(here, file, 9, 0) == (b"deep", True)
    assert files.stat(here, file)[4] == (315_532_800, 0)
    for refused in (
        directories.open_at(here, deep, NONE, "f", NONE, WRITE),
        directories.open_at(here, deep, NONE, "f", frozenset({"truncate"}), NONE),
        directories.open_at(here, deep, NONE, "new", CREATE, WRITE),
        directories.create_directory_at(here, deep, "new"),
        directories.unlink_file_at(here, deep, "f"),
        directories.remove_directory_at(here, task, "d"),
        directories.rename_at(here, task, "a", tmp, "a"),
        directories.rename_at(here, tmp, "a", task, "b"),
    ):
        assert refused == Err("read-only")
    assert files.write(here, file, b"x", 0) == Err("bad-descriptor")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        cbor.encode([1]),
        cbor.encode({"mounts": ["/a"]}),
        cbor.encode({"mounts": ["/a"] * 9, "files": {}}),
        cbor.encode({"mounts": ["/../a"], "files": {}}),
        cbor.encode({"mounts": ["/a"], "files": {"../x": b""}}),
        cbor.encode({"mounts": ["/a"], "files": {"x": "text"}}),
        cbor.encode({"mounts": ["/a"], "files": {"x": b"", "x/y": b""}}),
        cbor.encode({"mounts": ["/a"], "files": {"x": bytes(FILES_BYTES_MAX + 1)}}),
        cbor.encode({"mounts": ["/a"], "files": {str(n): b"" for n in range(FILES_MAX + 1)}}),
    ],
)
def test_what_is_no_package_is_refused(said: bytes) -> None:
    """Whatever a component brings along, within its bounds."""
    with pytest.raises(ValueError, match=r"file|stream"):
        read_package(said)


def test_names_are_bounded() -> None:
    """So are nodes nobody writes to."""
    here = context()
    made = [
        directories.create_directory_at(here, root(here), f"d{n}") for n in range(NODES_MAX + 5)
    ]
    assert Err("insufficient-space") in made


def test_unlinked_files_still_count_while_open() -> None:
    """Unlinking an open file frees nothing until the last handle is gone."""
    here = context()
    file = directories.open_at(here, root(here), NONE, "f", CREATE, WRITE)
    files.write(here, file, bytes(BYTES_MAX), 0)
    assert directories.unlink_file_at(here, root(here), "f") is None
    other = directories.open_at(here, root(here), NONE, "g", CREATE, WRITE)
    assert files.write(here, other, b"x", 0) == Err("insufficient-space")
    del file
    assert files.write(here, other, b"x", 0) == 1


def test_a_directory_does_not_move_into_itself() -> None:
    """It would be lost, and everything in it."""
    here = context()
    directories.create_directory_at(here, root(here), "a")
    assert directories.rename_at(here, root(here), "a", root(here), "a/b") == Err("invalid")


class Files(RuleBasedStateMachine):
    """Whatever is done in whatever order, the bounds and the books agree."""

    def __init__(self) -> None:
        super().__init__()
        self.here = context()
        self.open: list[Descriptor] = []

    @rule(path=NAMES, size=st.integers(0, BYTES_MAX + 8), at=st.integers(0, BYTES_MAX))
    def write(self, path: str, size: int, at: int) -> None:
        """Open or create, write, and keep it open."""
        file = directories.open_at(self.here, root(self.here), NONE, path, CREATE, WRITE)
        if isinstance(file, Descriptor):
            files.write(self.here, file, bytes(size), at)
            self.open.append(file)

    @rule(path=NAMES)
    def make(self, path: str) -> None:
        """Make a directory."""
        directories.create_directory_at(self.here, root(self.here), path)

    @rule(path=NAMES)
    def remove(self, path: str) -> None:
        """Remove whatever it is."""
        directories.unlink_file_at(self.here, root(self.here), path)
        directories.remove_directory_at(self.here, root(self.here), path)

    @rule(path=NAMES, new=NAMES)
    def rename(self, path: str, new: str) -> None:
        """Move it."""
        directories.rename_at(self.here, root(self.here), path, root(self.here), new)

    @rule()
    def close(self) -> None:
        """Let go of what was open."""
        self.open.clear()

    @invariant()
    def books_agree(self) -> None:
        """What is left and what is held make the whole."""
        held: dict[int, int] = {}
        waiting = [self.here.tree.root, *(descriptor.node for descriptor in self.open)]
        while waiting:
            node = waiting.pop()
            held[node.number] = len(getattr(node, "data", b""))
            if isinstance(node, Directory):
                waiting.extend(node.children.values())
        quota = self.here.tree.quota
        assert quota.bytes_left == BYTES_MAX - sum(held.values()) >= 0
        assert quota.nodes_left == NODES_MAX - len(held)


TestFiles = Files.TestCase
