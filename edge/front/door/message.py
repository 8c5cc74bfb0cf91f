"""One request as it arrives: collected from the parser, checked, refused when it is ambiguous.

httptools (llhttp) refuses on its own: both length and chunks, lengths that repeat or are odd, bad
chunks, bare line feeds, folded lines, a space before the colon, control characters. What it lets
through and RFC 9112 does not is refused here.

Neighbours: `connection.py` feeds it and asks what became of it.
Invariant: `refusal` is set once, and nothing that comes after it is looked at.
"""

from edge.front.door.limits import DoorLimits
from edge.front.event import HttpRequest
from edge.front.target import without_authority

CHUNKED = b"chunked"
_HTTP_1_1 = "1.1"
_HTTP_1_0 = "1.0"


class Refusal(Exception):
    """Why a message is not taken: a status, a code and what to tell the peer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Message:
    """The request being read. Made anew for each one on a connection."""

    __slots__ = (
        "_header_bytes",
        "_limits",
        "begun_s",
        "body",
        "body_bytes",
        "complete",
        "expects_continue",
        "has_body",
        "headers",
        "headers_complete",
        "target",
    )

    def __init__(self, limits: DoorLimits, now_s: float) -> None:
        self._limits = limits
        self._header_bytes = 0
        self.begun_s = now_s
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.body_bytes = 0
        self.has_body = False
        self.expects_continue = False
        self.headers_complete = False
        self.complete = False

    def add_target(self, piece: bytes) -> None:
        """More of the request target; raises Refusal."""
        self.target += piece
        if len(self.target) > self._limits.target_bytes_max:
            raise Refusal(414, "target_too_long", "the request target is too long")

    def add_header(self, name: bytes, value: bytes) -> None:
        """One header field; raises Refusal."""
        limits = self._limits
        self._header_bytes += len(name) + len(value) + 4
        if len(self.headers) >= limits.headers_max or self._header_bytes > limits.header_bytes_max:
            raise Refusal(431, "headers_too_large", "the header fields are too many or too long")
        self.headers.append((name.lower(), value))

    def end_head(self, version: str) -> None:
        """The head is whole; raises Refusal for what could be read in two ways."""
        self.headers_complete = True
        if version not in (_HTTP_1_1, _HTTP_1_0):
            raise Refusal(505, "http_version", "this door speaks HTTP/1.1")
        hosts = lengths = 0
        coding: bytes | None = None
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                lengths += 1
                if not value.isdigit():
                    raise Refusal(400, "invalid_request", "the Content-Length is no number")
                self.has_body = int(value) > 0
                if int(value) > self._limits.payload_bytes_max:
                    raise self._too_large()
            elif name == b"transfer-encoding":
                if coding is not None:
                    raise Refusal(400, "invalid_request", "Transfer-Encoding is repeated")
                coding = value.strip().lower()
            elif name == b"expect":
                if value.strip().lower() != b"100-continue":
                    raise Refusal(417, "expectation_failed", "only 100-continue can be expected")
                self.expects_continue = version == _HTTP_1_1
        if hosts > 1 or (hosts == 0 and version == _HTTP_1_1):
            raise Refusal(400, "invalid_request", "a request needs exactly one Host header")
        if coding is not None:
            self._check_coding(coding, version, lengths)

    def _check_coding(self, coding: bytes, version: str, lengths: int) -> None:
        if lengths or version == _HTTP_1_0:
            raise Refusal(400, "invalid_request", "the length of the body is ambiguous")
        if coding != CHUNKED:
            raise Refusal(501, "unsupported_coding", "the only transfer coding is chunked")
        self.has_body = True

    def add_body(self, piece: bytes) -> None:
        """More of the body; raises Refusal."""
        self.body_bytes += len(piece)
        if self.body_bytes > self._limits.payload_bytes_max:
            raise self._too_large()
        self.body.append(piece)

    def request(self, method: str, peer: str) -> HttpRequest:
        """The head, with an absolute target brought to its path."""
        target = without_authority(self.target).partition(b"#")[0]
        raw_path, _, raw_query = target.partition(b"?")
        return HttpRequest(method, raw_path, raw_query, self.headers, peer, "HTTP/1.1")

    def is_late(self, now_s: float) -> bool:
        """Whether the peer sends its head or body slower than it may."""
        limits = self._limits
        age_s = now_s - self.begun_s
        if not self.headers_complete:
            return age_s > limits.head_s
        owed = (age_s - limits.body_grace_s) * limits.body_bytes_per_s_min
        return self.body_bytes < owed

    def _too_large(self) -> Refusal:
        limit = self._limits.payload_bytes_max
        return Refusal(
            413, "payload_too_large", f"the request body is over {limit} bytes, the most taken here"
        )
