"""Connections that are Hypercorn's to serve, held to the door's limits: HTTP/2 and WebSocket.

    connection.py  one connection: bytes in and out, how long each may take
    frames.py      the heads of HTTP/2's frames, looked at before h2 collects their bodies
    http2.py       HTTP/2's events: streams begun, reset and ended, the connection's farewell
    request.py     one request: its fields, the time for its body and for its answer

Neighbours: `server.py` hands connections over; h2 speaks the protocol, Hypercorn drives it and the
application.
Invariant: a limit on a peer of HTTP/1.1 holds for one of HTTP/2, and none of what a peer sends
ends anything but its own connection.
"""
