"""WASI 0.2 as a guest of ours meets it: definitions by interface and name, without Wasmtime.

An interface that is here is offered; of its functions, those that are not here are denied by a
rule of the sandbox's (an error code where the type has one). Sockets are that rule alone.

Neighbours: `sandbox/component/` links these; they share the session and host calls of core modules.
Every call is charged before it comes here; what moves bytes charges for those.
Invariant: deny by default; no function raises but `Misuse` and `GuestExit`, which end the guest.
"""

from collections.abc import Mapping
from types import MappingProxyType

from edge.host.wasi2 import (
    cli,
    clocks,
    directories,
    files,
    function,
    http_bodies,
    http_client,
    http_fields,
    http_request,
    http_server,
    io,
    random,
    sockets,
    streams,
)
from edge.host.wasi2.context import Functions

FUNCTION_HOST = "edge:function/host"

INTERFACES: Mapping[str, Functions] = MappingProxyType(
    {
        FUNCTION_HOST: function.HOST,
        "wasi:io/poll": io.POLL,
        "wasi:io/error": io.ERROR,
        "wasi:io/streams": streams.STREAMS,
        "wasi:clocks/monotonic-clock": clocks.MONOTONIC_CLOCK,
        "wasi:clocks/wall-clock": clocks.WALL_CLOCK,
        "wasi:random/random": random.RANDOM,
        "wasi:random/insecure": random.INSECURE,
        "wasi:random/insecure-seed": random.INSECURE_SEED,
        "wasi:cli/environment": cli.ENVIRONMENT,
        "wasi:cli/exit": cli.EXIT,
        "wasi:cli/stdin": cli.STDIN,
        "wasi:cli/stdout": cli.STDOUT,
        "wasi:cli/stderr": cli.STDERR,
        "wasi:cli/terminal-input": {},
        "wasi:cli/terminal-output": {},
        "wasi:cli/terminal-stdin": cli.TERMINAL_STDIN,
        "wasi:cli/terminal-stdout": cli.TERMINAL_STDOUT,
        "wasi:cli/terminal-stderr": cli.TERMINAL_STDERR,
        "wasi:filesystem/types": {**files.FUNCTIONS, **directories.FUNCTIONS},
        "wasi:filesystem/preopens": directories.PREOPENS,
        "wasi:http/types": {
            **http_fields.FUNCTIONS,
            **http_bodies.FUNCTIONS,
            **http_server.FUNCTIONS,
            **http_request.FUNCTIONS,
            **http_client.FUNCTIONS,
        },
        "wasi:http/outgoing-handler": http_client.OUTGOING_HANDLER,
        "wasi:sockets/network": {},
        "wasi:sockets/instance-network": sockets.INSTANCE_NETWORK,
        "wasi:sockets/udp": {},
        "wasi:sockets/udp-create-socket": {},
        "wasi:sockets/tcp": {},
        "wasi:sockets/tcp-create-socket": {},
        "wasi:sockets/ip-name-lookup": {},
    }
)
"""What a component may import, by version-free name. Every 0.2 is one: its types only grew."""
