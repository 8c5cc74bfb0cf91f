"""How an answer begins that leaves as it is written.

Neighbours: `host/response.py` makes one of what a guest says, `front/` sends it.
Source: the prelude of https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html.
"""

from typing import NamedTuple


class ResponseHead(NamedTuple):
    """Status, fields (names in lower case, values in Latin-1) and whole `Set-Cookie` values."""

    status: int
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[str, ...] = ()
