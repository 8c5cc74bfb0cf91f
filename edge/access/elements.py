"""The texts of a policy document, checked: what all its elements have in common.

Neighbours: `policy.py`, `principals.py` and `conditions.py` read with it.
Invariant: what is returned holds no policy variable; edge has none, so they would be plain text.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from edge.model.errors import InvalidConfiguration


def texts_of(what: str, value: object) -> tuple[str, ...]:
    """One text or a list of texts, as a tuple. Raises InvalidConfiguration."""
    listed: list[object] = value if isinstance(value, list) else [value]
    texts = tuple(each for each in listed if isinstance(each, str) and each)
    if not texts or len(texts) != len(listed):
        raise InvalidConfiguration(f"{what} must be a text, or a list of texts")
    if any("${" in text for text in texts):
        raise InvalidConfiguration("policy variables (${…}) are not supported: write the value")
    return texts


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a refusal of `name`: which of the known names may have been meant."""
    found = get_close_matches(name, list(known), 1)
    return f": did you mean {found[0]}?" if found else ""
