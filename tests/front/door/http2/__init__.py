"""Frames for the door's HTTP/2, by section of RFC 9113, and what it must do with each.

Neighbours: `test_http2.py` sends them; the sections are those that h2spec tests.
"""

from tests.front.door.http2 import connections, frames, messages
from tests.front.door.http2.case import Case

TABLE: dict[str, Case] = {
    **connections.CASES,
    **frames.CASES,
    **messages.CASES,
}
