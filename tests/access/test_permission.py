"""Permissions become the statements that Lambda shows, and what is none is refused."""

import json
from dataclasses import replace

import pytest

from edge.access.evaluation import Deed, decide
from edge.access.permission import Permission, statement_of
from edge.access.policy import parse_function_policy
from edge.access.principals import user_arn
from edge.model.errors import InvalidConfiguration
from edge.model.ids import function_arn
from edge.model.policy import FunctionPolicy

HELLO = function_arn("hello")
INVOKE, BY_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"
KEY_ID = "EDGE0123456789ABCDEF"
ANYBODY = Permission("any", INVOKE, "*")
BUCKET = replace(ANYBODY, principal="s3.amazonaws.com", source_arn="arn:aws:s3:::in*")


@pytest.mark.parametrize(
    ("principal", "shown"),
    [
        ("*", "*"),
        ("111122223333", {"AWS": "arn:aws:iam::111122223333:root"}),
        (user_arn("ann"), {"AWS": user_arn("ann")}),
        (KEY_ID, {"AWS": KEY_ID}),
        ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}),
    ],
)
def test_principals_are_shown_as_lambda_does(principal: str, shown: object) -> None:
    """A service, an account, a user by name or key, or everybody."""
    statement = json.loads(statement_of(replace(ANYBODY, principal=principal), HELLO))
    assert statement == {
        "Sid": "any",
        "Effect": "Allow",
        "Principal": shown,
        "Action": INVOKE,
        "Resource": HELLO,
    }


def test_conditions_are_shown_as_lambda_does() -> None:
    """Each member that narrows a permission is in its Condition."""
    every = Permission(
        "all",
        BY_URL,
        "*",
        source_arn="arn:aws:s3:::inbox",
        source_account="111122223333",
        organization="o-0123456789",
        event_source_token="token.1",
        url_auth_type="AWS_IAM",
        via_url=True,
    )
    assert json.loads(statement_of(every, HELLO))["Condition"] == {
        "StringEquals": {
            "AWS:SourceAccount": "111122223333",
            "aws:PrincipalOrgID": "o-0123456789",
            "lambda:EventSourceToken": "token.1",
            "lambda:FunctionUrlAuthType": "AWS_IAM",
        },
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::inbox"},
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"sid": ""},
        {"sid": "a b"},
        {"sid": "x" * 101},
        {"action": "s3:GetObject"},
        {"action": "lambda:Get*"},
        {"principal": "ann"},
        {"principal": "arn:aws:iam::000000000000:user/*"},
        {"principal": "arn:other"},
        {"source_account": "12"},
        {"source_arn": "inbox"},
        {"source_arn": "arn:aws:s3:::" + "x" * 2_048},
        {"organization": "o-1"},
        {"event_source_token": "a b"},
        {"url_auth_type": "NONE"},
    ],
)
def test_what_is_no_permission_is_refused(wrong: dict[str, str]) -> None:
    """What would allow nothing, or not what it seems to, is never stored."""
    with pytest.raises(InvalidConfiguration):
        statement_of(replace(ANYBODY, **wrong), HELLO)


# the permission, who asks (the caller, its key), for what, what the request says, allowed
CASES = {
    "anyone": (ANYBODY, ("", ""), INVOKE, HELLO, {}, True),
    "another action": (ANYBODY, ("", ""), "lambda:DeleteFunction", HELLO, {}, False),
    "all of lambda": (replace(ANYBODY, action="lambda:*"), ("", ""), BY_URL, HELLO, {}, True),
    "another function": (ANYBODY, ("", ""), INVOKE, function_arn("other"), {}, False),
    "a version of it": (ANYBODY, ("", ""), INVOKE, function_arn("hello", "1"), {}, False),
    "user": (
        replace(ANYBODY, principal=user_arn("ann")),
        (user_arn("ann"), ""),
        INVOKE,
        HELLO,
        {},
        True,
    ),
    "key": (replace(ANYBODY, principal=KEY_ID), (user_arn("ann"), KEY_ID), INVOKE, HELLO, {}, True),
    "another key": (
        replace(ANYBODY, principal=KEY_ID),
        (user_arn("ann"), "EDGE0000000000000000"),
        INVOKE,
        HELLO,
        {},
        False,
    ),
    "a user called as the key": (
        replace(ANYBODY, principal=KEY_ID),
        (user_arn(KEY_ID), "EDGE0000000000000000"),
        INVOKE,
        HELLO,
        {},
        False,
    ),
    "bucket": (
        BUCKET,
        ("s3.amazonaws.com", ""),
        INVOKE,
        HELLO,
        {"aws:sourcearn": "arn:aws:s3:::inbox"},
        True,
    ),
    "another bucket": (
        BUCKET,
        ("s3.amazonaws.com", ""),
        INVOKE,
        HELLO,
        {"aws:sourcearn": "arn:aws:s3:::outbox"},
        False,
    ),
    "bucket without its name": (BUCKET, ("s3.amazonaws.com", ""), INVOKE, HELLO, {}, False),
    "another service": (
        BUCKET,
        ("sns.amazonaws.com", ""),
        INVOKE,
        HELLO,
        {"aws:sourcearn": "arn:aws:s3:::inbox"},
        False,
    ),
    "no organization here": (
        replace(ANYBODY, organization="o-0123456789"),
        (user_arn("ann"), ""),
        INVOKE,
        HELLO,
        {},
        False,
    ),
    "token": (
        replace(ANYBODY, event_source_token="t"),
        ("", ""),
        INVOKE,
        HELLO,
        {"lambda:eventsourcetoken": "t"},
        True,
    ),
    "url": (
        replace(ANYBODY, action=BY_URL, url_auth_type="AWS_IAM"),
        ("", ""),
        BY_URL,
        HELLO,
        {"lambda:functionurlauthtype": "AWS_IAM"},
        True,
    ),
    "url of another kind": (
        replace(ANYBODY, action=BY_URL, url_auth_type="AWS_IAM"),
        ("", ""),
        BY_URL,
        HELLO,
        {"lambda:functionurlauthtype": "TOKEN"},
        False,
    ),
    "not by the url": (replace(ANYBODY, via_url=True), ("", ""), INVOKE, HELLO, {}, False),
    "by the url": (
        replace(ANYBODY, via_url=True),
        ("", ""),
        INVOKE,
        HELLO,
        {"lambda:invokedviafunctionurl": "true"},
        True,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_permission_allows(
    case: tuple[Permission, tuple[str, str], str, str, dict[str, str], bool],
) -> None:
    """It allows what it says to whom it names, and nobody else anything."""
    permission, (caller, key_id), action, resource, context, allowed = case
    policy = FunctionPolicy("$LATEST", "r1", ((permission.sid, statement_of(permission, HELLO)),))
    deed = Deed(caller, action, resource, context, key_id)
    read = parse_function_policy(policy.document())
    assert decide(deed, (), read).allowed is allowed
