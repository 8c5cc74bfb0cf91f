"""What policies allow and deny: the table."""

import json

import pytest

from edge.access.evaluation import Deed, decide
from edge.access.policy import parse_function_policy, parse_key_policy
from edge.access.principals import user_arn
from edge.model.ids import function_arn

HELLO, OTHER = function_arn("hello"), function_arn("other")
INVOKE, GET = "lambda:InvokeFunction", "lambda:GetFunction"
ANN = user_arn("ann")

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def allow(action: object = "lambda:*", resource: object = "*", **more: object) -> dict[str, object]:
    """An allowing statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object = "lambda:*", resource: object = "*", **more: object) -> dict[str, object]:
    """A denying statement."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


def when(operator: str, key: str, value: object) -> dict[str, object]:
    """A statement that allows everything on one condition."""
    return allow("*", Condition={operator: {key: value}})


TLS, AGENT = "aws:securetransport", "aws:useragent"

# statements, action, resource, context, allowed
KEY_CASES = {
    "nothing": ([deny("s3:*")], INVOKE, HELLO, {}, False),
    "everything": ([ALL], INVOKE, HELLO, {}, True),
    "exact action": ([allow(INVOKE)], INVOKE, HELLO, {}, True),
    "other action": ([allow(INVOKE)], GET, HELLO, {}, False),
    "action has no case": ([allow("LAMBDA:invokefunction")], INVOKE, HELLO, {}, True),
    "action prefix": ([allow("lambda:Get*")], GET, HELLO, {}, True),
    "action prefix misses": ([allow("lambda:Get*")], INVOKE, HELLO, {}, False),
    "action star inside": ([allow("lambda:*Function")], INVOKE, HELLO, {}, True),
    "action question mark": ([allow("lambda:?etFunction")], GET, HELLO, {}, True),
    "question mark is one": ([allow("lambda:?tFunction")], GET, HELLO, {}, False),
    "other service": ([allow("s3:*")], INVOKE, HELLO, {}, False),
    "list of actions": ([allow(["s3:Get*", INVOKE])], INVOKE, HELLO, {}, True),
    "not action spares": ([allow() | {}, deny("lambda:Delete*")], INVOKE, HELLO, {}, True),
    "exact resource": ([allow(INVOKE, HELLO)], INVOKE, HELLO, {}, True),
    "cross function": ([allow(INVOKE, HELLO)], INVOKE, OTHER, {}, False),
    "resource has case": ([allow(INVOKE, function_arn("Hello"))], INVOKE, HELLO, {}, False),
    "resource prefix": ([allow(INVOKE, function_arn("he*"))], INVOKE, HELLO, {}, True),
    "resource prefix misses": ([allow(INVOKE, function_arn("he*"))], INVOKE, OTHER, {}, False),
    "unqualified only": ([allow(INVOKE, HELLO)], INVOKE, f"{HELLO}:3", {}, False),
    "any qualifier": ([allow(INVOKE, f"{HELLO}:*")], INVOKE, f"{HELLO}:3", {}, True),
    "star spans last colon": ([allow(INVOKE, f"{HELLO}*")], INVOKE, f"{HELLO}:3", {}, True),
    "any region": ([allow(INVOKE, "arn:aws:lambda:*:*:function:hello")], INVOKE, HELLO, {}, True),
    "star spans no other colon": (
        [allow(INVOKE, "arn:aws:*:function:hello:x:y")],
        INVOKE,
        HELLO,
        {},
        False,
    ),
    "list of resources": ([allow(INVOKE, [OTHER, HELLO])], INVOKE, HELLO, {}, True),
    "star resource of listing": ([allow("lambda:List*")], "lambda:ListFunctions", "*", {}, True),
    "no star for listing": ([allow("lambda:*", HELLO)], "lambda:ListFunctions", "*", {}, False),
    "deny wins": ([allow(), deny(INVOKE)], INVOKE, HELLO, {}, False),
    "deny wins before": ([deny(INVOKE), allow()], INVOKE, HELLO, {}, False),
    "deny elsewhere": ([allow(), deny(INVOKE, OTHER)], INVOKE, HELLO, {}, True),
    "deny hits the other": ([allow(), deny(INVOKE, OTHER)], INVOKE, OTHER, {}, False),
    "deny whose condition fails": (
        [ALL, deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})],
        INVOKE,
        HELLO,
        {TLS: "true"},
        True,
    ),
    "deny without tls": (
        [ALL, deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})],
        INVOKE,
        HELLO,
        {TLS: "false"},
        False,
    ),
    "all operators hold": (
        [
            allow(
                "*",
                Condition={
                    "Bool": {"aws:SecureTransport": "true"},
                    "StringLike": {"aws:UserAgent": "a*"},
                },
            )
        ],
        INVOKE,
        HELLO,
        {TLS: "true", AGENT: "ab"},
        True,
    ),
    "one operator fails": (
        [
            allow(
                "*",
                Condition={
                    "Bool": {"aws:SecureTransport": "true"},
                    "StringLike": {"aws:UserAgent": "a*"},
                },
            )
        ],
        INVOKE,
        HELLO,
        {TLS: "true", AGENT: "b"},
        False,
    ),
    "not action": (
        [{"Effect": "Allow", "NotAction": "lambda:Delete*", "Resource": "*"}],
        INVOKE,
        HELLO,
        {},
        True,
    ),
    "not action excludes": (
        [{"Effect": "Allow", "NotAction": "lambda:Inv*", "Resource": "*"}],
        INVOKE,
        HELLO,
        {},
        False,
    ),
    "not resource": (
        [{"Effect": "Allow", "Action": "*", "NotResource": HELLO}],
        INVOKE,
        OTHER,
        {},
        True,
    ),
    "not resource excludes": (
        [{"Effect": "Allow", "Action": "*", "NotResource": HELLO}],
        INVOKE,
        HELLO,
        {},
        False,
    ),
}


