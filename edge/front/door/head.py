"""The head of a request: found by us, read by httptools, and checked for what that lets through.

The head is fed whole, to a parser of its own (0.16 µs to make), so nothing of one message can
reach the next. httptools (llhttp) refuses fields that are malformed, lengths that are odd or
repeat, a length beside a coding. It lets through, and we refuse: other protocols (`RTSP/1.0`),
HTTP/0.9, two spaces, bare line feeds before the message, `gzip, chunked`, a coding in HTTP/1.0,
a Host that is missing, repeated or no host; it also ends a message with an upgrade before its
body, which is why bodies are framed in `body.py`.

Neighbours: `connection.py` finds where a head ends; `body.py` reads what follows it.
Source: RFC 9112, sections 2.2 to 7; RFC 9110, section 7.
"""

import re
from typing import TYPE_CHECKING

import httptools

from edge.config import DoorSettings
from edge.front.door.refusals import Refusal, malformed, unsupported

if TYPE_CHECKING:
    from edge.front.event import HttpRequest

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
# One empty line may precede a message (RFC 9112, section 2.2). A fragment is never sent.
_REQUEST_LINE = re.compile(
    rb"(?:\r\n)?(" + _TOKEN + rb"{1,32}) ([\x21\x22\x24-\x7e]+) HTTP/1\.([01])\r\n"
)
_OTHER_VERSION = re.compile(
    rb"(?:\r\n)?" + _TOKEN + rb"{1,32} [\x21\x22\x24-\x7e]+ HTTP/[0-9]\.[0-9]\r\n"
)
_BEGINNING = re.compile(
    rb"(?:\r\n?)?(?:"
    + _TOKEN
    + rb"{1,32}(?: [\x21\x22\x24-\x7e]*(?: H?T?T?P?/?[0-9]?\.?[0-9]?\r?)?)?)?"
)
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
HOST = re.compile(
    rb"(?:[A-Za-z0-9._~%-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])?(?::[0-9]{0,5})?", re.ASCII
)
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE)

_SIGNED_AT = b"x-amz-date"
# The fields that say something about the message itself; all others are only passed on.
_FRAMING = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"expect",
        b"upgrade",
        _SIGNED_AT,
    )
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
CHUNKED = -1
_SERVER_WIDE = b"*"
_LENGTH_DIGITS_MAX = 15
KEPT_BYTES_MAX = 1_024
"""Longer heads seldom repeat."""

Field = tuple[bytes, bytes]


