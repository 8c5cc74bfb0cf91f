"""Policies that are refused: what cannot be enforced is told, never ignored."""

import json

import pytest

from edge.access.policy import parse_function_policy, parse_key_policy
from edge.model.errors import InvalidConfiguration, PayloadTooLarge

GOOD = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}


def condition(operator: str, key: str, value: object) -> dict[str, object]:
    """A statement with one condition."""
    return {**GOOD, "Condition": {operator: {key: value}}}


REFUSED = {
    "unknown element": ({**GOOD, "Effects": "Allow"}, "did you mean Effect"),
    "no effect": ({"Action": "*", "Resource": "*"}, "Allow or Deny"),
    "effect has case": ({**GOOD, "Effect": "allow"}, "Allow or Deny"),
    "no action": ({"Effect": "Allow", "Resource": "*"}, "either Action or NotAction"),
    "both actions": ({**GOOD, "NotAction": "*"}, "either Action or NotAction"),
    "no resource": ({"Effect": "Allow", "Action": "*"}, "either Resource or NotResource"),
    "empty actions": ({**GOOD, "Action": []}, "Action must be"),
    "action without service": ({**GOOD, "Action": "Invoke"}, "is no action"),
    "resource is no arn": ({**GOOD, "Resource": "hello"}, "is no ARN"),
    "short arn": ({**GOOD, "Resource": "arn:aws:lambda:*"}, "is no ARN"),
    "variable": ({**GOOD, "Resource": "arn:aws:s3:::${aws:username}"}, "variables"),
    "principal": ({**GOOD, "Principal": "*"}, "leave Principal out"),
    "not principal": ({**GOOD, "NotPrincipal": "*"}, "unknown here"),
    "unknown operator": (
        condition("StringEqual", "aws:SourceIp", "a"),
        "StringEquals",
    ),
    "set operator": (condition("ForAnyValue:StringLike", "aws:SourceIp", "a"), "unknown here"),
    "null if exists": (condition("NullIfExists", "aws:SourceIp", "true"), "unknown here"),
    "unknown key": (condition("Bool", "aws:SecureTransprot", "true"), "aws:SecureTransport"),
    "no address": (condition("IpAddress", "aws:SourceIp", "here"), "no address range"),
    "no number": (condition("NumericEquals", "aws:EpochTime", "x"), "no number"),
    "no date": (condition("DateEquals", "aws:CurrentTime", "soon"), "no date"),
    "no bool": (condition("Bool", "aws:SecureTransport", "yes"), "neither true nor false"),
    "condition value": (condition("Bool", "aws:SecureTransport", {}), "must be a text"),
    "condition of no object": ({**GOOD, "Condition": ["a"]}, "no object"),
    "statement of no object": ("x", "no JSON object"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refused_statement(case: tuple[object, str]) -> None:
    """A statement with anything not understood is refused, with words that help."""
    statement, said = case
    with pytest.raises(InvalidConfiguration, match=said):
        parse_key_policy(json.dumps({"Statement": [statement]}))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "{}", '{"Statement": []}', '{"Version": "2020-01-01", "Statement": []}',
     '{"Statement": [], "Statement": []}', "[" * 5_000],
)  # fmt: skip
def test_refused_document(text: str) -> None:
    """A text that is no policy is refused, however it is broken."""
    with pytest.raises(InvalidConfiguration):
        parse_key_policy(text)


@pytest.mark.parametrize(
    "principal",
    [{}, [], {"Federated": "x"}, {"AWS": []}, {"AWS": "ann"}, {"AWS": "arn:aws:iam::*"}],
)
def test_refused_principal(principal: object) -> None:
    """A principal that cannot be told apart is refused."""
    with pytest.raises(InvalidConfiguration):
        parse_function_policy(json.dumps({"Statement": {**GOOD, "Principal": principal}}))


def test_function_policy_needs_a_principal() -> None:
    """A function's policy that names nobody is refused."""
    with pytest.raises(InvalidConfiguration, match="needs a Principal"):
        parse_function_policy(json.dumps({"Statement": GOOD}))


def test_policy_is_bounded() -> None:
    """A policy over its limit is refused before it is read."""
    with pytest.raises(PayloadTooLarge):
        parse_key_policy(" " * 10_000)
