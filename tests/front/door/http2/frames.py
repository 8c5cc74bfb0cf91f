"""RFC 9113, section 6: frames on the wrong stream, of the wrong size, with bad values."""

from tests.front.door.http2.case import (
    ACK,
    END_HEADERS,
    END_STREAM,
    PADDED,
    Case,
    Type,
    answered,
    block,
    data,
    fields,
    frame,
    get,
    headers,
    ignored,
    post,
    refused,
    rst,
    setting,
    window,
)

_PIECES = [block(*fields())[at : at + 5] for at in range(0, len(block(*fields())), 5)]
_CONTINUED = (
    frame(Type.HEADERS, END_STREAM, 1, _PIECES[0])
    + b"".join(frame(Type.CONTINUATION, 0, 1, piece) for piece in _PIECES[1:-1])
    + frame(Type.CONTINUATION, END_HEADERS, 1, _PIECES[-1])
)
_WINDOW_MAX = 2**31 - 1

CASES: dict[str, Case] = {
    # 6.1 DATA
    "6.1 DATA on stream 0": refused(data(0, b"x")),
    "6.1 DATA of padding only": answered(
        post() + frame(Type.DATA, PADDED | END_STREAM, 1, b"\x05" + bytes(5))
    ),
    "6.1 DATA with padding": answered(
        post() + frame(Type.DATA, PADDED | END_STREAM, 1, b"\x05body" + bytes(5))
    ),
    "6.1 DATA with as much padding as there is": refused(
        post() + frame(Type.DATA, PADDED | END_STREAM, 1, b"\x05test")
    ),
    "6.1 DATA without room for its padding's length": refused(
        post() + frame(Type.DATA, PADDED | END_STREAM, 1), "FRAME_SIZE_ERROR"
    ),
    "6.1 DATA without a byte": answered(post() + data(1) + data(1) + data(1, ends=True)),
    # 6.2 HEADERS
    "6.2 HEADERS on stream 0": refused(headers(0)),
    "6.2 HEADERS with padding": answered(
        frame(Type.HEADERS, 5 | PADDED, 1, b"\x03" + block(*fields()) + bytes(3))
    ),
    "6.2 HEADERS with more padding than there is": refused(
        frame(Type.HEADERS, 5 | PADDED, 1, b"\xff" + block(*fields()))
    ),
    "6.2 HEADERS without room for their priority": refused(
        frame(Type.HEADERS, 0x25, 1, b"\0\0"), "FRAME_SIZE_ERROR"
    ),
    # 6.3 PRIORITY
    "6.3 PRIORITY on stream 0": refused(frame(Type.PRIORITY, 0, 0, bytes(5))),
    "6.3 PRIORITY of 4 bytes": refused(frame(Type.PRIORITY, 0, 1, bytes(4)), "FRAME_SIZE_ERROR"),
    # 6.4 RST_STREAM
    "6.4 RST_STREAM on stream 0": refused(rst(0)),
    "6.4 RST_STREAM of 3 bytes": refused(
        post() + frame(Type.RST_STREAM, 0, 1, bytes(3)), "FRAME_SIZE_ERROR"
    ),
    "6.4 RST_STREAM of 5 bytes": refused(
        post() + frame(Type.RST_STREAM, 0, 1, bytes(5)), "FRAME_SIZE_ERROR"
    ),
    # 6.5 SETTINGS
    "6.5 acknowledgement that holds something": refused(
        frame(Type.SETTINGS, ACK, 0, bytes(6)), "FRAME_SIZE_ERROR"
    ),
    "6.5 SETTINGS on a stream": refused(frame(Type.SETTINGS, 0, 1)),
    "6.5 SETTINGS of 5 bytes": refused(frame(Type.SETTINGS, payload=bytes(5)), "FRAME_SIZE_ERROR"),
    "6.5.2 ENABLE_PUSH neither 0 nor 1": refused(setting(2, 2)),
    "6.5.2 ENABLE_PUSH 0": ignored(setting(2, 0)),
    "6.5.2 INITIAL_WINDOW_SIZE too large": refused(setting(4, 2**31), "FLOW_CONTROL_ERROR"),
    "6.5.2 MAX_FRAME_SIZE too small": refused(setting(5, 16_383)),
    "6.5.2 MAX_FRAME_SIZE too large": refused(setting(5, 2**24)),
    "6.5.2 setting that nobody knows": ignored(setting(0xEE, 7)),
    "6.5.3 the last of two values counts": answered(
        frame(Type.SETTINGS, payload=b"\0\x04\0\0\0\0\0\x04\0\0\x40\0") + get()
    ),
    # 6.6 PUSH_PROMISE
    "6.6 PUSH_PROMISE from a client": refused(
        post() + frame(Type.PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\x02" + block(*fields()))
    ),
    # 6.7 PING
    "6.7 PING on a stream": refused(frame(Type.PING, 0, 1, bytes(8))),
    "6.7 PING of 7 bytes": refused(frame(Type.PING, payload=bytes(7)), "FRAME_SIZE_ERROR"),
    "6.7 acknowledgement of a PING that nobody sent": ignored(frame(Type.PING, ACK, 0, bytes(8))),
    # 6.8 GOAWAY
    "6.8 GOAWAY on a stream": refused(frame(Type.GOAWAY, 0, 1, bytes(8))),
    "6.8 GOAWAY of 7 bytes": refused(frame(Type.GOAWAY, payload=bytes(7)), "FRAME_SIZE_ERROR"),
    # 6.9 WINDOW_UPDATE
    "6.9 WINDOW_UPDATE of nothing": refused(window(0, 0)),
    "6.9 WINDOW_UPDATE of nothing on a stream": refused(post() + window(1, 0)),
    "6.9 WINDOW_UPDATE of 3 bytes": refused(
        frame(Type.WINDOW_UPDATE, payload=bytes(3)), "FRAME_SIZE_ERROR"
    ),
    "6.9.1 window of the connection too large": refused(
        window(0, _WINDOW_MAX), "FLOW_CONTROL_ERROR"
    ),
    "6.9.1 window of a stream too large": Case(
        post() + window(1, _WINDOW_MAX) + get(3),
        ("1: RST FLOW_CONTROL_ERROR", "3: 200"),
        (1, 3),
    ),
    "6.9.2 a window opens byte by byte": answered(
        setting(4, 0) + get(1) + b"".join(window(1, 1) for _ in range(5))
    ),
    "6.9.2 a window below zero opens again": answered(
        setting(4, 3) + get(1) + setting(4, 1) + window(1, 2) + setting(4, 65_535)
    ),
    "6.9.2 a setting that makes a window too large": refused(
        post() + window(1, _WINDOW_MAX - 65_535) + setting(4, _WINDOW_MAX), "FLOW_CONTROL_ERROR"
    ),
    # 6.10 CONTINUATION
    "6.10 a block in many pieces": answered(_CONTINUED),
    "6.10 CONTINUATION on stream 0": refused(
        frame(Type.HEADERS, END_STREAM, 1, _PIECES[0]) + frame(Type.CONTINUATION, 4, 0)
    ),
    "6.10 CONTINUATION of another stream": refused(
        frame(Type.HEADERS, END_STREAM, 1, _PIECES[0]) + frame(Type.CONTINUATION, 4, 3)
    ),
    "6.10 CONTINUATION behind a whole block": refused(
        post() + frame(Type.CONTINUATION, END_HEADERS, 1, block(("a", "b")))
    ),
    "6.10 CONTINUATION behind DATA": refused(
        post() + data(1, b"x") + frame(Type.CONTINUATION, END_HEADERS, 1, block(("a", "b")))
    ),
    # 7 error codes
    "7 GOAWAY with an error that nobody knows": Case(
        frame(Type.GOAWAY, payload=b"\0\0\0\0\xff\xff\xff\xff"), ("closed",)
    ),
    "7 RST_STREAM with an error that nobody knows": ignored(post() + rst(1, 0xFFFFFFFF)),
}
