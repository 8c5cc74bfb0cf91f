"""Raw HTTP/1.1 over a socket, for what a well-behaved client will not send."""

import socket
from contextlib import closing
from urllib.parse import urlsplit

import h11

TIMEOUT_S = 20


def connect(url: str) -> socket.socket:
    """A connection to the server at `url`."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), TIMEOUT_S)


def exchange(url: str, request: bytes, *, method: str = "GET") -> tuple[h11.Response, bytes]:
    """Send `request` as it is; the response and its body."""
    with closing(connect(url)) as connection:
        connection.sendall(request)
        return read_response(connection, method=method)


def read_response(connection: socket.socket, *, method: str = "GET") -> tuple[h11.Response, bytes]:
    """One response from a connection, read to its end."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    response, body = None, b""
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(connection.recv(65536))
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert response is not None
            return response, body


def is_closed(connection: socket.socket) -> bool:
    """Whether the server closes the connection without another word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
