"""Deployment packages for tests: zips with modules in them, sound and otherwise."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile


def package(files: dict[str, bytes], *, compression: int = ZIP_DEFLATED) -> bytes:
    """A zip archive of `files`."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def stored(files: dict[str, bytes]) -> bytes:
    """The same, uncompressed, so that a test can find bytes in it."""
    return package(files, compression=ZIP_STORED)
