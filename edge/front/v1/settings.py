"""A function's settings from `/v1`'s document.

Neighbours: `functions.py`. Bounds are checked by `Limits` and by `deploy/`; types and names here.
Invariant: the document states all settings of a version: a key it lacks has its default, one it
should not have is refused. What only Lambda's API can say (handler, role …) is kept. `concurrency`,
`rate`, `auth` and `routes` are the function's, not the version's: a document without one leaves it.
"""

from dataclasses import replace
from difflib import get_close_matches
from time import time_ns

from edge.model.errors import InvalidConfiguration
from edge.model.function import Settings, SharedSettings
from edge.model.limits import MEMORY_MB_DEFAULT, TIMEOUT_MS_DEFAULT, Limits
from edge.model.prime import Prime, check_primes
from edge.model.rate import Rate, rate_of
from edge.model.route import Route
from edge.model.url import AuthType

KEYS = (
    "memoryMb",
    "timeoutMs",
    "concurrency",
    "rate",
    "auth",
    "environment",
    "grants",
    "snapshot",
    "prime",
    "description",
    "routes",
)
_ROUTE_KEYS = frozenset(("path", "methods", "host", "qualifier"))
_RATE_KEYS = frozenset(("perSecond", "burst"))
_PRIME_KEYS = frozenset(("name", "event", "answers"))


GRANT = "edge:PutGrants"
"""The action that it takes to give a function other grants."""


def settings_from(document: object, current: Settings) -> Settings:
    """Read a settings document; raises InvalidConfiguration."""
    if not isinstance(document, dict):
        raise InvalidConfiguration("settings must be a map")
    for key in document:
        if key not in KEYS:
            raise InvalidConfiguration(f"settings have no key {key!r}{_hint(str(key))}")
    return replace(
        current,
        limits=Limits(
            timeout_ms=_whole(document, "timeoutMs", TIMEOUT_MS_DEFAULT),
            memory_mb=_whole(document, "memoryMb", MEMORY_MB_DEFAULT),
        ),
        environment=_environment(document.get("environment", {})),
        grants=_grants(document.get("grants", [])),
        snapshot=_flag(document, "snapshot", default=True),
        primes=_primes(document.get("prime", [])),
        description=_text(document, "description"),
    )


def shared_from(document: object, shared: SharedSettings) -> SharedSettings:
    """`shared` with what a settings document says of it; raises InvalidConfiguration."""
    if not isinstance(document, dict):
        return shared
    if "concurrency" in document:
        is_free = document["concurrency"] is None
        concurrency_max = None if is_free else _whole(document, "concurrency", 0)
        shared = replace(shared, concurrency_max=concurrency_max)
    if "routes" in document:
        shared = replace(shared, routes=_routes(document["routes"]))
    if "rate" in document:
        shared = replace(shared, rate=_rate(document["rate"]))
    if "auth" in document:
        shared = shared.with_auth_type(_auth_type(document), time_ns() // 1_000_000)
    return shared


def actions_of(before: SharedSettings, after: SharedSettings) -> tuple[str, ...]:
    """The actions that a change of shared settings takes, beside deploying."""
    changes = (
        ("lambda:UpdateFunctionUrlConfig", before.urls != after.urls),
        ("lambda:PutFunctionConcurrency", before.concurrency_max != after.concurrency_max),
        ("edge:PutRoutes", before.routes != after.routes),
        ("edge:PutRate", before.rate != after.rate),
    )
    return tuple(action for action, is_changed in changes if is_changed)


def _rate(value: object) -> Rate | None:
    """`{"perSecond": 50, "burst": 100}`, null for none; `burst` may be left out."""
    if value is None:
        return None
    if not isinstance(value, dict) or not {"perSecond"} <= value.keys() <= _RATE_KEYS:
        raise InvalidConfiguration('rate must be null or a map of "perSecond" and "burst"')
    per_s = value["perSecond"]
    if not isinstance(per_s, int | float) or isinstance(per_s, bool):
        raise InvalidConfiguration("perSecond must be a number")
    return rate_of(per_s, _whole(value, "burst", 1) if "burst" in value else None)


def _auth_type(document: dict[str, object]) -> AuthType:
    try:
        return AuthType(_text(document, "auth").upper())
    except ValueError:
        names = ", ".join(each.lower() for each in AuthType)
        raise InvalidConfiguration(f"auth must be one of {names}") from None


def _hint(key: str) -> str:
    near = get_close_matches(key, KEYS, n=1)
    return f": did you mean {near[0]!r}?" if near else f": it has {', '.join(KEYS)}"


def _whole(document: dict[str, object], key: str, default: int) -> int:
    value = document.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidConfiguration(f"{key} must be a whole number")
    return value


def _flag(document: dict[str, object], key: str, *, default: bool) -> bool:
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise InvalidConfiguration(f"{key} must be true or false")
    return value


def _text(document: dict[str, object], key: str) -> str:
    value = document.get(key, "")
    if not isinstance(value, str):
        raise InvalidConfiguration(f"{key} must be text")
    return value


def _environment(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise InvalidConfiguration("environment must be a map of text to text")
    pairs = [(key, text) for key, text in value.items()]
    if not all(isinstance(key, str) and isinstance(text, str) for key, text in pairs):
        raise InvalidConfiguration("environment must be a map of text to text")
    return tuple(sorted(pairs))


def _grants(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(grant, str) for grant in value):
        raise InvalidConfiguration("grants must be a list of texts")
    return tuple(value)


def _routes(value: object) -> tuple[Route, ...]:
    """Maps of `path` and perhaps `methods`, a list of texts, `host` and `qualifier`, both texts."""
    if not isinstance(value, list):
        raise InvalidConfiguration("routes must be a list of maps")
    return tuple(_route(item) for item in value)


def _route(item: object) -> Route:
    if isinstance(item, dict) and {"path"} <= item.keys() <= _ROUTE_KEYS:
        methods = item.get("methods", [])
        texts = [text for key, text in item.items() if key != "methods"]
        if isinstance(methods, list) and all(isinstance(t, str) for t in (*texts, *methods)):
            return Route(**{**item, "methods": tuple(methods)})
    raise InvalidConfiguration(
        'each of routes must be a map of the text "path" and, if you like, the texts "host" and'
        ' "qualifier" and the list of texts "methods"'
    )


def _primes(value: object) -> tuple[Prime, ...]:
    """Maps of `name`, `event` and perhaps `answers`, each a text; the latter two hold JSON."""
    if not isinstance(value, list):
        raise InvalidConfiguration("prime must be a list of events")
    primes = []
    for item in value:
        is_map = isinstance(item, dict) and {"name", "event"} <= item.keys() <= _PRIME_KEYS
        if not is_map or not all(isinstance(text, str) for text in item.values()):
            raise InvalidConfiguration(
                'each of prime must be a map of the texts "name", "event" and "answers"'
            )
        primes.append(Prime(**item))
    check_primes(tuple(primes))
    return tuple(primes)
