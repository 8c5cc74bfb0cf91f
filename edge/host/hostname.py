"""Host names and literal addresses in one spelling, so that a grant and a URL can be compared.

Neighbours: `grants.py` for what was granted, `fetch/` for what is asked for.
Invariant: two texts mean the same host exactly when they normalize to the same text.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_NAME_LENGTH_MAX = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def normalize_host(text: str) -> str:
    """Lower case without a final dot; addresses without brackets, in their shortest form.

    Raises ValueError for what is neither. Numbers that resolvers take for addresses (`127.1`,
    `0x7f000001`) are neither.
    """
    address = parse_address(text.removeprefix("[").removesuffix("]"))
    if address is not None:
        return str(address)
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _NAME_LENGTH_MAX or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(f"{text[:80]!r} is not a host name")
    if _NUMBER.fullmatch(labels[-1]):
        raise ValueError(f"{text[:80]!r} is not a complete address")
    return name


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The literal address, or None; one with a scope (`%eth0`) is None as well."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None
