"""`edge.toml`: which functions a directory holds, and what each may use.

Neighbours: `project.py` finds manifests, `compile.py` builds what they declare, `deploy.py` sends
it, `prime.py` reads the events to prime with.
Invariant: a manifest is accepted whole or refused with its file, its line and what to write.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from edge.build.languages import ENGINES, language_of_directory, language_of_file, suffixes
from edge.cli.duration import parse_duration
from edge.cli.prime import read_prime
from edge.cli.shared import AUTH_TYPES, SharedChange
from edge.cli.toml_lines import KeyPath, key_lines
from edge.model.errors import InvalidConfiguration, InvalidRequest
from edge.model.function import Settings
from edge.model.ids import is_name
from edge.model.limits import Limits
from edge.model.prime import Prime
from edge.model.rate import Rate, rate_of
from edge.model.route import Route, check_routes

MANIFEST_NAME = "edge.toml"
MANIFEST_BYTES_MAX = 1 << 20

_KEYS = (
    "source",
    "module",
    "build",
    "engine",
    "memory_mb",
    "timeout",
    "rate",
    "burst",
    "auth",
    "environment",
    "grants",
    "prime",
    "route",
)
_ROUTE_KEYS = ("path", "methods", "host", "qualifier")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One function as declared: what it is made from, and what it may use.

    Exactly one of `source` (a file or directory in some language) and `module` (a compiled file)
    is there; `build` is a shell command that makes `module`, run beside `declared_in`: the
    manifest, or what was named in its place. `engine` is one of ENGINES, where the source has a
    choice of them. `routes` is None where no manifest speaks of them.
    """

    name: str
    declared_in: Path
    source: Path | None = None
    module: Path | None = None
    build: str = ""
    engine: str = ""
    settings: Settings = field(default_factory=Settings)
    shared: SharedChange = field(default_factory=SharedChange)

    @property
    def directory(self) -> Path:
        """Where the build runs."""
        path = self.declared_in
        return path if path.is_dir() else path.parent


def read_manifest(path: Path) -> tuple[Declaration, ...]:
    """The functions of one manifest, in its order; raises InvalidConfiguration."""
    return _Reader(path).functions()


