"""Who called a function's URL, where the URL asks for that.

Neighbours: `front/authorizer.py` finds out; `front/event.py` tells the function.
"""

from typing import NamedTuple


class Caller(NamedTuple):
    """The holder of an access key: `arn` has the holder's name."""

    access_key_id: str
    arn: str
