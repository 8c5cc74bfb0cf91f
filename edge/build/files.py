"""The files that a function may read at a request: beside its modules, packed into the component.

Neighbours: `python.py` asks; the host mounts them read-only (`host/wasi2/package.py`).
Invariant: the same files give the same bytes; what does not fit is told, and never cut in half.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from edge.model import cbor
from edge.model.sections import FILES_BYTES_MAX, FILES_MAX

_TOLD_MAX = 3


def pack_files(
    folder: Path, paths: Iterable[Path], mounts: Sequence[str]
) -> tuple[bytes, Sequence[str]]:
    """The section that shows `paths`, relative to `folder`, at every one of `mounts`; and warnings.

    The first ones come first: what is over FILES_MAX or FILES_BYTES_MAX in all is left out.
    """
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    room = FILES_BYTES_MAX
    nodes: set[Path] = set()
    for path in paths:
        place = path.relative_to(folder)
        size = path.stat().st_size
        added = {place, *place.parents} - nodes
        if size > room or len(nodes) + len(added) > FILES_MAX:
            left_out.append(place.as_posix())
            continue
        room -= size
        nodes |= added
        files[place.as_posix()] = path.read_bytes()
    section = cbor.encode({"mounts": list(mounts), "files": files}) if files else b""
    return section, _warnings(left_out)


def _warnings(left_out: Sequence[str]) -> Sequence[str]:
    if not left_out:
        return ()
    named = ", ".join(left_out[:_TOLD_MAX]) + (", …" if len(left_out) > _TOLD_MAX else "")
    return (
        f"{len(left_out)} files are not there at a request ({named}): all together are over"
        f" {FILES_BYTES_MAX >> 20} MiB or {FILES_MAX}",
    )