class _Reader:
    """One manifest and the lines of its keys, so that every refusal can name one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        text = _read_text(path)
        try:
            self._document: Mapping[str, object] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise InvalidConfiguration(f"{path}: not valid TOML: {error}") from None
        self._lines = key_lines(text)

    def functions(self) -> tuple[Declaration, ...]:
        """Every `[function.NAME]` of the manifest."""
        self._refuse_unknown(self._document, ("function",), (), "the manifest")
        tables = self._table(("function",), self._document.get("function", {}))
        if not tables:
            raise InvalidConfiguration(
                f"{self._path}: declares no function: add a table [function.NAME]"
            )
        return tuple(self._function(name, value) for name, value in tables.items())

    def _function(self, name: str, value: object) -> Declaration:
        at: KeyPath = ("function", name)
        if not is_name(name):
            raise self._refusal(
                at, f"{name!r} is not a function name: use 1 to 64 letters, digits, '-' or '_'"
            )
        table = self._table(at, value)
        self._refuse_unknown(table, _KEYS, at, f"[function.{name}]")
        source, module = self._origin(at, table)
        return Declaration(
            name=name,
            declared_in=self._path,
            source=source,
            module=module,
            build=self._text((*at, "build"), table["build"]) if "build" in table else "",
            engine=self._engine((*at, "engine"), table.get("engine"), source),
            settings=self._settings(at, table),
            shared=SharedChange(
                rate=self._rate(at, table),
                auth=self._auth(at, table),
                routes=self._routes((*at, "route"), table.get("route", [])),
            ),
        )

    def _rate(self, at: KeyPath, table: Mapping[str, object]) -> Rate | None:
        """`rate` requests a second, `burst` of them at once."""
        per_s, burst = table.get("rate"), table.get("burst")
        if per_s is None:
            if burst is not None:
                raise self._refusal((*at, "burst"), "'burst' needs 'rate': requests a second")
            return None
        if not isinstance(per_s, int | float) or isinstance(per_s, bool):
            raise self._refusal((*at, "rate"), f"rate is a number of requests, not {per_s!r}")
        if burst is not None and (not isinstance(burst, int) or isinstance(burst, bool)):
            raise self._refusal((*at, "burst"), f"burst is a whole number, not {burst!r}")
        try:
            return rate_of(per_s, burst)
        except InvalidConfiguration as error:
            raise self._refusal((*at, "rate"), error.message) from None

    def _auth(self, at: KeyPath, table: Mapping[str, object]) -> str | None:
        auth = table.get("auth")
        if auth is None or auth in AUTH_TYPES:
            return None if auth is None else str(auth)
        choices = ", ".join(f'"{each}"' for each in AUTH_TYPES)
        raise self._refusal((*at, "auth"), f"auth is one of {choices}, not {auth!r}")

    def _origin(self, at: KeyPath, table: Mapping[str, object]) -> tuple[Path | None, Path | None]:
        """The source or the module; without either, the manifest's own directory if it can be."""
        directory = self._path.parent
        if "source" in table:
            for other in ("module", "build"):
                if other in table:
                    raise self._refusal((*at, other), f"{other!r} beside 'source': write only one")
            return self._source((*at, "source"), table["source"]), None
        if "module" in table:
            return None, directory / self._text((*at, "module"), table["module"])
        if "build" in table:
            raise self._refusal(
                (*at, "build"), "'build' needs 'module': the path of the .wasm file that it makes"
            )
        if directory.is_dir() and language_of_directory(directory) is not None:
            return directory, None
        where = ".".join(map(str, at))
        raise self._refusal(
            at,
            f"[{where}] needs 'source': what it is compiled from; or 'module': the path of its"
            " compiled .wasm file",
        )

    def _engine(self, at: KeyPath, value: object, source: Path | None) -> str:
        if value is None:
            return ""
        if value not in ENGINES:
            choices = ", ".join(f'"{each}"' for each in ENGINES)
            raise self._refusal(at, f"engine is one of {choices}, not {value!r}")
        found = None
        if source is not None and source.is_dir():
            found, _ = language_of_directory(source) or (None, None)
        elif source is not None:
            found = language_of_file(source)
        if found is None or found.name != ENGINES[str(value)].name:
            raise self._refusal(at, "engine: only a source in JavaScript has a choice of engines")
        return str(value)

    def _source(self, at: KeyPath, value: object) -> Path:
        path = self._path.parent / self._text(at, value)
        if path.is_dir():
            known = language_of_directory(path) is not None
        elif path.is_file():
            known = language_of_file(path) is not None
        else:
            raise self._refusal(at, f"source: there is no {path}")
        if not known:
            raise self._refusal(
                at,
                f"source: {path} is in no language that edge builds ({', '.join(suffixes())}):"
                " name its 'module', and how to 'build' it",
            )
        return path

    def _settings(self, at: KeyPath, table: Mapping[str, object]) -> Settings:
        return Settings(
            limits=self._limits(at, table),
            environment=self._environment((*at, "environment"), table.get("environment", {})),
            grants=self._texts((*at, "grants"), table.get("grants", [])),
            primes=self._primes((*at, "prime"), table.get("prime", [])),
        )

    def _primes(self, at: KeyPath, value: object) -> tuple[Prime, ...]:
        primes = []
        for index, name in enumerate(self._texts(at, value)):
            try:
                primes.append(read_prime(self._path.parent / name, name))
            except InvalidConfiguration as error:
                raise self._refusal((*at, index), error.message) from None
        return tuple(primes)

    def _routes(self, at: KeyPath, value: object) -> tuple[Route, ...]:
        if not isinstance(value, list):
            where = ".".join(map(str, at))
            raise self._refusal(at, f"write [[{where}]], with two brackets: there may be several")
        routes = tuple(self._route((*at, index), item) for index, item in enumerate(value))
        try:
            check_routes(str(at[1]), routes)
        except InvalidConfiguration as error:
            raise self._refusal(at, error.message) from None
        return routes

    def _route(self, at: KeyPath, value: object) -> Route:
        table = self._table(at, value)
        self._refuse_unknown(table, _ROUTE_KEYS, at, "a route")
        if "path" not in table:
            raise self._refusal(at, 'a route needs its path, as in path = "/hi/{name}"')
        texts = {
            key: self._text((*at, key), item) for key, item in table.items() if key != "methods"
        }
        methods = self._texts((*at, "methods"), table.get("methods", []))
        try:
            return Route(methods=methods, **texts)
        except InvalidRequest as error:
            raise self._refusal(at, error.message) from None

    def _limits(self, at: KeyPath, table: Mapping[str, object]) -> Limits:
        limits = Limits()
        if "memory_mb" in table:
            key = (*at, "memory_mb")
            limits = self._bounded(key, limits, memory_mb=self._megabytes(key, table["memory_mb"]))
        if "timeout" in table:
            key = (*at, "timeout")
            limits = self._bounded(
                key, limits, timeout_ms=self._milliseconds(key, table["timeout"])
            )
        return limits

    def _bounded(self, at: KeyPath, limits: Limits, **change: int) -> Limits:
        try:
            return replace(limits, **change)
        except InvalidConfiguration as error:
            raise self._refusal(at, error.message) from None

    def _megabytes(self, at: KeyPath, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._refusal(at, f"memory_mb is a whole number of megabytes, not {value!r}")
        return value

    def _milliseconds(self, at: KeyPath, value: object) -> int:
        if not isinstance(value, str):
            raise self._refusal(at, f'timeout is a text with its unit, as in "3s", not {value!r}')
        try:
            return parse_duration(value)
        except ValueError as error:
            raise self._refusal(at, f"timeout: {error}") from None

    def _environment(self, at: KeyPath, value: object) -> tuple[tuple[str, str], ...]:
        table = self._table(at, value)
        return tuple((key, self._text((*at, key), item)) for key, item in table.items())

    def _texts(self, at: KeyPath, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self._refusal(at, f'{at[-1]} is a list of texts, as in ["kv"], not {value!r}')
        return tuple(self._text((*at, index), item) for index, item in enumerate(value))

    def _text(self, at: KeyPath, value: object) -> str:
        if not isinstance(value, str):
            name = next(part for part in reversed(at) if isinstance(part, str))
            raise self._refusal(at, f"{name} takes a text in quotes, not {value!r}")
        if "\0" in value:
            raise self._refusal(at, "a text may not hold the NUL character")
        return value

    def _table(self, at: KeyPath, value: object) -> Mapping[str, object]:
        if not isinstance(value, dict):
            raise self._refusal(at, f"{'.'.join(map(str, at))} is a table, not {value!r}")
        return value

    def _refuse_unknown(
        self, table: Mapping[str, object], valid: tuple[str, ...], at: KeyPath, where: str
    ) -> None:
        for key in table:
            if key not in valid:
                longer = [known for known in valid if key and known.startswith(key)]
                nearest = (longer or get_close_matches(key, valid, n=1, cutoff=0.0))[0]
                raise self._refusal(
                    (*at, key), f"unknown key {key!r} in {where}: did you mean {nearest!r}?"
                )

    def _refusal(self, at: KeyPath, message: str) -> InvalidConfiguration:
        return InvalidConfiguration(f"{self._path}:{self._lines[at]}: {message}")


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MANIFEST_BYTES_MAX + 1)
        if len(content) > MANIFEST_BYTES_MAX:
            raise InvalidConfiguration(f"{path}: over the limit of {MANIFEST_BYTES_MAX} bytes")
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidConfiguration(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise InvalidConfiguration(f"{path}: cannot be read: {error.strerror}") from None