class Head:
    """What a request says before its body.

    `fields` have names in lower case and values without the spaces around them. `length` is the
    body's in bytes, or `CHUNKED`. `upgrade` is what a bodiless request offers to go on with, in
    lower case, else empty. `is_server_wide` tells `OPTIONS *`. `comes_once` says that a signature
    makes it unlike any other. `request` is what the data plane made of it. Nothing of it changes
    once it was read.
    """

    __slots__ = (
        "comes_once",
        "expects_continue",
        "fields",
        "has_other",
        "is_complete",
        "is_server_wide",
        "keep_alive",
        "length",
        "method",
        "raw_path",
        "raw_query",
        "request",
        "upgrade",
        "version",
    )

    def __init__(self, method: str, target: bytes, version: str) -> None:
        self.method = method
        self.raw_path, _, self.raw_query = target.partition(b"?")
        self.version = version
        self.fields: list[Field] = []
        self.has_other = False  # whether there is a framing field besides Host
        self.length = 0
        self.keep_alive = version == "1.1"
        self.expects_continue = False
        self.upgrade = b""
        self.is_server_wide = False
        self.is_complete = False
        self.comes_once = False
        self.request: HttpRequest | None = None

    # What httptools calls

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field."""
        self.fields.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """The empty line."""
        self.is_complete = True


class Heads:
    """Heads that were read, by their bytes, which repeat: of polling clients and of keep-alive ones
    all but a few are like the one before (6 µs less, with what is made of them)."""

    __slots__ = ("_kept", "_settings")

    def __init__(self, settings: DoorSettings) -> None:
        self._settings = settings
        self._kept: dict[bytes, Head] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def read(self, raw: bytes) -> Head:
        """The head in `raw`, as `read_head` does."""
        head = self._kept.get(raw)
        if head is None:
            head = read_head(raw, self._settings)
            if len(raw) <= KEPT_BYTES_MAX and not head.comes_once:
                if len(self._kept) >= self._settings.heads_kept_max:
                    self._kept.clear()
                self._kept[raw] = head
        return head


def read_head(raw: bytes, settings: DoorSettings) -> Head:
    """The head in `raw`, which ends in its empty line. Raises Refusal."""
    line = _REQUEST_LINE.match(raw)
    if line is None:
        check_beginning(raw, settings)
        raise malformed("the request line is not well-formed HTTP/1.1")
    size = line.end()
    if size > settings.request_line_bytes_max or len(raw) - size > settings.fields_bytes_max:
        check_beginning(raw, settings)
    method, target, minor = line.groups()
    head = Head(method.decode(), target, "1.1" if minor == b"1" else "1.0")
    try:
        httptools.HttpRequestParser(head).feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # what follows the head is not the parser's to say
    except httptools.HttpParserError as error:
        raise _why(error, head, raw) from None
    if not head.is_complete:
        raise malformed("the request's head is not well-formed HTTP/1.1")
    if len(head.fields) > settings.fields_max:
        raise _fields_too_many()
    _check_fields(head)
    if target[0] != 0x2F:  # no path: one of the rarer forms
        _read_target(head, target)
    return head


def check_beginning(raw: bytes, settings: DoorSettings) -> None:
    """Refuse the beginning of a head, or an overlong one, as soon as it cannot become good.

    However a message is split, it is refused for the same reason. Raises Refusal.
    """
    line_max = settings.request_line_bytes_max
    end = raw.find(b"\r\n", 2)
    if end < 0 or end > line_max:
        if _BEGINNING.fullmatch(raw[:line_max]) is None:
            raise malformed("the request line is not well-formed HTTP/1.1")
        if len(raw) > line_max:
            raise Refusal(414, "target_too_long", f"the request line is over {line_max} bytes")
        return
    if _REQUEST_LINE.match(raw) is None and not PREFACE.startswith(raw[: len(PREFACE)]):
        if _OTHER_VERSION.match(raw):
            raise Refusal(505, "http_version", "this door speaks HTTP/1.1 and 1.0, and HTTP/2")
        raise malformed("the request line is not well-formed HTTP/1.1")
    if _BARE_LINE_FEED.search(raw):
        raise malformed("a line of the head ends without a carriage return")
    if len(raw) - end - 2 > settings.fields_bytes_max:
        raise _fields_too_many()


def _check_fields(head: Head) -> None:
    """What the fields say of the message; one pass, 35 ns for a field that says nothing."""
    host: bytes | None = None
    for name, value in head.fields:
        if name not in _FRAMING:
            continue
        if name == b"host":
            if host is not None:
                raise malformed("the Host field is repeated")
            host = value
        elif name == b"content-length":
            if head.length:
                raise malformed("the length of the body is ambiguous")
            head.length = _length(value)
        elif name == b"transfer-encoding":
            _check_coding(head, value)
        elif name == _SIGNED_AT:
            head.comes_once = True
        else:
            head.has_other = True
    if host is None:
        if head.version == "1.1":
            raise malformed("a request needs a Host field")
    elif HOST.fullmatch(host) is None:
        raise malformed("the Host field is no host")
    if head.has_other:
        _read_wishes(head)


def _length(value: bytes) -> int:
    if not value.isdigit():
        raise malformed("the Content-Length is no number")
    if len(value) > _LENGTH_DIGITS_MAX and len(value.lstrip(b"0")) > _LENGTH_DIGITS_MAX:
        raise malformed("the Content-Length is beyond reason")
    return int(value)


def _check_coding(head: Head, value: bytes) -> None:
    if head.version == "1.0":
        raise malformed("HTTP/1.0 has no Transfer-Encoding: the length is ambiguous")
    if head.length:
        raise malformed("the length of the body is ambiguous")
    if value.lower() != b"chunked":
        raise unsupported("the only transfer coding is chunked")
    head.length = CHUNKED


def _read_wishes(head: Head) -> None:
    """What the peer wishes of the connection, and of us before it sends its body."""
    options: set[bytes] = set()
    upgrade = b""
    for name, value in head.fields:
        if name == b"connection":
            options.update(option.strip(b" \t") for option in value.lower().split(b","))
        elif name == b"upgrade":
            upgrade = upgrade + b"," + value.lower() if upgrade else value.lower()
        elif name == b"expect":
            if value.lower() != b"100-continue":
                raise Refusal(417, "expectation_failed", "only 100-continue can be expected")
            head.expects_continue = head.version == "1.1" and head.length != 0
    if head.version == "1.0":
        head.keep_alive = b"keep-alive" in options
    if b"close" in options:
        head.keep_alive = False
    if b"upgrade" in options and head.version == "1.1" and head.length == 0:
        head.upgrade = upgrade


def _read_target(head: Head, target: bytes) -> None:
    """The forms of RFC 9112, section 3.2, that are no path."""
    if head.method == "CONNECT":
        raise unsupported("this is no proxy: CONNECT is not taken")
    if target == _SERVER_WIDE:
        if head.method != "OPTIONS":
            raise malformed("only OPTIONS may ask for '*'")
        head.is_server_wide = True
        return
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or not absolute[1] or HOST.fullmatch(absolute[1]) is None:
        raise malformed("the request target is neither a path nor an http URI")
    rest = absolute[2]
    head.raw_path, _, head.raw_query = rest.partition(b"?")
    head.raw_path = head.raw_path or b"/"
    # The URI's host stands, whatever Host says (section 3.2.2).
    named = [field for field in head.fields if field[0] != b"host"]
    head.fields = [(b"host", absolute[1]), *named]


def _why(error: httptools.HttpParserError, head: Head, raw: bytes) -> Refusal:
    if _BARE_LINE_FEED.search(raw):
        return malformed("a line of the head ends without a carriage return")
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return unsupported("the method is not known here")
    codings = [value.lower() for name, value in head.fields if name == b"transfer-encoding"]
    if head.is_complete and codings and codings != [b"chunked"] and head.version == "1.1":
        return unsupported("the only transfer coding is chunked")
    return malformed("the request's head is not well-formed HTTP/1.1")


def _fields_too_many() -> Refusal:
    return Refusal(431, "headers_too_large", "the header fields are too many or too long")
