"""RFC 9113, section 8, and RFC 7541: requests, their fields, and how those are packed."""

from tests.front.door.http2.case import (
    END_HEADERS,
    END_STREAM,
    WHOLE,
    Case,
    Type,
    answered,
    block,
    data,
    fields,
    frame,
    get,
    headers,
    post,
    refused,
    reset,
)

_GET = fields()


def _without(name: str) -> Case:
    return refused(headers(1, *(pair for pair in _GET if pair[0] != name)))


def _changed(name: str, value: str) -> bytes:
    return headers(1, *((key, value if key == name else text) for key, text in _GET))


def _with(*more: tuple[str, str]) -> bytes:
    return headers(1, *_GET, *more)


def _raw(extra: bytes) -> bytes:
    return frame(Type.HEADERS, WHOLE, 1, block(*_GET) + extra)


CASES: dict[str, Case] = {
    # 8.1 the order of frames
    "8.1 HEADERS again without an end": refused(post() + headers(1, ("a", "b"), flags=END_HEADERS)),
    "8.1 DATA behind trailers": reset(
        post(1, "/slow") + headers(1, ("a", "b"), flags=WHOLE) + data(1, b"x"), "STREAM_CLOSED"
    ),
    "8.1 trailers with a pseudo-field": refused(post() + headers(1, (":path", "/"), flags=WHOLE)),
    "8.1 body over the window's first size": answered(
        post(1, "/echo") + b"".join(data(1, b"x" * 16_000) for _ in range(4)) + data(1, ends=True)
    ),
    # 8.1.1 lengths
    "8.1.1 length that is not the body's": refused(
        post(1, "/hello", ("content-length", "1")) + data(1, b"four", ends=True)
    ),
    "8.1.1 length that is not all the bodies'": refused(
        post(1, "/hello", ("content-length", "1")) + data(1, b"fo") + data(1, b"ur", ends=True)
    ),
    "8.1.1 length without a body": reset(
        headers(1, *fields("POST", "/hello", ("content-length", "4"))), "PROTOCOL_ERROR"
    ),
    "8.1.1 length that is the body's": answered(
        post(1, "/hello", ("content-length", "4")) + data(1, b"four", ends=True)
    ),
    "8.1.1 length that is no number": refused(
        headers(1, *fields("POST", "/hello", ("content-length", "four")))
    ),
    # 8.2 fields
    "8.2 name in capitals": refused(_with(("X-Test", "1"))),
    "8.2 name with a space": refused(_with(("x test", "1"))),
    "8.2 name that is empty": refused(_with(("", "1"))),
    "8.2.1 value with a line end": refused(_with(("x", "a\r\nb: c"))),
    "8.2.1 value with a zero": refused(_with(("x", "a\0b"))),
    "8.2.1 value with a space before it": refused(_with(("x", " a"))),
    "8.2.2 Connection": refused(_with(("connection", "keep-alive"))),
    "8.2.2 Transfer-Encoding": refused(_with(("transfer-encoding", "chunked"))),
    "8.2.2 Upgrade": refused(_with(("upgrade", "websocket"))),
    "8.2.2 TE of something else": refused(_with(("te", "gzip"))),
    "8.2.2 TE of trailers": answered(_with(("te", "trailers"))),
    "8.2.3 cookies in pieces": answered(_with(("cookie", "a=1"), ("cookie", "b=2"))),
    # 8.3 pseudo-fields
    "8.3 pseudo-field that nobody knows": refused(_with()[:0] + headers(1, (":test", "1"), *_GET)),
    "8.3 pseudo-field of an answer": refused(headers(1, (":status", "200"), *_GET)),
    "8.3 pseudo-field behind a field": refused(headers(1, ("a", "b"), *_GET)),
    "8.3.1 no method": _without(":method"),
    "8.3.1 no scheme": _without(":scheme"),
    "8.3.1 no path": _without(":path"),
    "8.3.1 path that is empty": refused(_changed(":path", "")),
    "8.3.1 method twice": refused(headers(1, (":method", "GET"), *_GET)),
    "8.3.1 scheme twice": refused(headers(1, (":scheme", "http"), *_GET)),
    "8.3.1 path twice": refused(headers(1, (":path", "/hello"), *_GET)),
    "8.3.1 Host that is another than the authority": refused(_with(("host", "b"))),
    "8.3.1 Host in the authority's place": answered(
        headers(1, *(pair for pair in _GET if pair[0] != ":authority"), ("host", "a"))
    ),
    "8.3.1 neither Host nor authority": _without(":authority"),
    "8.3.1 authority that is no host": reset(_changed(":authority", "a b"), "PROTOCOL_ERROR"),
    "8.3.1 path that does not begin with a slash": reset(
        _changed(":path", "hello"), "PROTOCOL_ERROR"
    ),
    "8.3.1 path with a space": reset(_changed(":path", "/he llo"), "PROTOCOL_ERROR"),
    "8.3.1 path that is not ASCII": reset(_changed(":path", "/größe"), "PROTOCOL_ERROR"),
    "8.3.1 path with a fragment": reset(_changed(":path", "/hello#a"), "PROTOCOL_ERROR"),
    "8.3.1 method that is none": reset(_changed(":method", "G ET"), "PROTOCOL_ERROR"),
    "8.3.1 method that is not ASCII": reset(_changed(":method", "GÉT"), "PROTOCOL_ERROR"),
    "8.3.1 the whole server": answered(headers(1, *fields("OPTIONS", "*")), "1: 204"),
    "8.3.1 anything else of the whole server": reset(_changed(":path", "*"), "PROTOCOL_ERROR"),
    "8.5 CONNECT": reset(
        headers(1, (":method", "CONNECT"), (":authority", "a:443"), flags=END_HEADERS),
        "PROTOCOL_ERROR",
    ),
    "8.5 CONNECT with a path": refused(headers(1, *fields("CONNECT"))),
    # limits of the door, answered as over HTTP/1.1
    "431 fields too many": answered(_with(*((f"x{n}", "1") for n in range(101))), "1: 431"),
    "431 fields too long": answered(
        _with(*((f"x{n}", "1" * 11_000) for n in range(3)))[:0]
        + frame(Type.HEADERS, END_STREAM, 1, block(*_GET))
        + frame(Type.CONTINUATION, 0, 1, block(("x", "1" * 16_000)))
        + frame(Type.CONTINUATION, 0, 1, block(("y", "1" * 16_000)))
        + frame(Type.CONTINUATION, END_HEADERS, 1, block(("z", "1" * 2_000))),
        "1: 431",
    ),
    "414 path too long": answered(_changed(":path", "/hello?" + "x" * 9_000), "1: 414"),
    "413 body that says it is too long": answered(
        post(1, "/hello", ("content-length", "100000000")), "1: 413"
    ),
    "417 expectation": answered(_with(("expect", "tea")), "1: 417"),
    "404 nobody of this name": answered(get(1, "/nobody"), "1: 404"),
    # RFC 7541
    "HPACK 2.3.3 entry 0": refused(_raw(b"\x80"), "COMPRESSION_ERROR"),
    "HPACK 2.3.3 entry that is not there": refused(_raw(b"\xc6"), "COMPRESSION_ERROR"),
    "HPACK 4.2 table larger than allowed": refused(
        frame(Type.HEADERS, WHOLE, 1, b"\x3f\xe2\x1f" + block(*_GET)), "COMPRESSION_ERROR"
    ),
    "HPACK 4.2 table's size behind a field": refused(_raw(b"\x20"), "COMPRESSION_ERROR"),
    "HPACK 5.1 integer without an end": refused(_raw(b"\x7f" + b"\xff" * 20), "COMPRESSION_ERROR"),
    "HPACK 5.2 text longer than the block": refused(_raw(b"\x00\x05ab"), "COMPRESSION_ERROR"),
    "HPACK 5.2 Huffman padding of a byte and more": refused(
        _raw(b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"), "COMPRESSION_ERROR"
    ),
    "HPACK 5.2 Huffman padding of zeros": refused(
        _raw(b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"), "COMPRESSION_ERROR"
    ),
    "HPACK 5.2 Huffman end of string": refused(
        _raw(b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f"), "COMPRESSION_ERROR"
    ),
}
