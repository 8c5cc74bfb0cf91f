"""The documents Lambda's clients read: FunctionConfiguration and what is around it.

Neighbours: `listings.py` and `deployments.py` answer with these.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html.
What was made is live on every worker before it is told as Active or Successful.
"""

from base64 import b64encode
from datetime import UTC, datetime

from edge.model.function import Settings, SnapshotState, Version
from edge.model.ids import function_arn
from edge.model.progress import Progress


def configuration(
    version: Version, qualifier: str | None = None, progress: Progress | None = None
) -> dict[str, object]:
    """FunctionConfiguration; `progress` is a change under way or failed.

    CodeSha256 and CodeSize are the zip's, of a bare module its own.
    """
    settings, artifact = version.settings, version.artifact
    package = artifact.package
    document: dict[str, object] = {
        "FunctionName": version.function,
        "FunctionArn": function_arn(version.function, qualifier),
        "Runtime": settings.runtime,
        "Role": settings.role,
        "Handler": settings.handler,
        "CodeSize": artifact.size_bytes if package is None else package.size_bytes,
        "CodeSha256": code_sha256(version),
        "Description": settings.description,
        "Timeout": -(-settings.limits.timeout_ms // 1000),
        "MemorySize": settings.limits.memory_mb,
        "LastModified": lambda_time(version.modified_ms),
        "Version": version.version,
        "RevisionId": version.revision_id,
        "PackageType": "Zip",
        "Architectures": list(settings.architectures),
        **_state(progress),
        "TracingConfig": {"Mode": settings.shown.tracing_mode},
        "EphemeralStorage": {"Size": settings.shown.ephemeral_storage_mb},
        "SnapStart": _snap_start(settings, artifact.snapshot.state),
        "LoggingConfig": _logging(version),
    }
    if settings.environment:
        document["Environment"] = {"Variables": dict(settings.environment)}
    return document


def function(
    version: Version, qualifier: str | None, progress: Progress | None = None
) -> dict[str, object]:
    """What GetFunction answers."""
    shared = version.shared
    document: dict[str, object] = {
        "Configuration": configuration(version, qualifier, progress),
        "Code": {"RepositoryType": "edge", "Location": f"sha256:{version.artifact.digest}"},
    }
    if shared.tags:
        document["Tags"] = dict(shared.tags)
    if shared.concurrency_max is not None:
        document["Concurrency"] = {"ReservedConcurrentExecutions": shared.concurrency_max}
    return document


def _state(progress: Progress | None) -> dict[str, object]:
    """State and LastUpdateStatus, with their reasons."""
    if progress is None:
        return {"State": "Active", "LastUpdateStatus": "Successful"}
    creates, failed = progress.draft is not None, progress.failed
    told: dict[str, object] = {
        "State": ("Pending" if failed is None else "Failed") if creates else "Active",
        "LastUpdateStatus": "InProgress" if failed is None else "Failed",
    }
    if creates:
        told["StateReasonCode"] = "Creating" if failed is None else failed.value
        told["StateReason"] = (
            "The function is being created." if failed is None else progress.message
        )
    if failed is not None:
        told["LastUpdateStatusReasonCode"] = failed.value
        told["LastUpdateStatusReason"] = progress.message
    return told


def code_sha256(version: Version) -> str:
    """The SHA-256 in base64 of what was uploaded: the zip, or the module that came without one."""
    package = version.artifact.package
    digest = version.artifact.digest if package is None else package.digest
    return b64encode(bytes.fromhex(digest)).decode()


def lambda_time(time_ms: int) -> str:
    """`time_ms` as `2022-08-05T08:14:39.123+0000`."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}+0000"


def _snap_start(settings: Settings, state: SnapshotState) -> dict[str, str]:
    """What was asked for, and whether this version runs from a snapshot, asked for or not."""
    return {
        "ApplyOn": settings.shown.snap_start,
        "OptimizationStatus": "On" if state is SnapshotState.TAKEN else "Off",
    }


def _logging(version: Version) -> dict[str, str]:
    """LoggingConfig as it was set, over Lambda's defaults."""
    chosen = dict(version.settings.shown.logging)
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    return {
        "LogFormat": "Text",
        "LogGroup": f"/aws/lambda/{version.function}",
        **(levels if chosen.get("LogFormat") == "JSON" else {}),
        **chosen,
    }
