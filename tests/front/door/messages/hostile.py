"""Messages that are made to harm: bytes that are no text, and more of everything than is taken.

Neighbours: `message.py`.
"""

from tests.front.door.messages.message import (
    BODY_BYTES_MAX,
    CHUNKED,
    HOST,
    Message,
    chunks,
    closed,
    field,
    get,
    post,
    refused,
)

TOO_LONG = "414 target_too_long"
TOO_MANY = "431 headers_too_large"
TOO_LARGE = "413 payload_too_large"

HOSTILE: dict[str, Message] = {
    "rubbish": refused(b"\x16\x03\x01\x02\x00\x01\x00\x01"),
    "nothing but zeros": refused(b"\0" * 32),
    "no method": refused(b"/hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a method with a mark": refused(b"GE(T /hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a long method": refused(b"G" * 64 + b" /hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a zero in the target": refused(get(b"/hel\0lo")),
    "a space in the target": refused(get(b"/hel lo")),
    "a byte beyond ASCII in the target": refused(get(b"/hello/\xff")),
    "UTF-8 in the target": refused(get("/hello/é".encode())),
    "a control in the target": refused(get(b"/hello/\x7f")),
    "a zero in a value": refused(field(b"X: a\0b")),
    "a zero in a name": refused(field(b"X\0: a")),
    "a return in a value": refused(field(b"X: a\rb")),
    "a control in a value": refused(field(b"X: a\x01b")),
    "a delete in a value": refused(field(b"X: a\x7fb")),
    "a name beyond ASCII": refused(field(b"X\xff: a")),
    "a name with a mark": refused(field(b"X(: a")),
    "a long target": refused(get(b"/hello/" + b"a" * 9_000), TOO_LONG),
    "a target without an end": refused(b"GET /" + b"a" * 70_000, TOO_LONG),
    "too many fields": refused(get(fields=HOST + b"X: y\r\n" * 200), TOO_MANY),
    "a long value": refused(field(b"X: " + b"y" * 40_000), TOO_MANY),
    "a long name": refused(field(b"x" * 40_000 + b": y"), TOO_MANY),
    "fields without an end": refused(
        b"GET /hello HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20_000, TOO_MANY
    ),
    "a long trailer": refused(chunks(b"0\r\nX: " + b"y" * 9_000 + b"\r\n\r\n"), TOO_MANY),
    "a long extension": refused(chunks(b"1;" + b"a" * 2_000 + b"\r\na\r\n0\r\n\r\n")),
    "extensions without an end": refused(chunks(b"1;" + b"a" * 900 + b"\r\na\r\n" * 40)),
    "a body over the limit": refused(
        post(b"Content-Length: %d\r\n" % (BODY_BYTES_MAX + 1)), TOO_LARGE
    ),
    "a body over the limit that waits": refused(
        post(b"Expect: 100-continue\r\nContent-Length: %d\r\n" % (BODY_BYTES_MAX + 1)), TOO_LARGE
    ),
    "a length beyond reason": refused(post(b"Content-Length: 99999999999999999999999\r\n")),
    "a length that wraps at 32 bits": refused(
        post(b"Content-Length: 4294967297\r\n", b"a"), TOO_LARGE
    ),
    "a length that wraps at 64 bits": refused(
        post(b"Content-Length: 18446744073709551617\r\n", b"a")
    ),
    "a chunk that wraps at 64 bits": refused(chunks(b"10000000000000001\r\na\r\n0\r\n\r\n")),
    "a chunk's size without an end": refused(chunks(b"f" * 40)),
    "a chunk over the limit": refused(
        chunks(b"%x\r\n" % (BODY_BYTES_MAX + 1) + b"a" * (BODY_BYTES_MAX + 1)), TOO_LARGE
    ),
    "chunks of one byte": refused(chunks(b"1\r\na\r\n" * 4_000)),
    "good, then bad": closed(get() + b"rubbish\r\n\r\n", "200", "400 invalid_request"),
    "good, then ambiguous": closed(
        get() + post(CHUNKED + b"Content-Length: 1\r\n") + get(), "200", "400 invalid_request"
    ),
    "a body that is a request": closed(
        post(b"Content-Length: 9\r\n", get()[:9]) + get()[9:], "200", "400 invalid_request"
    ),
}
