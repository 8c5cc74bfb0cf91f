"""An alias: a name for a version of a function, or for two of them in proportion.

Neighbours: `storage/aliases.py` keeps these, `registry/` follows them, `front/lambda_api/` tells
them.
Source of the rules: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html.
"""

import re
from dataclasses import dataclass

from edge.model.errors import InvalidConfiguration
from edge.model.function import DESCRIPTION_CHARS_MAX
from edge.model.ids import LATEST

_NAME = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9_-]{1,128}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that stands for `version`; `also` takes the share `also_weight` (0 to 1) of events.

    An alias without a second version has an empty `also`.
    """

    function: str
    name: str
    version: str
    revision_id: str
    description: str = ""
    also: str = ""
    also_weight: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what Lambda refuses; raises InvalidConfiguration."""
        if not is_alias_name(self.name):
            raise InvalidConfiguration(
                f"{self.name[:80]!r} is not an alias: use 1 to 128 letters, digits, '-' or '_',"
                " not digits alone"
            )
        if self.version != LATEST and not _NUMBER.fullmatch(self.version):
            raise InvalidConfiguration(
                f"{self.version[:80]!r} is not a version: an alias stands for $LATEST or a number"
            )
        if len(self.description) > DESCRIPTION_CHARS_MAX:
            raise InvalidConfiguration(
                f"Description must have at most {DESCRIPTION_CHARS_MAX} characters"
            )
        if not 0 <= self.also_weight <= 1:
            raise InvalidConfiguration(f"a weight is from 0 to 1, not {self.also_weight}")
        if self.also and not (_NUMBER.fullmatch(self.also) and self.version != LATEST):
            raise InvalidConfiguration(
                "an alias for two versions takes numbered ones: publish $LATEST first"
            )
        if self.also == self.version:
            raise InvalidConfiguration(f"the alias stands for version {self.version} already")

    def choose(self, draw: float, pin: str = "") -> str:
        """The version for one event. `draw` is from 0 to below 1; a `pin` to either one wins."""
        if self.also and pin == self.also:
            return self.also
        if pin == self.version:
            return self.version
        return self.also if draw < self.also_weight else self.version


def is_alias_name(text: str) -> bool:
    """Whether `text` may name an alias: no version's number, and not `$LATEST`."""
    return _NAME.fullmatch(text) is not None
