"""Policies in IAM's JSON grammar, read once into matchers.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
Neighbours: `evaluation.py` asks them; `conditions.py` reads the Condition blocks.
Invariant: an element this edge does not know, or cannot enforce, is refused, never ignored.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from edge.access.conditions import Condition, parse_conditions
from edge.access.elements import nearest, texts_of
from edge.access.patterns import Matcher, arn_wildcard, wildcard
from edge.access.principals import Principals, parse_principals
from edge.model.errors import InvalidConfiguration, PayloadTooLarge

KEY_POLICY_BYTES_MAX = 6_144
FUNCTION_POLICY_BYTES_MAX = 20_480
_VERSIONS = ("2012-10-17", "2008-10-17")
_POLICY_MEMBERS = ("Version", "Id", "Statement")
_STATEMENT_MEMBERS = (
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)


class Effect(StrEnum):
    """What a statement that matches does."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Patterns:
    """Any of the matchers, or (`negated`) none of them."""

    matchers: tuple[Matcher, ...]
    negated: bool

    def match(self, text: str) -> bool:
        """Whether `text` is meant."""
        for matcher in self.matchers:
            if matcher(text):
                return not self.negated
        return self.negated


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `actions` match in lower case; `principals` only in a function's policy."""

    sid: str
    effect: Effect
    actions: Patterns
    resources: Patterns
    conditions: tuple[Condition, ...]
    principals: Principals | None


@dataclass(frozen=True, slots=True)
class Policy:
    """The statements of one policy document."""

    statements: tuple[Statement, ...]

    @property
    def is_unconditional(self) -> bool:
        """Whether it says the same of equal requests, whatever else is known of them."""
        return not any(statement.conditions for statement in self.statements)


def parse_key_policy(text: str) -> Policy:
    """A policy of an access key, which has no Principal. Raises InvalidConfiguration."""
    return _parse(text, KEY_POLICY_BYTES_MAX, has_principals=False)


def parse_function_policy(text: str) -> Policy:
    """A policy of a function, which names Principals. Raises InvalidConfiguration."""
    return _parse(text, FUNCTION_POLICY_BYTES_MAX, has_principals=True)


def _parse(text: str, bytes_max: int, *, has_principals: bool) -> Policy:
    if len(text.encode("utf-8", "surrogatepass")) > bytes_max:
        raise PayloadTooLarge(f"the policy is over {bytes_max} bytes: shorten it")
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise InvalidConfiguration(f"the policy is not JSON: {error}") from None
    members = _object("the policy", document, _POLICY_MEMBERS)
    if members.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise InvalidConfiguration(f"the policy's Version must be {_VERSIONS[0]}")
    statements = members.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    if not listed:
        raise InvalidConfiguration("the policy has no Statement: give it one")
    return Policy(tuple(_statement(each, has_principals) for each in listed))


def _statement(document: object, has_principals: bool) -> Statement:
    members = _object("a Statement", document, _STATEMENT_MEMBERS)
    try:
        effect = Effect(str(members.get("Effect")))
    except ValueError:
        raise InvalidConfiguration("a Statement's Effect must be Allow or Deny") from None
    sid = members.get("Sid", "")
    if not isinstance(sid, str):
        raise InvalidConfiguration("a Statement's Sid must be a text")
    if has_principals is not ("Principal" in members):
        raise InvalidConfiguration(
            "a Statement of a function's policy needs a Principal"
            if has_principals
            else "a key's policy speaks of that key only: leave Principal out"
        )
    actions, negated = _either(members, "Action")
    resources, resources_negated = _either(members, "Resource")
    return Statement(
        sid,
        effect,
        Patterns(tuple(_action(each) for each in actions), negated),
        Patterns(tuple(arn_wildcard(each) for each in resources), resources_negated),
        parse_conditions(members["Condition"]) if "Condition" in members else (),
        parse_principals(members["Principal"]) if has_principals else None,
    )


def _action(pattern: str) -> Matcher:
    if pattern != "*" and not all(pattern.partition(":")):
        raise InvalidConfiguration(f"{pattern!r} is no action: write lambda:NAME, lambda:* or *")
    return wildcard(pattern.lower())


def _either(members: dict[str, object], name: str) -> tuple[tuple[str, ...], bool]:
    """The patterns of `name` or of `Not` and `name`, and whether it was the latter."""
    negation = f"Not{name}"
    if (name in members) is (negation in members):
        raise InvalidConfiguration(f"a Statement needs either {name} or {negation}")
    negated = negation in members
    value = members[negation if negated else name]
    return texts_of(name, value), negated


def _object(what: str, value: object, known: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidConfiguration(f"{what} is no JSON object")
    for name in value:
        if name not in known:
            hint = nearest(name, known) or f": it may have {', '.join(known)}"
            raise InvalidConfiguration(f"{what} has an element {name!r} unknown here{hint}")
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidConfiguration("the policy names a member twice: keep one of them")
    return members
