"""A function as `/v1` shows it.

Neighbours: `functions.py` answers with it.
"""

from edge.model.function import SnapshotReport, Version
from edge.model.ids import LATEST
from edge.model.rate import Rate
from edge.model.readiness import Readiness


def info(version: Version) -> dict[str, object]:
    """The info document; sizes in bytes, times in ms, memory in MB."""
    settings, artifact = version.settings, version.artifact
    return {
        "name": version.function,
        "version": version.version,
        "revisionId": version.revision_id,
        "modifiedMs": version.modified_ms,
        "digest": artifact.digest,
        "sizeBytes": artifact.size_bytes,
        "kind": artifact.kind,
        "memoryMb": settings.limits.memory_mb,
        "timeoutMs": settings.limits.timeout_ms,
        "concurrency": version.shared.concurrency_max,
        "rate": _rate(version.shared.rate),
        "auth": version.shared.auth_type(LATEST).lower(),
        "environment": dict(settings.environment),
        "grants": list(settings.grants),
        "snapshot": _snapshot(artifact.snapshot),
        "prime": [prime.name for prime in settings.primes],
        "description": settings.description,
        "routes": [
            {
                "path": route.path,
                "methods": list(route.methods),
                "host": route.host,
                "qualifier": route.qualifier,
            }
            for route in version.shared.routes
        ],
    }


def ready(readiness: Readiness) -> dict[str, object]:
    """What waits for a function's events, on the worker that answers."""
    return {
        "waiting": readiness.ready,
        "hits": readiness.hits,
        "misses": readiness.misses,
        "memoryBytes": readiness.memory_bytes,
    }


def _rate(rate: Rate | None) -> dict[str, object] | None:
    return None if rate is None else {"perSecond": rate.per_s, "burst": rate.burst}


def _snapshot(report: SnapshotReport) -> dict[str, object]:
    return {
        "state": report.state,
        "reason": report.reason,
        "warnings": list(report.warnings),
        "imageBytes": report.image_bytes,
        "initFuel": report.init_fuel,
    }
