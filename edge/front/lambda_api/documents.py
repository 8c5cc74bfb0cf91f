"""The documents Lambda's clients read: FunctionConfiguration and what is around it.

Neighbours: `listings.py` and `deployments.py` answer with these.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html.
A function is Active and its last update Successful as soon as it can be seen: a deploy is live on
every worker before it is answered, so clients that wait find nothing to wait for.
"""

from base64 import b64encode
from datetime import UTC, datetime

from edge.model.function import SnapshotState, Version
from edge.model.ids import function_arn


def configuration(version: Version, qualifier: str | None = None) -> dict[str, object]:
    """FunctionConfiguration. CodeSha256 and CodeSize are the zip's, of a bare module its own."""
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
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "TracingConfig": {"Mode": "PassThrough"},
        "EphemeralStorage": {"Size": 512},
        "SnapStart": _snap_start(artifact.snapshot.state),
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{version.function}"},
    }
    if settings.environment:
        document["Environment"] = {"Variables": dict(settings.environment)}
    return document


def function(version: Version, qualifier: str | None) -> dict[str, object]:
    """What GetFunction answers."""
    shared = version.shared
    document: dict[str, object] = {
        "Configuration": configuration(version, qualifier),
        "Code": {"RepositoryType": "edge", "Location": f"sha256:{version.artifact.digest}"},
    }
    if shared.tags:
        document["Tags"] = dict(shared.tags)
    if shared.concurrency_max is not None:
        document["Concurrency"] = {"ReservedConcurrentExecutions": shared.concurrency_max}
    return document


def code_sha256(version: Version) -> str:
    """The SHA-256 in base64 of what was uploaded: the zip, or the module that came without one."""
    package = version.artifact.package
    digest = version.artifact.digest if package is None else package.digest
    return b64encode(bytes.fromhex(digest)).decode()


def lambda_time(time_ms: int) -> str:
    """`time_ms` as `2022-08-05T08:14:39.123+0000`."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}+0000"


def _snap_start(state: SnapshotState) -> dict[str, str]:
    taken = state is SnapshotState.TAKEN
    return {
        "ApplyOn": "PublishedVersions" if taken else "None",
        "OptimizationStatus": "On" if taken else "Off",
    }
