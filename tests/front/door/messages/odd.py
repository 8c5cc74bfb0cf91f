"""Messages that are unusual and clear: taken, or refused without closing where that is safe.

Neighbours: `message.py`.
"""

from tests.front.door.messages.message import (
    CHUNKED,
    HOST,
    Message,
    chunks,
    closed,
    field,
    get,
    kept,
    post,
    refused,
)

ODD: dict[str, Message] = {
    "an empty line before": kept(b"\r\n" + get()),
    "empty lines between": kept(get() + b"\r\n" + get(), "200", "200"),
    "an empty value": kept(field(b"X:")),
    "spaces around a value": kept(field(b"X: \t y \t ")),
    "no space before a value": kept(field(b"X:y")),
    "a value beyond ASCII": kept(field(b"X: caf\xc3\xa9 \xff")),
    "a name of every mark": kept(field(b"!#$%&'*+-.^_`|~0: y")),
    "an empty host": kept(get(fields=b"Host:\r\n")),
    "a method of its own": kept(b"PURGE /hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "an upgrade to tea": kept(field(b"Connection: Upgrade\r\nUpgrade: tea")),
    "an upgrade without its connection": kept(field(b"Upgrade: websocket")),
    "an upgrade behind a body": kept(
        post(b"Connection: Upgrade\r\nUpgrade: tea\r\nContent-Length: 1\r\n", b"a")
    ),
    "no function": kept(get(b"/"), "404 not_found"),
    "unknown function": kept(get(b"/nobody"), "404 not_found"),
    "unknown version": kept(get(b"/hello:7"), "404 not_found"),
    "unknown, then known": kept(get(b"/nobody") + get(), "404 not_found", "200"),
    "a name that is none": kept(get(b"/hello..world"), "404 not_found"),
    "dots in the path": kept(get(b"/hello/../../etc")),
    "dots instead of a name": kept(get(b"/../hello"), "404 not_found"),
    "two slashes": kept(get(b"//hello"), "404 not_found"),
    "a body for an unknown function": closed(
        post(b"Content-Length: 9\r\n", b"", b"/nobody"), "404 not_found"
    ),
    "chunks for an unknown function": closed(
        post(CHUNKED, b"1\r\na\r\n0\r\n\r\n", b"/nobody"), "404 not_found"
    ),
    "what follows a body that was not read": closed(
        post(b"Content-Length: 99\r\n", get(), b"/nobody"), "404 not_found"
    ),
    "a chunk's extension": kept(chunks(b"1;a\r\na\r\n0\r\n\r\n")),
    "a chunk's extension with a value": kept(chunks(b'1;a=b;c="d;\\"e"\r\na\r\n0;x=y\r\n\r\n')),
    "zeros before a chunk's size": kept(chunks(b"0001\r\na\r\n000\r\n\r\n")),
    "a chunk's size in either case": kept(
        chunks(b"a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n")
    ),
    "expects tea": refused(post(b"Expect: tea\r\n"), "417 expectation_failed"),
    "the asterisk for a GET": refused(get(b"*")),
    "an absolute target elsewhere": kept(get(b"http://a/nobody"), "404 not_found"),
    "an absolute target without a path": kept(get(b"http://a"), "404 not_found"),
    "an absolute target of another scheme": refused(get(b"ftp://a/hello")),
    "a target without a slash": refused(get(b"hello")),
    "a tunnel": refused(b"CONNECT a:443 HTTP/1.1\r\n" + HOST + b"\r\n", "501 unsupported"),
    "an unknown method": refused(b"BREW /hello HTTP/1.1\r\n" + HOST + b"\r\n", "501 unsupported"),
    "an unknown version": refused(get(version=b"1.2"), "505 http_version"),
    "version 2 in text": refused(get(version=b"2.0"), "505 http_version"),
    "version 0.9": refused(b"GET /hello\r\n\r\n"),
}
