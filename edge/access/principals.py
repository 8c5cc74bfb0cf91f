"""Whom a function's policy speaks of, and who is calling.

Neighbours: `policy.py` reads the Principal of a statement; `evaluation.py` compares.
Invariant: the account as a principal denies everybody in it, but by itself allows nobody: as in
IAM it leaves that to the policies of the keys.
"""

import re
from dataclasses import dataclass

from edge.access.elements import texts_of
from edge.model.errors import InvalidConfiguration
from edge.model.ids import ACCOUNT

ANYONE = "*"
_ACCOUNT_PREFIX = f"arn:aws:iam::{ACCOUNT}:"
ACCOUNT_ARN = f"{_ACCOUNT_PREFIX}root"
ACCOUNT_ID = re.compile(r"[0-9]{12}")
KEY_ID = re.compile(r"EDGE[0-9A-F]{16}")
_KINDS = ("AWS", "Service")


@dataclass(frozen=True, slots=True)
class Principals:
    """The principals of a statement: `*`, users by the ARN of their name or the id of their key,
    services, accounts by their root's ARN."""

    names: frozenset[str]

    def allow(self, caller: str, key_id: str = "") -> bool:
        """Whether an Allow for these is one for `caller`, who came with the key `key_id`."""
        return (
            ANYONE in self.names
            or (caller in self.names and caller != ACCOUNT_ARN)
            or key_id in self.names
        )

    def deny(self, caller: str, key_id: str = "") -> bool:
        """Whether a Deny for these is one for `caller`, who came with the key `key_id`."""
        in_account = caller.startswith(_ACCOUNT_PREFIX)
        return (
            ANYONE in self.names
            or caller in self.names
            or key_id in self.names
            or (in_account and ACCOUNT_ARN in self.names)
        )


def user_arn(name: str) -> str:
    """The ARN of the holder of an access key called `name`."""
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def parse_principals(document: object) -> Principals:
    """`"*"`, or `{"AWS": …}` and `{"Service": …}`, each a text or a list of texts.

    Raises InvalidConfiguration.
    """
    if document == ANYONE:
        return Principals(frozenset((ANYONE,)))
    if not isinstance(document, dict) or not document:
        raise InvalidConfiguration('Principal must be "*", {"AWS": …} or {"Service": …}')
    names: set[str] = set()
    for kind, value in document.items():
        if kind not in _KINDS:
            raise InvalidConfiguration(f"a Principal of kind {kind!r} is unknown here: use AWS")
        names.update(_name(kind, each) for each in texts_of(f"Principal {kind}", value))
    return Principals(frozenset(names))


def _name(kind: str, text: str) -> str:
    if kind == "Service":
        return text
    if ACCOUNT_ID.fullmatch(text):
        return f"arn:aws:iam::{text}:root"
    if KEY_ID.fullmatch(text):
        return text
    if text != ANYONE and (not text.startswith("arn:aws:") or "*" in text):
        raise InvalidConfiguration(
            f"{text[:200]!r} is no principal: give an ARN, an account, a key's id or *"
        )
    return text