@pytest.mark.parametrize("case", KEY_CASES.values(), ids=KEY_CASES)
def test_key_policy(case: tuple[list[object], str, str, dict[str, str], bool]) -> None:
    """A key may do what its policy allows and no statement of it denies."""
    statements, action, resource, context, allowed = case
    policy = parse_key_policy(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    assert decide(Deed(ANN, action, resource, context), [policy], None).allowed is allowed


# operator, key, the policy's value, the request's (None: it has none), allowed
CONDITION_CASES = [
    ("StringEquals", "aws:UserAgent", "a", "a", True),
    ("StringEquals", "aws:UserAgent", "a", "A", False),
    ("StringEquals", "AWS:useragent", "a", "a", True),
    ("StringEquals", "aws:UserAgent", ["b", "a"], "a", True),
    ("StringEquals", "aws:UserAgent", "a", None, False),
    ("StringEqualsIfExists", "aws:UserAgent", "a", None, True),
    ("StringEqualsIfExists", "aws:UserAgent", "a", "b", False),
    ("StringNotEquals", "aws:UserAgent", "a", "b", True),
    ("StringNotEquals", "aws:UserAgent", ["a", "b"], "b", False),
    ("StringNotEquals", "aws:UserAgent", "a", None, True),
    ("StringEqualsIgnoreCase", "aws:UserAgent", "ABC", "abC", True),
    ("StringNotEqualsIgnoreCase", "aws:UserAgent", "A", "a", False),
    ("StringLike", "aws:UserAgent", "aws-cli/*", "aws-cli/2", True),
    ("StringLike", "aws:UserAgent", "aws-cli/*", "curl", False),
    ("StringNotLike", "aws:UserAgent", "curl*", "curl/8", False),
    ("StringEquals", "aws:UserAgent", "*", "a", False),
    ("NumericLessThan", "aws:EpochTime", "10", "9.5", True),
    ("NumericLessThan", "aws:EpochTime", 10, "10", False),
    ("NumericLessThanEquals", "aws:EpochTime", 10, "10", True),
    ("NumericEquals", "aws:EpochTime", "10", "10.0", True),
    ("NumericGreaterThan", "aws:EpochTime", 10, "9", False),
    ("NumericLessThan", "aws:EpochTime", 10, "x", False),
    (
        "DateLessThan",
        "aws:CurrentTime",
        "2030-01-01T00:00:00Z",
        "2029-12-31T23:59:59Z",
        True,
    ),  # date before
    (
        "DateLessThan",
        "aws:CurrentTime",
        "2030-01-01T00:00:00Z",
        "2030-01-01T00:00:01Z",
        False,
    ),  # date after
    (
        "DateEquals",
        "aws:CurrentTime",
        "2030-01-01T01:00:00+01:00",
        "2030-01-01T00:00:00Z",
        True,
    ),  # date of a zone
    (
        "DateGreaterThan",
        "aws:CurrentTime",
        "2020-01-01",
        "2026-01-01T00:00:00Z",
        True,
    ),  # date by day
    ("Bool", "aws:SecureTransport", True, "true", True),
    ("IpAddress", "aws:SourceIp", "192.0.2.0/24", "192.0.2.7", True),
    ("IpAddress", "aws:SourceIp", "192.0.2.0/24", "192.0.3.7", False),
    ("IpAddress", "aws:SourceIp", "2001:db8::/32", "2001:db8::1", True),
    ("IpAddress", "aws:SourceIp", "0.0.0.0/0", "::1", False),
    ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24", "192.0.2.7", False),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::in*", "arn:aws:s3:::inbox", True),
    (
        "ArnEquals",
        "aws:SourceArn",
        "arn:aws:s3:::*",
        "arn:aws:s3:::inbox",
        True,
    ),  # arn equals is like
    (
        "ArnLike",
        "aws:SourceArn",
        "arn:*:inbox:a:b:c",
        "arn:aws:s3:::inbox",
        False,
    ),  # arn by segment
    ("ArnNotLike", "aws:SourceArn", "arn:aws:s3:::*", "arn:aws:s3:::a", False),
    ("Null", "aws:SourceArn", "true", None, True),
    ("Null", "aws:SourceArn", "true", "x", False),
    ("Null", "aws:SourceArn", False, "x", True),
]


