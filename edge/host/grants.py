"""What a function was granted at deploy: the grammar of grants, and the questions asked of them.

    kv                    its own key-value namespace
    kv:NAMESPACE          a shared namespace
    fetch:HOST[:PORT]     outbound HTTP to one host
    fetch:*.DOMAIN[:PORT] … to every host below a domain
    fetch:*[:PORT]        … to every public host
    fetch:ADDRESS[:PORT]  … to a literal address, which may then be private (IPv6 in brackets)

Without PORT, ports 80 and 443 are meant.

Neighbours: `deploy/` checks grants with `parse_grants`, host calls ask the `GrantSet`.
Invariant: what is not granted in so many words is denied.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from edge.host.hostname import normalize_host, parse_address
from edge.model.errors import InvalidConfiguration

GRANTS_MAX = 64
WEB_PORTS = frozenset({80, 443})
PORT_MAX = 65_535

_NAMESPACE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PORT = re.compile(r"[0-9]{1,5}")
_GRAMMAR = "use kv, kv:NAMESPACE, fetch:HOST[:PORT], fetch:*.DOMAIN[:PORT] or fetch:*"

Endpoints = frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class GrantSet:
    """The grants of one version, ready to be asked. The empty one allows nothing.

    `domains` begin with a dot. Endpoints are (host, port), with the host as `normalize_host`
    spells it.
    """

    own_namespace: bool = False
    shared_namespaces: frozenset[str] = frozenset()
    fetch_hosts: Endpoints = frozenset()
    fetch_domains: Endpoints = frozenset()
    fetch_addresses: Endpoints = frozenset()
    fetch_any_ports: frozenset[int] = frozenset()

    def allows_namespace(self, namespace: str | None) -> bool:
        """Whether kv may use a shared namespace, or with None the function's own."""
        if namespace is None:
            return self.own_namespace
        return namespace in self.shared_namespaces

    def allows_fetch(self, host: str, port: int) -> bool:
        """Whether a URL with this host, normalized, may be fetched.

        Where the name leads is another question: `allows_address`.
        """
        endpoint = (host, port)
        if port in self.fetch_any_ports or endpoint in self.fetch_hosts:
            return True
        if endpoint in self.fetch_addresses:
            return True
        return any(
            port == granted and host.endswith(domain) for domain, granted in self.fetch_domains
        )

    def allows_address(self, address: str, port: int) -> bool:
        """Whether this very address was granted, so that it need not be public."""
        return (address, port) in self.fetch_addresses


def parse_grants(texts: Iterable[str]) -> GrantSet:
    """Read grants; raises InvalidConfiguration, which names the bad one and the grammar."""
    grants = tuple(texts)
    if len(grants) > GRANTS_MAX:
        raise InvalidConfiguration(f"{len(grants)} grants are over the limit of {GRANTS_MAX}")
    granted: dict[str, set[tuple[str, int]]] = {
        "hosts": set(),
        "domains": set(),
        "addresses": set(),
    }
    namespaces: set[str] = set()
    any_ports: set[int] = set()
    own_namespace = False
    for grant in grants:
        kind, separator, target = grant.partition(":")
        if kind == "kv" and not separator:
            own_namespace = True
        elif kind == "kv":
            namespaces.add(_parse_namespace(grant, target))
        elif kind == "fetch" and separator:
            where, host, ports = _parse_target(grant, target)
            if where == "any":
                any_ports |= ports
            else:
                granted[where] |= {(host, port) for port in ports}
        else:
            raise InvalidConfiguration(f"{grant[:80]!r} is not a grant: {_GRAMMAR}")
    return GrantSet(
        own_namespace=own_namespace,
        shared_namespaces=frozenset(namespaces),
        fetch_hosts=frozenset(granted["hosts"]),
        fetch_domains=frozenset(granted["domains"]),
        fetch_addresses=frozenset(granted["addresses"]),
        fetch_any_ports=frozenset(any_ports),
    )


def _parse_namespace(grant: str, namespace: str) -> str:
    if not _NAMESPACE.fullmatch(namespace):
        raise InvalidConfiguration(
            f"grant {grant[:80]!r}: a namespace is 1 to 64 letters, digits, '.', '-' or '_'"
        )
    return namespace


def _parse_target(grant: str, target: str) -> tuple[str, str, frozenset[int]]:
    """(kind, host, ports) of what follows `fetch:`."""
    if "/" in target or "@" in target:
        raise InvalidConfiguration(
            f"grant {grant[:80]!r}: give the host alone, without scheme, user or path"
        )
    host, ports = _split_port(grant, target)
    if host == "*":
        return "any", host, ports
    try:
        if host.startswith("*.") and parse_address(host[2:]) is None:
            return "domains", "." + normalize_host(host[2:]), ports
        kind = "hosts" if parse_address(host.strip("[]")) is None else "addresses"
        return kind, normalize_host(host), ports
    except ValueError as error:
        raise InvalidConfiguration(f"grant {grant[:80]!r}: {error}; {_GRAMMAR}") from None


def _split_port(grant: str, target: str) -> tuple[str, frozenset[int]]:
    """Host and ports of `HOST`, `HOST:PORT`, `V6`, `[V6]` or `[V6]:PORT`."""
    host, separator, text = target.rpartition(":")
    if not separator or target.endswith("]") or parse_address(target) is not None:
        return target, WEB_PORTS
    if not (_PORT.fullmatch(text) and 1 <= int(text) <= PORT_MAX):
        raise InvalidConfiguration(f"grant {grant[:80]!r}: a port is a number from 1 to {PORT_MAX}")
    return host, frozenset({int(text)})
