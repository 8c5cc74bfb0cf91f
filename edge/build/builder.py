"""Builds one project: known already, or compiled and kept.

Neighbours: `edge/cli` calls it with what `languages.py` found.
Invariant: what it returns is whole; a build that failed leaves nothing in the cache.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.build.cache import Cache, digest_of
from edge.build.language import Language
from edge.build.project import Project, tree_files
from edge.build.sdk import TEMPLATE, sdk_directory
from edge.model.errors import BuildFailed


@dataclass(frozen=True, slots=True)
class Built:
    """A module or component; `is_new` tells whether it was compiled now."""

    module: bytes
    is_new: bool


def build(language: Language, project: Project, cache: Cache) -> Built:
    """The module of `project`; raises BuildFailed, MissingToolchain among them."""
    digest = _digest(language, project)
    known = cache.get(digest) if digest else None
    if known is not None:
        return Built(known, is_new=False)
    with cache.scratch() as directory:
        output = directory / f"{project.name}.wasm"
        language.compile(project, output)
        try:
            module = output.read_bytes()
        except OSError:
            raise BuildFailed(f"{project.name}: the compiler wrote no module") from None
        if digest:
            cache.keep(digest, output)
    return Built(module, is_new=True)


def _digest(language: Language, project: Project) -> str | None:
    """Names the build by all its inputs; None where they are not known."""
    toolchain = language.check_toolchain()
    inputs = language.inputs(project)
    if inputs is None:
        return None
    sdk = digest_of((), _sdk_files(language.name), sdk_directory(language.name))
    how = Path(inspect.getfile(type(language))).read_text()  # its flags are an input, too
    return digest_of(
        (language.name, how, toolchain, sdk, *_facts(project)), inputs, project.directory
    )


def _sdk_files(name: str) -> Iterator[Path]:
    directory = sdk_directory(name)
    for path in tree_files(directory):
        if TEMPLATE not in path.relative_to(directory).parts:
            yield path


def _facts(project: Project) -> Iterator[str]:
    """What a build depends on beside files."""
    yield str(project.source.relative_to(project.directory))
    yield project.handler
    for key, value in project.environment:
        yield f"{key}={value}"
    for prime in project.primes:
        yield from (prime.name, prime.event, prime.answers)
