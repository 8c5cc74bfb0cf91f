"""The files that a function was built with: read-only, and one tree for all of its guests.

They lie in a section of the component: CBOR of `{"mounts": [place, …], "files": {path: bytes, …}}`.
Every place shows the same tree.

Neighbours: `edge/build` writes the section, `sandbox/component/` reads it once for a component;
`directories.py` hands the root out.
Invariant: nothing changes it: a descriptor of it has no right to.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

from edge.host.wasi2.tree import Directory, File, Quota, Refused, find_place, split_path
from edge.model import cbor
from edge.model.sections import FILES_BYTES_MAX, FILES_MAX

MOUNTS_MAX: Final = 4
_Kind = TypeVar("_Kind", File, Directory)
_EPOCH_NS: Final = 315_532_800 * 1_000_000_000
_FIRST_NUMBER: Final = 1 << 32
"""Beyond every number of a `/tmp`, so that no two files have the same one."""


@dataclass(frozen=True, slots=True)
class Package:
    """Where a function's files are seen, and the directory that holds them."""

    mounts: tuple[str, ...]
    root: Directory


def read_package(content: bytes) -> Package:
    """The tree of a section. Raises ValueError, with the reason."""
    said = cbor.decode(content)
    if not isinstance(said, dict):
        raise ValueError("its files are no map")
    mounts, files = said.get("mounts"), said.get("files")
    if not isinstance(mounts, list) or not isinstance(files, dict) or len(mounts) > MOUNTS_MAX:
        raise ValueError("its files have no places")
    quota = Quota(FILES_BYTES_MAX, FILES_MAX, _FIRST_NUMBER)
    root = _at_epoch(Directory(quota))
    try:
        for place in mounts:
            split_path(str(place).removeprefix("/"))
        for path, data in files.items():
            _add(root, path, data)
    except Refused as refused:
        raise ValueError(f"its files do not fit: {refused.code}") from None
    return Package(tuple(map(str, mounts)), root)


def _add(root: Directory, path: str, data: object) -> None:
    """Put a file at a path, and the directories before it. Raises Refused, ValueError."""
    if not isinstance(data, bytes):
        raise ValueError(f"its file {path[:80]!r} is no byte string")
    directory = root
    *folders, _ = split_path(path) or [""]
    for name in folders:
        child = directory.children.get(name)
        if child is None:
            child = directory.children[name] = _at_epoch(Directory(root.quota))
        if not isinstance(child, Directory):
            raise Refused("not-directory")
        directory = child
    _, name = find_place(root, path)
    if name in directory.children:
        raise Refused("exist")
    file = directory.children[name] = File(root.quota)
    file.write(0, data)
    _at_epoch(file)


def _at_epoch(node: _Kind) -> _Kind:
    node.accessed_ns = node.modified_ns = _EPOCH_NS
    return node
