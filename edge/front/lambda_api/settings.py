"""A function's settings from the members of Lambda's documents.

Neighbours: `deployments.py`. Grants have no word in Lambda's API: they are kept as they are.
Invariant: a member that would change what the function does is honoured or refused, never
ignored; one that could not (tracing, log format, scratch space) is let pass.
"""

from dataclasses import replace

from edge.front.lambda_api.inputs import (
    Document,
    integer,
    listed,
    structure,
    text,
    texts,
)
from edge.model.errors import InvalidConfiguration
from edge.model.function import Settings
from edge.model.runtimes import language_of

ARCHITECTURES = ("x86_64", "arm64")
SNAP_STARTS = ("PublishedVersions", "None")
TEXT_CHARS_MAX = 2_048

# Member, and the part of it that makes it matter.
_UNSUPPORTED = (
    ("Layers", None),
    ("FileSystemConfigs", None),
    ("ImageConfig", None),
    ("VpcConfig", "SubnetIds"),
    ("DeadLetterConfig", "TargetArn"),
)


def settings_from(document: Document, current: Settings) -> Settings:
    """`current` with every member that `document` has; raises InvalidConfiguration."""
    _refuse_unsupported(document)
    settings = replace(
        current,
        limits=replace(
            current.limits,
            timeout_ms=integer(document, "Timeout", 0) * 1000 or current.limits.timeout_ms,
            memory_mb=integer(document, "MemorySize", 0) or current.limits.memory_mb,
        ),
        description=text(document, "Description", current.description),
        handler=_bounded(document, "Handler", current.handler),
        role=_bounded(document, "Role", current.role),
        runtime=_runtime(document, current),
        architectures=architectures_from(document, current),
        snapshot=_snapshot(document, current),
    )
    if document.get("Environment") is not None:
        variables = texts(structure(document, "Environment"), "Variables")
        settings = replace(settings, environment=variables)
    return settings


def architectures_from(document: Document, current: Settings) -> tuple[str, ...]:
    """The one architecture named; a module runs on each, so it is kept to be shown only."""
    named = listed(document, "Architectures")
    if not named:
        return current.architectures
    if len(named) != 1:
        raise InvalidConfiguration("Architectures must name exactly one")
    return (_choice(str(named[0]), "Architectures", ARCHITECTURES),)


def _refuse_unsupported(document: Document) -> None:
    for member, part in _UNSUPPORTED:
        value = structure(document, member).get(part) if part else document.get(member)
        if value:
            raise InvalidConfiguration(f"{member} is not available here: leave it out")


def _snapshot(document: Document, current: Settings) -> bool:
    """SnapStart as our snapshot; who does not name it has one, as it costs nothing to have."""
    apply_on = text(structure(document, "SnapStart"), "ApplyOn")
    if not apply_on:
        return current.snapshot
    return _choice(apply_on, "SnapStart.ApplyOn", SNAP_STARTS) == "PublishedVersions"


def _runtime(document: Document, current: Settings) -> str:
    runtime = text(document, "Runtime", current.runtime)
    language_of(runtime)
    return runtime


def _bounded(document: Document, member: str, default: str) -> str:
    value = text(document, member, default)
    if len(value) > TEXT_CHARS_MAX:
        raise InvalidConfiguration(f"{member} must have at most {TEXT_CHARS_MAX} characters")
    return value


def _choice(value: str, member: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise InvalidConfiguration(f"{member} must be one of {', '.join(choices)}")
    return value
