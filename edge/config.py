"""Settings of a host: frozen, with unit, default and bound; an unknown key fails.

Neighbours: `cli/` collects overrides, `serve.py` hands each part to the object that needs it.
Invariant: a `Settings` that exists is within every bound.
It is a long file: every setting, its default and its bounds are found in one place.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple, Self

from edge.model.errors import InvalidConfiguration
from edge.model.limits import KIB, MIB

DATA_ENVIRONMENT = "EDGE_DATA"
EDGE_DOOR = "edge"
DOORS = (EDGE_DOOR, "hypercorn")
"""What parses HTTP/1.1: our own protocol, or Hypercorn's."""
_REFUSED_MAX = 256
_FILES = ("tls_cert", "tls_key", "control_tls_cert", "control_tls_key")
_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a door listens. Port 0 takes a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`HOST:PORT`, `:PORT` or `[V6]:PORT`; raises InvalidConfiguration."""
        host, separator, port = text.rpartition(":")
        host = host.strip("[]") or "127.0.0.1"
        if not separator or not port.isdecimal() or int(port) > 65535:
            raise InvalidConfiguration(f"{text!r} is not an address: write HOST:PORT")
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def url(self) -> str:
        """The address as a client writes it."""
        return self.url_over(tls=False)

    def url_over(self, *, tls: bool) -> str:
        """The address as a client writes it, of a door with or without TLS."""
        return f"{'https' if tls else 'http'}://{self.bind}"

    @property
    def bind(self) -> str:
        """The address as a server binds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class KeyPair(NamedTuple):
    """PEM files of a certificate, followed by those that vouch for it, and of its private key."""

    cert: str
    key: str


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How guests run. Fuel figures are Wasmtime's units; see `docs/architecture.md`.

    `slice_fuel_alone` is for a guest's first slice, and for all of one that has the worker to
    itself. `start_fuel` is what a start is counted as when functions share a worker: 40 µs.
    `waiting_max` bounds the requests that wait for their function's turn. `tmp_mb` is what a
    component may keep in its `/tmp`. `ready_…` bound the components started ahead of demand,
    `memory_kept_…` what guests often write and so stays mapped between them, in a worker and in
    each memory. A guest with more memory than `close_at_once_bytes_max` is closed when its answer
    has left, one with more than `close_inline_bytes_max` by a thread.
    """

    fuel_per_ms: int = 5_000_000
    slice_fuel: int = 100_000
    slice_fuel_alone: int = 400_000
    slice_fuel_background: int = 20_000_000
    turn_us_busy: int = 50
    turn_us_idle: int = 200
    turn_us_starts: int = 500
    start_fuel: int = 200_000
    waiting_max: int = 2_048
    young_us: int = 10_000
    stall_us: int = 2_000
    host_us_per_slice: int = 200
    memory_mb_max: int = 4_096
    tmp_mb: int = 16
    ready_max: int = 64
    ready_per_function_max: int = 4
    ready_memory_mb: int = 128
    ready_memory_per_function_mb: int = 32
    loaded_max: int = 1_024
    idle_unload_s: int = 60
    memory_kept_mb: int = 64
    memory_kept_each_mb: int = 2
    close_at_once_bytes_max: int = 2 * MIB
    close_inline_bytes_max: int = 16 * MIB

    @property
    def bounds(self) -> Mapping[str, tuple[int, int]]:
        """Smallest and largest value of each key."""
        return {
            "fuel_per_ms": (1_000, 1_000_000_000),
            "slice_fuel": (1_000, 100_000_000),
            "slice_fuel_alone": (1_000, 100_000_000),
            "slice_fuel_background": (1_000, 10_000_000_000),
            "turn_us_busy": (1, 100_000),
            "turn_us_idle": (1, 100_000),
            "turn_us_starts": (1, 100_000),
            "start_fuel": (0, 1_000_000_000),
            "waiting_max": (0, 1_000_000),
            "young_us": (1, 10_000_000),
            "stall_us": (100, 10_000_000),
            "host_us_per_slice": (10, 1_000_000),
            "memory_mb_max": (16, 4_096),
            "tmp_mb": (0, 512),
            "ready_max": (0, 10_000),
            "ready_per_function_max": (0, 1_000),
            "ready_memory_mb": (0, 1 << 20),
            "ready_memory_per_function_mb": (0, 1 << 20),
            "loaded_max": (1, 100_000),
            "idle_unload_s": (1, 86_400),
            "memory_kept_mb": (0, 1 << 20),
            "memory_kept_each_mb": (0, 4_096),
            "close_at_once_bytes_max": (0, 1 << 40),
            "close_inline_bytes_max": (0, 1 << 40),
        }


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What one host takes on at once, and how large.

    `stream_bytes_max`: of an answer that leaves as it is written; `stream_buffer_bytes_max` of it
    wait for a client that reads slowly. `versions_max`: numbered versions of one function.
    `deploy_wait_ms`: how long Lambda's create and update wait for their build before they answer
    with Pending or InProgress. `audit_bytes_max`: kept of the audit log. `async_…`: events and
    bytes kept; events run by a worker at once; how long a killed worker's events are held; the
    waits before a first retry and before asking again for room. `join_kept_…`: how long an answer
    of Invoke is kept for its client's retry, and how many bytes of them a worker keeps.
    `heap_kept_bytes_max`: free memory a worker keeps for the next large body; 0 leaves it to libc.
    """

    concurrency_max: int = 1_000
    functions_max: int = 4_096
    versions_max: int = 1_000
    payload_bytes_max: int = 6 * MIB
    stream_bytes_max: int = 20 * MIB
    stream_buffer_bytes_max: int = 64 * KIB
    module_bytes_max: int = 64 * MIB
    log_bytes_max: int = 256 * KIB
    build_timeout_s: int = 120
    build_memory_mb: int = 2_048
    builds_max: int = 2
    builds_waiting_max: int = 32
    grace_s: int = 30
    start_timeout_s: int = 60
    deploy_wait_ms: int = 20_000
    audit_bytes_max: int = 64 * MIB
    async_events_max: int = 100_000
    async_bytes_max: int = 1_024 * MIB
    async_running_max: int = 64
    async_lease_s: int = 10
    async_retry_ms: int = 60_000
    async_wait_ms: int = 1_000
    join_kept_s: int = 10
    join_kept_bytes_max: int = 8 * MIB
    heap_kept_bytes_max: int = 32 * MIB

    @property
    def bounds(self) -> Mapping[str, tuple[int, int]]:
        """Smallest and largest value of each key."""
        return {
            "concurrency_max": (1, 10_000),
            "functions_max": (1, 65_536),
            "versions_max": (1, 1_000_000),
            "payload_bytes_max": (1 * KIB, 512 * MIB),
            "stream_bytes_max": (1 * KIB, 1 << 40),
            "stream_buffer_bytes_max": (4 * KIB, 16 * MIB),
            "module_bytes_max": (1 * KIB, 1_024 * MIB),
            "log_bytes_max": (0, 16 * MIB),
            "build_timeout_s": (1, 3_600),
            "build_memory_mb": (64, 65_536),
            "builds_max": (1, 64),
            "builds_waiting_max": (0, 10_000),
            "grace_s": (0, 900),
            "start_timeout_s": (1, 900),
            "deploy_wait_ms": (0, 60_000),
            "audit_bytes_max": (16 * MIB, 1 << 50),
            "async_events_max": (1, 100_000_000),
            "async_bytes_max": (1 * MIB, 1 << 50),
            "async_running_max": (1, 10_000),
            "async_lease_s": (1, 900),
            "async_retry_ms": (1, 3_600_000),
            "async_wait_ms": (1, 300_000),
            "join_kept_s": (0, 900),
            "join_kept_bytes_max": (0, 1_024 * MIB),
            "heap_kept_bytes_max": (0, 1_024 * MIB),
        }


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """How much of its peers' bytes and time a door takes; times begin anew with each message.

    `control_connections_max` is `connections_max` of the control plane, which so always has room.
    An answer may wait for `answers_held_us_max` for others that are due, to leave with them.
    `trusted_proxies` are addresses or networks, separated by commas, whose word on where a request
    comes from is taken. With `proxy_protocol` 1 each of their connections must begin with it.
    `public_url` is where the data plane is reached from outside; by default, where it listens.
    """

    request_line_bytes_max: int = 8 * KIB
    fields_max: int = 100
    heads_kept_max: int = 256
    fields_bytes_max: int = 32 * KIB
    bodies_bytes_max: int = 256 * MIB
    requests_per_connection_max: int = 100_000
    connections_max: int = 20_480
    connections_per_address_max: int = 10_240
    control_connections_max: int = 512
    head_timeout_s: int = 10
    body_stall_s: int = 10
    body_bytes_per_s_min: int = 1 * KIB
    idle_timeout_s: int = 60
    write_stall_s: int = 30
    answers_held_us_max: int = 500
    answers_held_bytes_max: int = 256 * KIB
    trusted_proxies: str = ""
    proxy_protocol: int = 0
    public_url: str = ""

    @property
    def bounds(self) -> Mapping[str, tuple[int, int]]:
        """Smallest and largest value of each key that is a number."""
        return {
            "request_line_bytes_max": (256, 64 * KIB),
            "fields_max": (8, 1_000),
            "heads_kept_max": (1, 65_536),
            "fields_bytes_max": (1 * KIB, 256 * KIB),
            "bodies_bytes_max": (1 * MIB, 1 << 40),
            "requests_per_connection_max": (1, 1 << 40),
            "connections_max": (1, 1_000_000),
            "connections_per_address_max": (1, 1_000_000),
            "control_connections_max": (1, 65_536),
            "head_timeout_s": (1, 600),
            "body_stall_s": (1, 600),
            "body_bytes_per_s_min": (1, 1 * MIB),
            "idle_timeout_s": (1, 3_600),
            "write_stall_s": (1, 600),
            "answers_held_us_max": (0, 100_000),
            "answers_held_bytes_max": (0, 64 * MIB),
            "proxy_protocol": (0, 1),
        }

    @property
    def refused_max(self) -> int:
        """How many connections over the limit are told so at a time; more are cut off."""
        return min(_REFUSED_MAX, self.connections_max // 4 + 1)

    @property
    def of_control(self) -> Self:
        """The same for the door of the control plane."""
        return replace(self, connections_max=self.control_connections_max)

    def __post_init__(self) -> None:
        """Raises InvalidConfiguration for a proxy that is no address, and a URL that is none."""
        if self.public_url and not _URL.fullmatch(self.public_url):
            raise InvalidConfiguration(
                f"public_url must be a URL such as https://functions.example, not"
                f" {self.public_url!r}"
            )
        for text in filter(None, self.trusted_proxies.split(",")):
            try:
                ip_network(text.strip())
            except ValueError:
                raise InvalidConfiguration(
                    f"trusted_proxies must be addresses or networks, not {text.strip()!r}"
                ) from None


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The certificates of the doors: PEM files, read when a worker starts. None: no TLS.

    The control plane has the pair of the data plane unless it has its own; with `control_tls` 0 it
    has none.
    """

    tls_cert: str = ""
    tls_key: str = ""
    control_tls_cert: str = ""
    control_tls_key: str = ""
    control_tls: int = 1

    @property
    def bounds(self) -> Mapping[str, tuple[int, int]]:
        """Smallest and largest value of each key that is a number."""
        return {"control_tls": (0, 1)}

    def __post_init__(self) -> None:
        """Raises InvalidConfiguration for half a pair."""
        for prefix in ("", "control_"):
            cert, key = f"{prefix}tls_cert", f"{prefix}tls_key"
            if bool(getattr(self, cert)) != bool(getattr(self, key)):
                missing = key if getattr(self, cert) else cert
                raise InvalidConfiguration(f"{cert} and {key} belong together: give {missing}, too")

    @property
    def http(self) -> KeyPair | None:
        """The data plane's."""
        return KeyPair(self.tls_cert, self.tls_key) if self.tls_cert else None

    @property
    def control(self) -> KeyPair | None:
        """The control plane's."""
        if not self.control_tls:
            return None
        if self.control_tls_cert:
            return KeyPair(self.control_tls_cert, self.control_tls_key)
        return self.http


def default_data() -> Path:
    """`EDGE_DATA`, else the user's data directory."""
    named = os.environ.get(DATA_ENVIRONMENT)
    if named:
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "edge"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a host is told at start."""

    data: Path = field(default_factory=default_data)
    http: Address = Address("127.0.0.1", 8080)
    control: Address = Address("127.0.0.1", 8081)
    workers: int = 1
    door: str = EDGE_DOOR
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    host: HostSettings = field(default_factory=HostSettings)
    connections: DoorSettings = field(default_factory=DoorSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)

    def __post_init__(self) -> None:
        """Raises InvalidConfiguration for the first value out of its bounds."""
        if self.door not in DOORS:
            raise InvalidConfiguration(f"door must be {' or '.join(DOORS)}, not {self.door!r}")
        if not 1 <= self.workers <= 64:
            raise InvalidConfiguration(f"workers must be between 1 and 64, not {self.workers}")
        for part in (self.sandbox, self.host, self.connections, self.tls):
            for key, (lowest, highest) in part.bounds.items():
                value = getattr(part, key)
                if not lowest <= value <= highest:
                    raise InvalidConfiguration(
                        f"{key} must be between {lowest} and {highest}, not {value}"
                    )


def load(overrides: Mapping[str, object] | None = None) -> Settings:
    """Settings from flat overrides such as `{"http": "127.0.0.1:0", "workers": 2}`.

    Keys are the fields of `Settings` and of the settings inside it. A value of None leaves the
    default. Raises InvalidConfiguration, naming the nearest valid key.
    """
    settings = Settings()
    inside = ("sandbox", "host", "connections", "tls")
    parts: dict[str, dict[str, object]] = {part: {} for part in ("", *inside)}
    owners = {f.name: "" for f in fields(Settings) if f.name not in parts}
    for part in inside:
        owners |= {f.name: part for f in fields(getattr(settings, part))}
    for key, value in (overrides or {}).items():
        if key not in owners:
            near = get_close_matches(key, owners, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InvalidConfiguration(f"unknown setting {key!r}{hint}")
        if value is not None:
            parts[owners[key]][key] = _typed(key, value)
    changed = {part: replace(getattr(settings, part), **parts[part]) for part in inside}
    return replace(settings, **changed, **parts[""])  # type: ignore[arg-type]


def _typed(key: str, value: object) -> object:
    if key == "data":
        return Path(str(value)).expanduser()
    if key in ("door", "trusted_proxies", "public_url"):
        return str(value)
    if key in _FILES:
        return str(Path(str(value)).expanduser().absolute()) if value else ""
    if key in ("http", "control"):
        return value if isinstance(value, Address) else Address.parse(str(value))
    try:
        return int(str(value))
    except ValueError:
        raise InvalidConfiguration(f"{key} must be a whole number, not {value!r}") from None
