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
_ACCOUNT = re.compile(r"\d{12}")
_KINDS = ("AWS", "Service")


@dataclass(frozen=True, slots=True)
class Principals:
    """The principals of a statement: `*`, ARNs of users, services, accounts by their root's ARN."""

    names: frozenset[str]

    def allow(self, caller: str) -> bool:
        """Whether an Allow for these is one for `caller`."""
        return ANYONE in self.names or (caller in self.names and caller != ACCOUNT_ARN)

    def deny(self, caller: str) -> bool:
        """Whether a Deny for these is one for `caller`."""
        in_account = caller.startswith(f"arn:aws:iam::{ACCOUNT}:")
        return (
            ANYONE in self.names
            or caller in self.names
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
    if _ACCOUNT.fullmatch(text):
        return f"arn:aws:iam::{text}:root"
    if text != ANYONE and (not text.startswith("arn:aws:") or "*" in text):
        raise InvalidConfiguration(f"{text[:200]!r} is no principal: give an ARN, an account or *")
    return text
