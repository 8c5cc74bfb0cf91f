"""Artifacts and settings as JSON documents: written and read member by member, with a format.

Neighbours: the backends of `functions.py` keep these texts in their columns.
Invariant: decoding gives back what was encoded, or raises StorageFailure. A member this edge does
not know is refused, never dropped: it would be lost at the next write.

To add a member: raise FORMAT, and let the decoder tell the formats apart.
"""

from collections.abc import Mapping

from edge.model.errors import EdgeError, StorageFailure
from edge.model.function import (
    Artifact,
    GuestKind,
    Package,
    Provision,
    Settings,
    SharedSettings,
    ShownSettings,
    SnapshotReport,
    SnapshotState,
)
from edge.model.limits import Limits
from edge.model.policy import FunctionPolicy
from edge.model.rate import Rate
from edge.model.route import Route
from edge.model.url import AuthType, Cors, InvokeMode, UrlConfig
from edge.storage.members import Members, decode, encode

_PRIMES_SINCE = 2
_SHARED_SINCE = 3
_PACKAGES_SINCE = 4
_PROVISIONS_SINCE = 5
_POLICIES_SINCE = 6
_ROUTES_SINCE = 7
_RATES_SINCE = 8
_SHOWN_SINCE = 9


def encode_artifact(artifact: Artifact) -> str:
    """The JSON text of an artifact."""
    snapshot, package = artifact.snapshot, artifact.package
    return encode(
        {
            "digest": artifact.digest,
            "sizeBytes": artifact.size_bytes,
            "image": artifact.image,
            "kind": artifact.kind.value,
            "snapshot": {
                "state": snapshot.state.value,
                "reason": snapshot.reason,
                "warnings": list(snapshot.warnings),
                "imageBytes": snapshot.image_bytes,
                "initFuel": snapshot.init_fuel,
            },
            "package": [] if package is None else [_package_members(package)],
        }
    )


def decode_artifact(text: str) -> Artifact:
    """The artifact of a JSON text. Raises StorageFailure."""
    members = decode("artifact", text)
    if members.format < _PACKAGES_SINCE:
        members.add("package", [])
    snapshot = members.members("snapshot")
    packages = [_package(each) for each in members.many("package")]
    try:
        artifact = Artifact(
            digest=members.text("digest"),
            size_bytes=members.integer("sizeBytes"),
            image=members.text("image"),
            kind=GuestKind(members.text("kind")),
            snapshot=SnapshotReport(
                state=SnapshotState(snapshot.text("state")),
                reason=snapshot.text("reason"),
                warnings=snapshot.texts("warnings"),
                image_bytes=snapshot.integer("imageBytes"),
                init_fuel=snapshot.integer("initFuel"),
            ),
            package=packages[0] if packages else None,
        )
    except ValueError as error:
        raise StorageFailure(f"the stored artifact is unknown to this edge: {error}") from error
    snapshot.refuse_rest()
    members.refuse_rest()
    return artifact


def _package_members(package: Package) -> Mapping[str, object]:
    return {
        "digest": package.digest,
        "sizeBytes": package.size_bytes,
        "isSource": package.is_source,
    }


def _package(members: Members) -> Package:
    package = Package(
        digest=members.text("digest"),
        size_bytes=members.integer("sizeBytes"),
        is_source=members.flag("isSource"),
    )
    members.refuse_rest()
    return package


def encode_settings(settings: Settings) -> str:
    """The JSON text of settings; pairs are kept as lists, for their order."""
    limits = settings.limits
    return encode(
        {
            "limits": {
                "timeoutMs": limits.timeout_ms,
                "memoryMb": limits.memory_mb,
            },
            "environment": [list(pair) for pair in settings.environment],
            "grants": list(settings.grants),
            "snapshot": settings.snapshot,
            "description": settings.description,
            "handler": settings.handler,
            "runtime": settings.runtime,
            "role": settings.role,
            "architectures": list(settings.architectures),
            "primes": [[prime.name, prime.event, prime.answers] for prime in settings.primes],
            "shown": _shown_members(settings.shown),
        }
    )


def decode_settings(text: str) -> Settings:
    """The settings of a JSON text. Raises StorageFailure."""
    members = decode("settings", text)
    bounds = members.members("limits")
    if members.format < _PRIMES_SINCE:
        members.add("primes", [])
    if members.format < _SHOWN_SINCE:
        members.add("shown", _shown_members(ShownSettings()))
    if members.format < _SHARED_SINCE:  # the function's own by now
        bounds.drop("concurrencyMax")
        members.drop("tags")
    try:
        limits = Limits(
            timeout_ms=bounds.integer("timeoutMs"),
            memory_mb=bounds.integer("memoryMb"),
        )
    except StorageFailure:
        raise
    except EdgeError as error:
        raise StorageFailure(f"the stored limits are beyond this edge's: {error}") from error
    settings = Settings(
        limits=limits,
        environment=members.pairs("environment"),
        grants=members.texts("grants"),
        snapshot=members.flag("snapshot"),
        description=members.text("description"),
        handler=members.text("handler"),
        runtime=members.text("runtime"),
        role=members.text("role"),
        architectures=members.texts("architectures"),
        primes=members.primes("primes"),
        shown=_shown(members.members("shown")),
    )
    bounds.refuse_rest()
    members.refuse_rest()
    return settings


def _shown_members(shown: ShownSettings) -> Mapping[str, object]:
    return {
        "tracingMode": shown.tracing_mode,
        "ephemeralStorageMb": shown.ephemeral_storage_mb,
        "logging": [list(pair) for pair in shown.logging],
        "snapStart": shown.snap_start,
    }


