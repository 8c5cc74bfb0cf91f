"""A function's settings from the members of Lambda's documents.

Neighbours: `deployments.py`. Grants have no word in Lambda's API: they are kept as they are.
Invariant: a member that would change what the function does is honoured or refused, never
ignored; one that could not (tracing, log format, scratch space) is kept to be read again.
"""

import re
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
from edge.model.function import Settings, ShownSettings
from edge.model.runtimes import language_of

ARCHITECTURES = ("x86_64", "arm64")
SNAP_STARTS = ("PublishedVersions", "None")
TRACING_MODES = ("Active", "PassThrough")
LOG_FORMATS = ("JSON", "Text")
LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
EPHEMERAL_STORAGE_MB_MIN, EPHEMERAL_STORAGE_MB_MAX = 512, 10_240
TEXT_CHARS_MAX = 2_048
_LOG_GROUP = re.compile(r"[-./_#A-Za-z0-9]{1,512}")

# Member, and the part of it that makes it matter.
_UNSUPPORTED = (
    ("Layers", None),
    ("FileSystemConfigs", None),
    ("ImageConfig", None),
    ("VpcConfig", "SubnetIds"),
    ("DeadLetterConfig", "TargetArn"),
    ("KMSKeyArn", None),
    ("SourceKMSKeyArn", None),
    ("CodeSigningConfigArn", None),
    ("CapacityProviderConfig", None),
    ("DurableConfig", None),
    ("TenancyConfig", None),
    ("RuntimeConfig", None),
    ("AcceleratorConfig", None),
    ("PublishTo", None),
)


def settings_from(document: Document, current: Settings) -> Settings:
    """`current` with every member that `document` has; raises InvalidConfiguration."""
    refuse_unsupported(document)
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
        shown=_shown(document, current.shown),
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


def refuse_unsupported(document: Document) -> None:
    """Raises InvalidConfiguration for a member that nothing here corresponds to."""
    for member, part in _UNSUPPORTED:
        value = structure(document, member).get(part) if part else document.get(member)
        if value:
            raise InvalidConfiguration(f"{member} is not available here: leave it out")


def _snapshot(document: Document, current: Settings) -> bool:
    """SnapStart as our snapshot; who does not name it has one, as it costs nothing to have."""
    apply_on = text(structure(document, "SnapStart"), "ApplyOn")
    return apply_on == "PublishedVersions" if apply_on else current.snapshot


def _shown(document: Document, current: ShownSettings) -> ShownSettings:
    """What is kept to be read again."""
    size_mb = integer(structure(document, "EphemeralStorage"), "Size", current.ephemeral_storage_mb)
    if not EPHEMERAL_STORAGE_MB_MIN <= size_mb <= EPHEMERAL_STORAGE_MB_MAX:
        raise InvalidConfiguration(
            f"EphemeralStorage.Size must be from {EPHEMERAL_STORAGE_MB_MIN} to"
            f" {EPHEMERAL_STORAGE_MB_MAX}"
        )
    return ShownSettings(
        tracing_mode=_chosen(document, "TracingConfig", "Mode", TRACING_MODES)
        or current.tracing_mode,
        ephemeral_storage_mb=size_mb,
        logging=_logging(document, current.logging),
        snap_start=_chosen(document, "SnapStart", "ApplyOn", SNAP_STARTS) or current.snap_start,
    )


def _logging(
    document: Document, current: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """A LoggingConfig, the members that it does not name as they were."""
    config = structure(document, "LoggingConfig")
    group = text(config, "LogGroup")
    if group and not _LOG_GROUP.fullmatch(group):
        raise InvalidConfiguration(f"LoggingConfig.LogGroup cannot be {group[:80]!r}")
    named = {
        "LogFormat": _chosen(document, "LoggingConfig", "LogFormat", LOG_FORMATS),
        "ApplicationLogLevel": _chosen(
            document, "LoggingConfig", "ApplicationLogLevel", LOG_LEVELS
        ),
        "SystemLogLevel": _chosen(document, "LoggingConfig", "SystemLogLevel", LOG_LEVELS[1:4]),
        "LogGroup": group,
    }
    kept = {**dict(current), **{member: value for member, value in named.items() if value}}
    return tuple(sorted(kept.items()))


def _chosen(document: Document, member: str, part: str, choices: tuple[str, ...]) -> str:
    """One of the choices, empty when none is named."""
    value = text(structure(document, member), part)
    return _choice(value, f"{member}.{part}", choices) if value else ""


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
