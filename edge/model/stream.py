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

    def document(self) -> dict[str, object]:
        """As Lambda writes it; repeated fields joined by commas."""
        headers: dict[str, str] = {}
        for name, value in self.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return {"statusCode": self.status, "headers": headers, "cookies": list(self.cookies)}
