"""Messages that two readers could take for different ones: all are refused.

Each is a known way to smuggle a request past a proxy. Sources: RFC 9112, sections 2.2, 5, 6 and
11.2.

Neighbours: `message.py`.
"""

from tests.front.door.messages.message import (
    CHUNKED,
    HOST,
    UNSUPPORTED,
    Message,
    chunks,
    field,
    get,
    post,
    refused,
)

SMUGGLED = get(b"/nobody")

AMBIGUOUS: dict[str, Message] = {
    "no host": refused(get(fields=b"")),
    "two hosts": refused(get(fields=HOST * 2)),
    "two different hosts": refused(get(fields=HOST + b"Host: b\r\n")),
    "a host that is none": refused(get(fields=b"Host: a/b\r\n")),
    "a list of hosts": refused(get(fields=b"Host: a, b\r\n")),
    "a host with a user": refused(get(fields=b"Host: user@a\r\n")),
    "a host with a space": refused(get(fields=b"Host: a b\r\n")),
    "two lengths": refused(post(b"Content-Length: 1\r\nContent-Length: 1\r\n", b"a")),
    "two different lengths": refused(
        post(b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(SMUGGLED), SMUGGLED)
    ),
    "lengths in a list": refused(post(b"Content-Length: 1, 1\r\n", b"a")),
    "a negative length": refused(post(b"Content-Length: -1\r\n", b"a")),
    "a signed length": refused(post(b"Content-Length: +1\r\n", b"a")),
    "a hexadecimal length": refused(post(b"Content-Length: 0x1\r\n", b"a")),
    "a length with an underscore": refused(post(b"Content-Length: 1_0\r\n", b"0123456789")),
    "a length with a fraction": refused(post(b"Content-Length: 1.0\r\n", b"a")),
    "a length with a space": refused(post(b"Content-Length: 1 1\r\n", b"a" * 11)),
    "an empty length": refused(post(b"Content-Length:\r\n")),
    "a length in other digits": refused(post("Content-Length: ١\r\n".encode(), b"a")),
    "length and chunks": refused(post(b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n" + SMUGGLED)),
    "chunks and length": refused(post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n")),
    "chunks and length 0": refused(post(CHUNKED + b"Content-Length: 0\r\n", b"0\r\n\r\n")),
    "coding twice": refused(post(CHUNKED * 2, b"0\r\n\r\n")),
    "coding twice in one field": refused(
        post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n")
    ),
    "a coding nobody knows": refused(post(b"Transfer-Encoding: zebra\r\n"), UNSUPPORTED),
    "chunked, not last": refused(post(b"Transfer-Encoding: chunked, gzip\r\n")),
    "gzip, chunked": refused(
        post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), UNSUPPORTED
    ),
    "the identity": refused(post(b"Transfer-Encoding: identity\r\n"), UNSUPPORTED),
    "chunked with a parameter": refused(post(b"Transfer-Encoding: chunked;q=1\r\n"), UNSUPPORTED),
    "chunked in quotes": refused(post(b'Transfer-Encoding: "chunked"\r\n'), UNSUPPORTED),
    "chunked behind a control": refused(post(b"Transfer-Encoding: \x0bchunked\r\n")),
    "an empty coding": refused(post(b"Transfer-Encoding:\r\n")),
    "chunks in 1.0": refused(b"POST /hello HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n"),
    "chunks in 1.0, kept alive": refused(
        b"POST /hello HTTP/1.0\r\nConnection: keep-alive\r\n" + CHUNKED + b"\r\n0\r\n\r\n"
    ),
    "a space before the colon": refused(get(fields=b"Host : a\r\n")),
    "a space before a coding's colon": refused(
        post(b"Transfer-Encoding : chunked\r\nContent-Length: 1\r\n", b"a")
    ),
    "a tab before the colon": refused(field(b"X\t: a")),
    "a space in a name": refused(field(b"X Y: a")),
    "a space before a name": refused(get(fields=b" Host: a\r\n")),
    "a folded field": refused(field(b"X: a\r\n b")),
    "a field folded by a tab": refused(field(b"X: a\r\n\tb")),
    "a folded coding": refused(post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n")),
    "a field without a colon": refused(field(b"X")),
    "no name": refused(field(b": a")),
    "bare line feeds": refused(b"GET /hello HTTP/1.1\nHost: a\n\n"),
    "one bare line feed": refused(b"GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
    "a bare line feed at the end": refused(b"GET /hello HTTP/1.1\r\nHost: a\r\n\n"),
    "a bare return": refused(b"GET /hello HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"),
    "a chunk's size of nothing": refused(chunks(b"\r\na\r\n0\r\n\r\n")),
    "a chunk's size that is none": refused(chunks(b"x\r\n")),
    "a negative chunk": refused(chunks(b"-1\r\n")),
    "a signed chunk": refused(chunks(b"+1\r\na\r\n0\r\n\r\n")),
    "a prefixed chunk": refused(chunks(b"0x1\r\na\r\n0\r\n\r\n")),
    "a space before a chunk's size": refused(chunks(b" 1\r\na\r\n0\r\n\r\n")),
    "a space behind a chunk's size": refused(chunks(b"1 \r\na\r\n0\r\n\r\n")),
    "a chunk that is longer": refused(chunks(b"1\r\nab\r\n0\r\n\r\n")),
    "a chunk that is shorter": refused(chunks(b"3\r\nab\r\n0\r\n\r\n")),
    "a bare line feed behind a chunk's size": refused(chunks(b"1\na\r\n0\r\n\r\n")),
    "a bare line feed behind a chunk": refused(chunks(b"1\r\na\n0\r\n\r\n")),
    "a bare line feed in an extension": refused(chunks(b"1;a\nb\r\na\r\n0\r\n\r\n")),
    "a bare return in an extension": refused(chunks(b"1;a\rb\r\na\r\n0\r\n\r\n")),
    "an extension without a name": refused(chunks(b"1;=b\r\na\r\n0\r\n\r\n")),
    "an extension whose quotes stay open": refused(chunks(b'1;a="b\r\na\r\n0\r\n\r\n')),
    "a trailer with a bare line feed": refused(chunks(b"0\r\nX: a\nY: b\r\n\r\n")),
    "a trailer that is folded": refused(chunks(b"0\r\nX: a\r\n b\r\n\r\n")),
    "a trailer without a colon": refused(chunks(b"0\r\nX\r\n\r\n")),
    "two spaces in the request line": refused(b"GET  /hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a tab in the request line": refused(b"GET\t/hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a space behind the version": refused(b"GET /hello HTTP/1.1 \r\n" + HOST + b"\r\n"),
    "a space before the method": refused(b" GET /hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a version in lower case": refused(b"GET /hello http/1.1\r\n" + HOST + b"\r\n"),
    "another protocol": refused(b"GET /hello RTSP/1.0\r\n" + HOST + b"\r\n"),
    "a version of three digits": refused(get(version=b"1.10")),
    "a fragment": refused(get(b"/hello#here")),
    "two empty lines before": refused(b"\r\n\r\n" + get()),
}