def _shown(members: Members) -> ShownSettings:
    shown = ShownSettings(
        tracing_mode=members.text("tracingMode"),
        ephemeral_storage_mb=members.integer("ephemeralStorageMb"),
        logging=members.pairs("logging"),
        snap_start=members.text("snapStart"),
    )
    members.refuse_rest()
    return shown


def encode_shared(shared: SharedSettings) -> str:
    """The JSON text of a function's shared settings."""
    return encode(
        {
            "concurrencyMax": shared.concurrency_max,
            "tags": [list(pair) for pair in shared.tags],
            "urls": [_url_members(url) for url in shared.urls],
            "provisions": [_provision_members(each) for each in shared.provisions],
            "policies": [_policy_members(each) for each in shared.policies],
            "routes": [_route_members(each) for each in shared.routes],
            "rate": [] if shared.rate is None else [_rate_members(shared.rate)],
        }
    )


def decode_shared(text: str) -> SharedSettings:
    """The shared settings of a JSON text. Raises StorageFailure."""
    members = decode("shared settings", text)
    if members.format < _PROVISIONS_SINCE:
        members.add("provisions", [])
    if members.format < _POLICIES_SINCE:
        members.add("policies", [])
    if members.format < _ROUTES_SINCE:
        members.add("routes", [])
    if members.format < _RATES_SINCE:
        members.add("rate", [])
    try:
        rates = [_rate(each) for each in members.many("rate")]
        shared = SharedSettings(
            concurrency_max=members.integer_or_none("concurrencyMax"),
            tags=members.pairs("tags"),
            urls=tuple(_url(url) for url in members.many("urls")),
            provisions=tuple(_provision(each) for each in members.many("provisions")),
            policies=tuple(_policy(each) for each in members.many("policies")),
            routes=tuple(_route(each) for each in members.many("routes")),
            rate=rates[0] if rates else None,
        )
    except StorageFailure:
        raise
    except (EdgeError, ValueError) as error:
        raise StorageFailure(f"the shared settings are unknown to this edge: {error}") from error
    members.refuse_rest()
    return shared


def _provision_members(provision: Provision) -> Mapping[str, object]:
    return {
        "qualifier": provision.qualifier,
        "count": provision.count,
        "modifiedMs": provision.modified_ms,
    }


def _provision(members: Members) -> Provision:
    provision = Provision(
        qualifier=members.text("qualifier"),
        count=members.integer("count"),
        modified_ms=members.integer("modifiedMs"),
    )
    members.refuse_rest()
    return provision


def _policy_members(policy: FunctionPolicy) -> Mapping[str, object]:
    return {
        "qualifier": policy.qualifier,
        "revisionId": policy.revision_id,
        "statements": [list(pair) for pair in policy.statements],
    }


def _policy(members: Members) -> FunctionPolicy:
    policy = FunctionPolicy(
        qualifier=members.text("qualifier"),
        revision_id=members.text("revisionId"),
        statements=members.pairs("statements"),
    )
    members.refuse_rest()
    return policy


def _route_members(route: Route) -> Mapping[str, object]:
    return {
        "path": route.path,
        "methods": list(route.methods),
        "host": route.host,
        "qualifier": route.qualifier,
    }


def _route(members: Members) -> Route:
    route = Route(
        path=members.text("path"),
        methods=members.texts("methods"),
        host=members.text("host"),
        qualifier=members.text("qualifier"),
    )
    members.refuse_rest()
    return route


def _rate_members(rate: Rate) -> Mapping[str, object]:
    return {"perS": rate.per_s, "burst": rate.burst}


def _rate(members: Members) -> Rate:
    rate = Rate(per_s=members.number("perS"), burst=members.integer("burst"))
    members.refuse_rest()
    return rate


def _url_members(url: UrlConfig) -> Mapping[str, object]:
    return {
        "qualifier": url.qualifier,
        "authType": url.auth_type.value,
        "createdMs": url.created_ms,
        "modifiedMs": url.modified_ms,
        "invokeMode": url.invoke_mode.value,
        "cors": [_cors_members(url.cors)] if url.cors is not None else [],
    }


def _url(members: Members) -> UrlConfig:
    cors = [_cors(each) for each in members.many("cors")]
    url = UrlConfig(
        qualifier=members.text("qualifier"),
        auth_type=AuthType(members.text("authType")),
        created_ms=members.integer("createdMs"),
        modified_ms=members.integer("modifiedMs"),
        invoke_mode=InvokeMode(members.text("invokeMode")),
        cors=cors[0] if cors else None,
    )
    members.refuse_rest()
    return url


def _cors_members(cors: Cors) -> Mapping[str, object]:
    return {
        "allowCredentials": cors.allow_credentials,
        "allowHeaders": list(cors.allow_headers),
        "allowMethods": list(cors.allow_methods),
        "allowOrigins": list(cors.allow_origins),
        "exposeHeaders": list(cors.expose_headers),
        "maxAgeS": cors.max_age_s,
    }


def _cors(members: Members) -> Cors:
    cors = Cors(
        allow_credentials=members.flag("allowCredentials"),
        allow_headers=members.texts("allowHeaders"),
        allow_methods=members.texts("allowMethods"),
        allow_origins=members.texts("allowOrigins"),
        expose_headers=members.texts("exposeHeaders"),
        max_age_s=members.integer("maxAgeS"),
    )
    members.refuse_rest()
    return cors
