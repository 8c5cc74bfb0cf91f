"""Wildcard patterns of policies: `*` is any run of characters, `?` is any one.

Neighbours: `policy.py` compiles them once; `evaluation.py` and `conditions.py` match with them.
Invariant: a match takes time in proportion to pattern times text, whatever the pattern.
"""

from collections.abc import Callable

from edge.model.errors import InvalidConfiguration

Matcher = Callable[[str], bool]

_ARN_SEGMENTS = 6
"""arn:partition:service:region:account:resource"""


def wildcard(pattern: str) -> Matcher:
    """A matcher of whole texts; the common forms cost one comparison."""
    if "*" not in pattern and "?" not in pattern:
        return pattern.__eq__
    if pattern == "*":
        return _anything
    head = pattern[:-1]
    if pattern[-1] == "*" and "*" not in head and "?" not in head:
        return lambda text: text.startswith(head)
    return lambda text: _matches(pattern, text)


def arn_wildcard(pattern: str) -> Matcher:
    """A matcher of ARNs, segment by segment: only in the last may `*` stand for a colon.

    `*` alone matches anything. Raises InvalidConfiguration.
    """
    if pattern == "*":
        return _anything
    if "*" not in pattern and "?" not in pattern:
        _segments(pattern)
        return pattern.__eq__
    matchers = [wildcard(segment) for segment in _segments(pattern)]

    def match(text: str) -> bool:
        segments = text.split(":", _ARN_SEGMENTS - 1)
        return len(segments) == _ARN_SEGMENTS and all(
            matcher(segment) for matcher, segment in zip(matchers, segments, strict=True)
        )

    return match


def _segments(pattern: str) -> list[str]:
    segments = pattern.split(":", _ARN_SEGMENTS - 1)
    if len(segments) != _ARN_SEGMENTS or segments[0] != "arn":
        raise InvalidConfiguration(
            f"{pattern[:200]!r} is no ARN: write arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE, or *"
        )
    return segments


def _anything(_text: str) -> bool:
    return True


def _matches(pattern: str, text: str) -> bool:
    """Greedy: on a mismatch only the last `*` seen takes one character more."""
    at = read = 0
    star, resume = -1, 0
    while read < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, read
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[read]):
            at += 1
            read += 1
        elif star >= 0:
            resume += 1
            at, read = star + 1, resume
        else:
            return False
    return all(rest == "*" for rest in pattern[at:])
