"""One row of the table, and short ways to write requests.

Neighbours: the themes of the table use it.
"""

from dataclasses import dataclass

HOST = b"Host: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
OK = "200"
MALFORMED = "400 invalid_request"
UNSUPPORTED = "501 unsupported"
BODY_BYTES_MAX = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes for the door, its final answers in order, whether it closes the connection then.

    `to_head` tells which answers have no body, being answers to HEAD.
    """

    data: bytes
    answers: tuple[str, ...]
    closes: bool = False
    to_head: tuple[int, ...] = ()


def kept(data: bytes, *answers: str, to_head: tuple[int, ...] = ()) -> Message:
    """A message after which the connection can be used again."""
    return Message(data, answers or (OK,), to_head=to_head)


def closed(data: bytes, *answers: str) -> Message:
    """A message after which the connection is closed."""
    return Message(data, answers or (OK,), closes=True)


def refused(data: bytes, answer: str = MALFORMED) -> Message:
    """A message that is refused, and nothing behind it read."""
    return Message(data, (answer,), closes=True)


def get(path: bytes = b"/hello", fields: bytes = HOST, version: bytes = b"1.1") -> bytes:
    """A GET."""
    return b"GET " + path + b" HTTP/" + version + b"\r\n" + fields + b"\r\n"


def field(line: bytes) -> bytes:
    """A GET with one field more, as it is written."""
    return get(fields=HOST + line + b"\r\n")


def post(fields: bytes, body: bytes = b"", path: bytes = b"/hello") -> bytes:
    """A POST with a Host."""
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


def chunks(body: bytes, fields: bytes = CHUNKED) -> bytes:
    """A POST whose body is in chunks, as they are written."""
    return post(fields, body)
