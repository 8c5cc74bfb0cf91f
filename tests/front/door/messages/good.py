"""Messages that ordinary clients send. Source: RFC 9112 and RFC 9110.

Neighbours: `message.py`.
"""

from tests.front.door.messages.message import (
    CHUNKED,
    HOST,
    Message,
    chunks,
    closed,
    get,
    kept,
    post,
)

LENGTH_3 = b"Content-Length: 3\r\n"

GOOD: dict[str, Message] = {
    "plain": kept(get()),
    "with a query": kept(get(b"/hello?a=b&a=c&d")),
    "a path for the function": kept(get(b"/hello/some/path/")),
    "latest by name": kept(get(b"/hello:$LATEST")),
    "an escaped path": kept(get(b"/hello/%20%2F%c3%a9")),
    "escapes that are no UTF-8": kept(get(b"/hello/%ff%fe?%ff=%fe")),
    "an escaped name": kept(get(b"/h%65llo")),
    "lower-case field names": kept(get(fields=b"host: a\r\n")),
    "upper-case field names": kept(get(fields=b"HOST: a\r\n")),
    "host with a port": kept(get(fields=b"Host: a.example:8080\r\n")),
    "host in brackets": kept(get(fields=b"Host: [::1]:8080\r\n")),
    "many ordinary fields": kept(get(fields=HOST + b"Accept: */*\r\nUser-Agent: x/1 (y)\r\n" * 9)),
    "a cookie": kept(get(fields=HOST + b"Cookie: a=b; c=d\r\n")),
    "HEAD": kept(b"HEAD /hello HTTP/1.1\r\n" + HOST + b"\r\n", to_head=(0,)),
    "HEAD of nothing": kept(b"HEAD /nobody HTTP/1.1\r\n" + HOST + b"\r\n", "404", to_head=(0,)),
    "HEAD, then GET": kept(
        b"HEAD /hello HTTP/1.1\r\n" + HOST + b"\r\n" + get(), "200", "200", to_head=(0,)
    ),
    "DELETE": kept(b"DELETE /hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "OPTIONS": kept(b"OPTIONS /hello HTTP/1.1\r\n" + HOST + b"\r\n"),
    "PATCH with a body": kept(b"PATCH /hello HTTP/1.1\r\n" + HOST + LENGTH_3 + b"\r\nabc"),
    "PUT with a body": kept(b"PUT /hello HTTP/1.1\r\n" + HOST + LENGTH_3 + b"\r\nabc"),
    "GET with a body": kept(get(fields=HOST + LENGTH_3) + b"abc"),
    "OPTIONS of the server": kept(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", "204"),
    "absolute target": kept(get(b"http://a/hello")),
    "absolute target, secure": kept(get(b"https://a:8443/hello?x")),
    "length": kept(post(LENGTH_3, b"abc")),
    "length 0": kept(post(b"Content-Length: 0\r\n")),
    "length with zeros before": kept(post(b"Content-Length: 003\r\n", b"abc")),
    "POST of nothing": kept(post(b"")),
    "chunks": kept(chunks(b"3\r\nabc\r\n0\r\n\r\n")),
    "several chunks": kept(
        chunks(b"3\r\nabc\r\n10\r\n" + b"x" * 16 + b"\r\nA\r\n0123456789\r\n0\r\n\r\n")
    ),
    "no chunk but the last": kept(chunks(b"0\r\n\r\n")),
    "chunks with a trailer": kept(chunks(b"1\r\na\r\n0\r\nX: y\r\n\r\n")),
    "a trailer that names framing": kept(chunks(b"1\r\na\r\n0\r\nContent-Length: 9\r\n\r\n")),
    "coding in capitals": kept(chunks(b"0\r\n\r\n", b"Transfer-Encoding: CHUNKED\r\n")),
    "expects 100": kept(post(b"Content-Length: 1\r\nExpect: 100-continue\r\n", b"a")),
    "expects 100 for chunks": kept(
        chunks(b"1\r\na\r\n0\r\n\r\n", CHUNKED + b"Expect: 100-Continue\r\n")
    ),
    "expects 100 for nothing": kept(get(fields=HOST + b"Expect: 100-continue\r\n")),
    "connection: close": closed(get(fields=HOST + b"Connection: close\r\n")),
    "connection: close among others": closed(get(fields=HOST + b"Connection: x , Close\r\n")),
    "connection: keep-alive": kept(get(fields=HOST + b"Connection: keep-alive\r\n")),
    "pipelined": kept(get() * 3, "200", "200", "200"),
    "pipelined behind a body": kept(post(LENGTH_3, b"abc") + get(), "200", "200"),
    "pipelined behind chunks": kept(chunks(b"1\r\na\r\n0\r\n\r\n") + get(), "200", "200"),
    "pipelined twenty": kept(get() * 20, *["200"] * 20),
    "pipelined, the last closes": closed(
        get() + get(fields=HOST + b"Connection: close\r\n") + get(), "200", "200"
    ),
    "version 1.0": closed(get(version=b"1.0")),
    "version 1.0 without host": closed(get(fields=b"", version=b"1.0")),
    "version 1.0 with a body": closed(b"POST /hello HTTP/1.0\r\n" + LENGTH_3 + b"\r\nabc"),
    "version 1.0, keep-alive": kept(
        get(fields=HOST + b"Connection: keep-alive\r\n", version=b"1.0")
    ),
}