@pytest.mark.parametrize("case", CONDITION_CASES, ids=str)
def test_condition(case: tuple[str, str, object, str | None, bool]) -> None:
    """A statement counts only for requests that meet its condition."""
    operator, key, wanted, found, allowed = case
    policy = parse_key_policy(json.dumps({"Statement": when(operator, key, wanted)}))
    context = {} if found is None else {key.lower(): found}
    assert decide(Deed(ANN, INVOKE, HELLO, context), [policy], None).allowed is allowed


# principal of the function's statement, its effect, caller, the key's statements, allowed
FUNCTION_CASES = {
    "anyone, nobody": ("*", "Allow", "", [], True),
    "anyone, a key": ({"AWS": "*"}, "Allow", ANN, [], True),
    "named user": ({"AWS": ANN}, "Allow", ANN, [], True),
    "another user": ({"AWS": ANN}, "Allow", user_arn("bob"), [], False),
    "list of users": ({"AWS": [user_arn("bob"), ANN]}, "Allow", ANN, [], True),
    "service": ({"Service": "s3.amazonaws.com"}, "Allow", "s3.amazonaws.com", [], True),
    "another service": ({"Service": "s3.amazonaws.com"}, "Allow", "sns.amazonaws.com", [], False),
    "account delegates": ({"AWS": "000000000000"}, "Allow", ANN, [], False),
    "account and key": ({"AWS": "000000000000"}, "Allow", ANN, [allow()], True),
    "account denied": ({"AWS": "000000000000"}, "Deny", ANN, [allow()], False),
    "other account denied": ({"AWS": "111111111111"}, "Deny", ANN, [allow()], True),
    "user denied": ({"AWS": ANN}, "Deny", ANN, [allow()], False),
    "key denies what the function allows": ("*", "Allow", ANN, [deny()], False),
}


@pytest.mark.parametrize("case", FUNCTION_CASES.values(), ids=FUNCTION_CASES)
def test_function_policy(case: tuple[object, str, str, list[object], bool]) -> None:
    """A function's policy lets in whom it names, unless either side denies."""
    principal, effect, caller, of_key, allowed = case
    statement = allow(INVOKE, HELLO, Principal=principal) | {"Effect": effect}
    policy = parse_function_policy(json.dumps({"Statement": statement}))
    keys = [parse_key_policy(json.dumps({"Statement": of_key}))] if of_key else []
    assert decide(Deed(caller, INVOKE, HELLO), keys, policy).allowed is allowed


def test_reason_names_the_statement() -> None:
    """A refusal can be traced to the statement that caused it."""
    text = json.dumps({"Statement": [ALL, deny(INVOKE, Sid="NoCalls")]})
    assert "NoCalls" in decide(Deed(ANN, INVOKE, HELLO), [parse_key_policy(text)], None).reason
