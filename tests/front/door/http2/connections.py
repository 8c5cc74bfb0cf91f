"""RFC 9113, sections 3 to 5: the preface, frames as such, the states of streams."""

from tests.front.door.http2.case import (
    END_HEADERS,
    END_STREAM,
    PREFACE,
    PRIORITY,
    SETTINGS,
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
    reset,
    rst,
    window,
)

_PART = headers(1, *fields(), flags=END_STREAM)  # its block goes on
_ON_ITSELF = b"\0\0\0\x01\x10"

CASES: dict[str, Case] = {
    # 3.4 the preface
    "3.4 preface, its end wrong": Case(
        PREFACE[:-4] + b"XX\r\n" + SETTINGS, ("GOAWAY PROTOCOL_ERROR",), starts=False
    ),
    "3.4 preface without SETTINGS": Case(PREFACE + get(), ("GOAWAY PROTOCOL_ERROR",), starts=False),
    "3.4 preface with an acknowledgement": Case(
        PREFACE + frame(Type.SETTINGS, 1) + get(), ("GOAWAY PROTOCOL_ERROR",), starts=False
    ),
    "3.4 preface, SETTINGS and a request in one": Case(
        PREFACE + SETTINGS + get(), ("1: 200",), (1,), starts=False
    ),
    # 4.1 frames as such
    "4.1 frame of a type that nobody knows": ignored(frame(Type.UNKNOWN, 0xFF, 7, b"x" * 20)),
    "4.1 frame with flags that nobody knows": ignored(frame(Type.PING, 0xF6, 0, b"12345678")),
    "4.1 reserved bit of a stream's number": answered(
        frame(Type.HEADERS, 5, 0x80000001, block(*fields()))
    ),
    # 4.2 sizes
    "4.2 DATA as long as it may be": answered(post() + data(1, b"x" * 16_384, ends=True)),
    "4.2 DATA longer": refused(post() + data(1, b"x" * 16_385), "FRAME_SIZE_ERROR"),
    "4.2 HEADERS longer": refused(frame(Type.HEADERS, 5, 1, bytes(16_385)), "FRAME_SIZE_ERROR"),
    "4.2 a frame of 16 MB announced": refused(b"\xff\xff\xff\xee\0\0\0\0\0", "FRAME_SIZE_ERROR"),
    # 4.3 header blocks
    "4.3 block that is no HPACK": refused(
        frame(Type.HEADERS, 5, 1, b"\x00\x88\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf"),
        "COMPRESSION_ERROR",
    ),
    "4.3 PRIORITY inside a block": refused(_PART + frame(Type.PRIORITY, 0, 1, bytes(5))),
    "4.3 another stream inside a block": refused(_PART + get(3)),
    "4.3 PING inside a block": refused(_PART + frame(Type.PING, payload=bytes(8))),
    "4.3 unknown frame inside a block": refused(_PART + frame(Type.UNKNOWN)),
    # 5.1 states: idle
    "5.1 idle: DATA": refused(data(1, b"x")),
    "5.1 idle: RST_STREAM": refused(rst(1)),
    "5.1 idle: WINDOW_UPDATE": refused(window(1, 100)),
    "5.1 idle: CONTINUATION": refused(frame(Type.CONTINUATION, 4, 1, block(*fields()))),
    "5.1 idle: PRIORITY": ignored(frame(Type.PRIORITY, 0, 1, b"\0\0\0\x03\x10")),
    # 5.1 states: half-closed, the peer's half
    "5.1 half-closed: DATA": reset(get(1, "/slow") + data(1, b"x"), "STREAM_CLOSED"),
    "5.1 half-closed: HEADERS": reset(get(1, "/slow") + get(1), "STREAM_CLOSED"),
    "5.1 half-closed: CONTINUATION": refused(get(1, "/slow") + frame(Type.CONTINUATION, 4, 1)),
    "5.1 half-closed: WINDOW_UPDATE": answered(get(1, "/slow") + window(1, 1)),
    "5.1 half-closed: PRIORITY": answered(
        get(1, "/slow") + frame(Type.PRIORITY, 0, 1, b"\0\0\0\x03\x10")
    ),
    # 5.1 states: closed by the peer
    "5.1 reset: DATA": reset(post() + rst(1) + data(1, b"x"), "STREAM_CLOSED"),
    "5.1 reset: HEADERS": reset(post() + rst(1) + get(1), "STREAM_CLOSED"),
    "5.1 reset: CONTINUATION": refused(post() + rst(1) + frame(Type.CONTINUATION, 4, 1)),
    "5.1 reset: RST_STREAM": ignored(post() + rst(1) + rst(1)),
    "5.1 reset: WINDOW_UPDATE": ignored(post() + rst(1) + window(1, 1)),
    "5.1 reset: PRIORITY": ignored(post() + rst(1) + frame(Type.PRIORITY, 0, 1, bytes(5))),
    # 5.1.1 numbers
    "5.1.1 even number": refused(get(2)),
    "5.1.1 number lower than before": refused(get(5, "/slow") + get(3)),
    # 5.1.2 how many at a time
    "5.1.2 more streams than may be open": refused(
        b"".join(post(number) for number in range(1, 203, 2))
    ),
    # 5.3 priorities, which nobody has to follow
    "5.3.1 HEADERS that depend on themselves": refused(
        headers(1, *fields(), flags=5 | PRIORITY, padding=_ON_ITSELF)
    ),
    "5.3.1 PRIORITY on itself": refused(frame(Type.PRIORITY, 0, 1, _ON_ITSELF)),
    "5.3 HEADERS with a priority": answered(
        headers(1, *fields(), flags=5 | PRIORITY, padding=b"\0\0\0\0\xff")
    ),
    "5.3 HEADERS that depend on a stream that never was": answered(
        headers(1, *fields(), flags=5 | PRIORITY, padding=b"\x80\0\0\x63\xff")
    ),
    "5.3 PRIORITY around a circle": answered(
        frame(Type.PRIORITY, 0, 1, b"\0\0\0\x03\x10")
        + frame(Type.PRIORITY, 0, 3, b"\0\0\0\x05\x10")
        + frame(Type.PRIORITY, 0, 5, b"\x80\0\0\x01\x10")
        + get(1)
    ),
    # 5.4, 5.5 errors and what is not known
    "5.4.1 what follows an error is not read": refused(get(2) + get(3)),
    "5.5 unknown frame on an open stream": answered(
        post() + frame(Type.UNKNOWN, 0, 1, b"x") + data(1, ends=True)
    ),
    "5.4.2 one stream's reset is no other's": answered(post(1) + rst(1) + get(3), "3: 200"),
    "5.1 trailers": answered(
        post() + data(1, b"x") + headers(1, ("x-sum", "1"), flags=END_STREAM | END_HEADERS)
    ),
}
