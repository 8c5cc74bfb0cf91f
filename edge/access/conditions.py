"""The Condition block of a statement: operators, keys, and how a request's context meets them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
Neighbours: `policy.py` parses with `parse_conditions`; `evaluation.py` asks `Condition.holds`.
Invariant: an operator, key or value that is not understood is refused when the policy is written,
never skipped when it is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Protocol

from edge.access.elements import nearest, texts_of
from edge.access.patterns import arn_wildcard, wildcard
from edge.model.errors import InvalidConfiguration

Test = Callable[[str], bool]
"""Whether one value of the request meets one value of the policy."""


class Context(Protocol):
    """What a request says of itself, by condition keys in lower case; a mapping is one."""

    def get(self, name: str, /) -> str | None:
        """The value of a key, None where the request has none."""


_KEYS = (
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalType",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIp",
    "aws:UserAgent",
    "aws:userid",
    "aws:username",
    "lambda:EventSourceToken",
    "lambda:FunctionArn",
    "lambda:FunctionUrlAuthType",
    "lambda:InvokedViaFunctionUrl",
    "lambda:Principal",
)
_KNOWN_KEYS = frozenset(key.lower() for key in _KEYS)
_IF_EXISTS = "IfExists"


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator. `key` is in lower case: keys have no case.

    `absent` is the verdict for a request without the key; `negated` operators hold where no test
    does, the others where any does.
    """

    key: str
    tests: tuple[Test, ...]
    negated: bool
    absent: bool

    def holds(self, context: Context) -> bool:
        """Whether a request with this context meets the condition."""
        value = context.get(self.key)
        if value is None:
            return self.absent
        return any(test(value) for test in self.tests) is not self.negated


def parse_conditions(document: object) -> tuple[Condition, ...]:
    """The conditions of a Condition block; all must hold. Raises InvalidConfiguration."""
    if not isinstance(document, dict):
        raise InvalidConfiguration('Condition is no object: write {"OPERATOR": {"KEY": "VALUE"}}')
    conditions: list[Condition] = []
    for operator, keys in document.items():
        if not isinstance(keys, dict):
            raise InvalidConfiguration(f"Condition {operator} is no object of keys and values")
        conditions += (_condition(operator, key, value) for key, value in keys.items())
    return tuple(conditions)


def _condition(operator: str, key: str, value: object) -> Condition:
    if key.lower() not in _KNOWN_KEYS:
        raise InvalidConfiguration(f"condition key {key!r} is unknown here{nearest(key, _KEYS)}")
    texts = _texts(operator, value)
    if operator == "Null":
        wanted = _boolean(texts[0])
        return Condition(key.lower(), (lambda _value: not wanted,), negated=False, absent=wanted)
    name = operator.removesuffix(_IF_EXISTS)
    if name not in _OPERATORS:
        raise InvalidConfiguration(
            f"condition operator {operator!r} is unknown here{nearest(name, _OPERATORS)}"
        )
    compare, negated = _OPERATORS[name]
    tests = tuple(compare(text) for text in texts)
    return Condition(key.lower(), tests, negated, absent=negated or operator != name)


def _texts(operator: str, value: object) -> tuple[str, ...]:
    """The values of a key; JSON's own numbers and booleans are taken as their texts."""
    listed: list[object] = value if isinstance(value, list) else [value]
    return texts_of(f"a value of Condition {operator}", [_text(each) for each in listed])


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _equals(text: str) -> Test:
    return text.__eq__


def _equals_ignoring_case(text: str) -> Test:
    folded = text.casefold()
    return lambda value: value.casefold() == folded


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InvalidConfiguration(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _bool(text: str) -> Test:
    wanted = "true" if _boolean(text) else "false"
    return lambda value: value.lower() == wanted


def _address(text: str) -> Test:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise InvalidConfiguration(f"{text!r} is no address range: write 192.0.2.0/24") from None

    def test(value: str) -> bool:
        try:
            return ip_address(value) in network
        except ValueError:
            return False

    return test


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidConfiguration(f"{text!r} is no number") from None


def _moment(text: str) -> float:
    """Unix seconds of an ISO 8601 date, or of Unix seconds as a text."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidConfiguration(f"{text!r} is no date: write 2030-01-31T00:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _ordered(
    read: Callable[[str], float], compare: Callable[[float, float], bool]
) -> Callable[[str], Test]:
    """An operator on numbers or dates; a value of the request that is none never meets it."""

    def operator(text: str) -> Test:
        bound = read(text)

        def test(value: str) -> bool:
            try:
                return compare(read(value), bound)
            except InvalidConfiguration:
                return False

        return test

    return operator


_ORDERS: Mapping[str, tuple[Callable[[float, float], bool], bool]] = MappingProxyType(
    {
        "Equals": (lambda value, bound: value == bound, False),
        "NotEquals": (lambda value, bound: value == bound, True),
        "LessThan": (lambda value, bound: value < bound, False),
        "LessThanEquals": (lambda value, bound: value <= bound, False),
        "GreaterThan": (lambda value, bound: value > bound, False),
        "GreaterThanEquals": (lambda value, bound: value >= bound, False),
    }
)
_OPERATORS: Mapping[str, tuple[Callable[[str], Test], bool]] = MappingProxyType(
    {
        "StringEquals": (_equals, False),
        "StringNotEquals": (_equals, True),
        "StringEqualsIgnoreCase": (_equals_ignoring_case, False),
        "StringNotEqualsIgnoreCase": (_equals_ignoring_case, True),
        "StringLike": (wildcard, False),
        "StringNotLike": (wildcard, True),
        "ArnEquals": (arn_wildcard, False),
        "ArnLike": (arn_wildcard, False),
        "ArnNotEquals": (arn_wildcard, True),
        "ArnNotLike": (arn_wildcard, True),
        "Bool": (_bool, False),
        "IpAddress": (_address, False),
        "NotIpAddress": (_address, True),
        **{f"Numeric{n}": (_ordered(_number, c), negated) for n, (c, negated) in _ORDERS.items()},
        **{f"Date{n}": (_ordered(_moment, c), negated) for n, (c, negated) in _ORDERS.items()},
    }
)
"""Each operator: what makes a test of a policy's value, and whether it holds where no test does."""
