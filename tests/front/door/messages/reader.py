"""Reads answers as strictly as RFC 9112 allows a server to write them.

Neighbours: `test_conformance.py`.
Invariant: every byte that came belongs to an answer, or reading fails.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e]*)\r\n")
_FIELD = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)\r\n"
)
_DATE = re.compile(rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_REPEATABLE = frozenset((b"set-cookie",))
_BODILESS = frozenset((204, 304))


@dataclass(frozen=True, slots=True)
class Read:
    """One final answer."""

    status: int
    fields: Mapping[bytes, bytes]
    body: bytes

    @property
    def told(self) -> str:
        """Status, and the code of an error that has a body."""
        if self.status < 400 or not self.body:
            return str(self.status)
        error = json.loads(self.body)["error"]
        assert set(error) == {"code", "message", "requestId"}
        assert error["requestId"].encode() == self.fields[b"x-edge-request-id"]
        return f"{self.status} {error['code']}"


def read_answers(data: bytes, to_head: tuple[int, ...]) -> Iterator[Read]:
    """The final answers in `data`; those to HEAD, by their index, have no body."""
    at = index = 0
    while at < len(data):
        line = _STATUS_LINE.match(data, at)
        assert line, data[at : at + 80]
        status, at = int(line[1]), line.end()
        fields: dict[bytes, bytes] = {}
        while not data.startswith(b"\r\n", at):
            field = _FIELD.match(data, at)
            assert field, data[at : at + 80]
            name = field[1].lower()
            assert name not in fields or name in _REPEATABLE, name
            fields[name], at = field[2], field.end()
        at += 2
        if status == 100:
            assert not fields
            continue
        assert _DATE.fullmatch(fields[b"date"])
        assert b"transfer-encoding" not in fields
        size = 0
        if status not in _BODILESS:
            length = fields[b"content-length"]
            size = 0 if index in to_head else int(length)
        body = data[at : at + size]
        assert len(body) == size, "the answer is shorter than it says"
        yield Read(status, fields, body)
        at, index = at + size, index + 1
