"""The terms on which Hypercorn serves what it is given: its Config, made of our settings.

Neighbours: `worker.py` asks for one for each plane; `server.py` hands connections over under it.
Invariant: a limit that the door keeps for HTTP/1.1 is not looser for what is handed over.
"""

import ssl

from hypercorn.config import Config

from edge.config import DoorSettings, KeyPair
from edge.front.door.certificates import check_pair
from edge.model.errors import InvalidConfiguration

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2, which is the oldest that is spoken; TLS 1.3 has its own."""


def hypercorn_config(door: DoorSettings, grace_s: int, pair: KeyPair | None) -> Config:
    """Hypercorn's settings for one plane. Raises InvalidConfiguration for a pair that is none."""
    config = Config()
    config.graceful_timeout = grace_s
    config.keep_alive_timeout = door.idle_timeout_s
    config.keep_alive_max_requests = door.requests_per_connection_max
    config.ssl_handshake_timeout = door.head_timeout_s
    head_bytes_max = door.request_line_bytes_max + door.fields_bytes_max
    config.h11_max_incomplete_size = head_bytes_max
    config.h2_max_header_list_size = head_bytes_max
    config.include_server_header = False
    config.loglevel = "WARNING"
    config.errorlog = "-"
    config.accesslog = None
    if pair is None:
        return config
    check_pair(pair)
    config.certfile, config.keyfile = pair
    config.ciphers = CIPHERS
    try:
        config.create_ssl_context()
    except ssl.SSLError as error:
        raise InvalidConfiguration(
            f"{pair.cert} with {pair.key} is refused by OpenSSL: {error.reason or error}"
        ) from None
    return config
