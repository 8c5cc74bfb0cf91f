"""Generates what a connection is sent: one to three messages, some good, some changed a little.

Neighbours: `laws.py` sends them.
Invariant: the same generator state gives the same bytes.
"""

from itertools import pairwise
from random import Random

METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"DELETE", b"PURGE", b"get", b"CONNECT")
TARGETS = (b"/", b"/a", b"/a?b=c", b"/%ff", b"//a", b"*", b"http://a/b", b"a", b"/" + b"x" * 300)
VERSIONS = (b"HTTP/1.1",) * 60 + (b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"")
NAMES = (b"Accept", b"X", b"Cookie", b"TE", b"Content-Type", b"Upgrade", b"Trailer", b"Date")
VALUES = (b"", b"a", b"a, b", b"\xc3\xa9", b'"q"', b"a\tb", b"close", b"chunked", b"0", b"h2c")
LENGTHS = (b"0", b"3", b"03", b"+3", b"3, 3", b"-1", b"0x3", b"3 ", b"3a", b"", b"99", b"\xd9\xa3")
CODINGS = (b"chunked",) * 40 + (
    b"Chunked",
    b"gzip",
    b"gzip, chunked",
    b"chunked, gzip",
    b"identity",
    b"chunked;q=1",
    b"\x0bchunked",
    b"",
)
CONNECTIONS = (b"close", b"keep-alive", b"upgrade", b"x, Close", b"")
LINE_ENDS = (b"\r\n",) * 400 + (b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\n\r")
SPECIAL = b'\0\t\n\r "#:;,\x7f\x80\xff/0aA'
_ANY = bytes(range(256))
EXTENSIONS = (b"",) * 30 + (b";a", b";a=b", b';a="b;c"', b" ;a", b";", b";=", b";a\nb")
SIZES = (b"%x",) * 60 + (b"%X", b"0%x", b"0x%x", b"+%x", b" %x", b"%x ", b"%x\t")


class Messages:
    """A source of streams of bytes, each for one connection."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def stream(self) -> bytes:
        """What one connection is sent."""
        data = b"".join(self._message() for _ in range(self._random.choice((1, 1, 2, 3))))
        if self._random.random() < 0.4:
            data = self._changed(data)
        return data

    def splits(self, data: bytes) -> list[bytes]:
        """`data` in pieces: at random places, often around line ends, sometimes at all."""
        choice = self._random.random()
        if choice < 0.15:
            return [data[at : at + 1] for at in range(len(data))]
        ends = [at + offset for at in range(len(data)) if data[at] in b"\r\n" for offset in (0, 1)]
        places = ends if choice < 0.6 and ends else list(range(1, len(data)))
        if not places:
            return [data]
        count = self._random.randint(1, min(8, len(places)))
        cuts = sorted({0, len(data), *self._random.sample(places, count)})
        return [data[a:b] for a, b in pairwise(cuts) if a < b]

    def _pick(self, choices: tuple[bytes, ...]) -> bytes:
        return self._random.choice(choices)

    def _rarely(self, chance: float) -> bool:
        return self._random.random() < chance

    def _message(self) -> bytes:
        method = self._pick(METHODS) if self._rarely(0.3) else self._pick(METHODS[:2])
        target = self._pick(TARGETS) if self._rarely(0.2) else b"/a"
        space = b"  " if self._rarely(0.01) else b" "
        line = method + space + target + b" " + self._pick(VERSIONS)
        fields, body = self._framing()
        if not self._rarely(0.04):
            fields.append(b"Host: " + (b"a/b" if self._rarely(0.03) else b"a:80"))
        if self._rarely(0.03):
            fields.append(b"Host: b")
        for _ in range(self._random.randint(0, 3)):
            colon = b" : " if self._rarely(0.02) else b": "
            fields.append(self._pick(NAMES) + colon + self._pick(VALUES))
        if self._rarely(0.15):
            fields.append(b"Connection: " + self._pick(CONNECTIONS))
        if self._rarely(0.05):
            fields.append(b"Expect: 100-continue")
        self._random.shuffle(fields)
        lines = [line, *fields, b""]
        before = b"\r\n" if self._rarely(0.03) else b""
        return before + b"".join(each + self._pick(LINE_ENDS) for each in lines) + body

    def _framing(self) -> tuple[list[bytes], bytes]:
        """Fields that say where the body ends, and a body that mostly agrees."""
        choice = self._random.random()
        if choice < 0.3:
            return [], b""
        if choice < 0.5:
            body = self._random.randbytes(self._random.randint(0, 40))
            return [b"Content-Length: %d" % len(body)], body
        if choice < 0.58:
            return [b"Content-Length: " + self._pick(LENGTHS)], b"abc"
        fields = [b"Transfer-Encoding: " + self._pick(CODINGS)]
        if self._rarely(0.08):
            fields.append(b"Content-Length: " + self._pick(LENGTHS))
        if self._rarely(0.04):
            fields.append(b"Transfer-Encoding: " + self._pick(CODINGS))
        return fields, self._chunks()

    def _chunks(self) -> bytes:
        pieces = []
        for _ in range(self._random.randint(0, 3)):
            content = self._random.randbytes(self._random.randint(1, 20))
            size = self._pick(SIZES) % len(content)
            pieces.append(size + self._pick(EXTENSIONS) + self._pick(LINE_ENDS))
            pieces.append(content + self._pick(LINE_ENDS))
        trailers = b"X: y" + self._pick(LINE_ENDS) if self._rarely(0.15) else b""
        last = b"0" + self._pick(EXTENSIONS) + self._pick(LINE_ENDS)
        return b"".join((*pieces, last, trailers, self._pick(LINE_ENDS)))

    def _changed(self, data: bytes) -> bytes:
        """One to three bytes changed, taken away or put in."""
        changed = bytearray(data)
        for _ in range(self._random.randint(1, 3)):
            at = self._random.randrange(len(changed) or 1)
            byte = (
                self._random.choice(SPECIAL) if self._rarely(0.8) else self._random.randrange(256)
            )
            kind = self._random.random()
            if kind < 0.4:
                changed[at : at + 1] = bytes([byte])
            elif kind < 0.7:
                changed.insert(at, byte)
            else:
                del changed[at : at + self._random.randint(1, 3)]
        return bytes(changed)
