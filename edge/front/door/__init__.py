"""The data plane's own HTTP/1.1 door: a protocol on httptools, in front of the invoker, no ASGI.

    limits.py      how much of a peer's bytes and time a connection takes
    message.py     one request as it arrives: collected, checked, refused when it is ambiguous
    writing.py     an answer as the bytes of a response
    connection.py  one connection: messages in order, each answered once
    server.py      the listener, the sweeper of slow peers, the hand-over to Hypercorn, the stop

Neighbours: `worker.py` opens it; HTTP/2 and the control plane stay with Hypercorn.
Invariant: a message that could be read in two ways is refused, and its connection closed.
"""
