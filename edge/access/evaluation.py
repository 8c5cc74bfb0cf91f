"""Whether policies let a caller do something: explicit deny, then allow, else no.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
Neighbours: the doors ask for every request; `policy.py` has what is asked.
Invariant: what no statement allows is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from edge.access.conditions import Context
from edge.access.policy import Effect, Policy, Statement


class Deed(NamedTuple):
    """What someone wants to do; a named tuple because every request makes one.

    `caller` is the ARN of a key's holder, a service's name, or empty for nobody in particular;
    `key_id` is that of the key, if there is one.
    `action` is like `lambda:InvokeFunction`; `resource` an ARN, or `*` where there is none.
    `context` tells the condition keys.
    """

    caller: str
    action: str
    resource: str
    context: Context = MappingProxyType({})
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, and in words why, for the log and the refusal."""

    allowed: bool
    reason: str


_ALLOWED = Decision(True, "a statement allows it")
_UNSAID = Decision(False, "no policy allows it")


def decide(deed: Deed, key_policies: Iterable[Policy], function_policy: Policy | None) -> Decision:
    """The verdict of a key's policies and a function's own, all in one account: either allows."""
    policies = key_policies if function_policy is None else (*key_policies, function_policy)
    action = deed.action.lower()
    is_allowed = False
    for policy in policies:
        for statement in policy.statements:
            if statement.effect is Effect.ALLOW:
                is_allowed = is_allowed or _applies(statement, deed, action)
            elif _applies(statement, deed, action):
                return Decision(False, f"statement {statement.sid or 'without a Sid'} denies it")
    return _ALLOWED if is_allowed else _UNSAID


def _applies(statement: Statement, deed: Deed, action: str) -> bool:
    principals = statement.principals
    if principals is not None:
        meant = principals.deny if statement.effect is Effect.DENY else principals.allow
        if not meant(deed.caller, deed.key_id):
            return False
    return (
        statement.actions.match(action)
        and statement.resources.match(deed.resource)
        and (
            not statement.conditions
            or all(condition.holds(deed.context) for condition in statement.conditions)
        )
    )
