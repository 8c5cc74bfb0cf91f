"""What it costs to ask who calls: a signed Invoke beside one of an open host, and a function's URL.

Each connection has one request at a time, and each request a head of its own, as those of real
clients have; all were signed before. In turns, in many short rounds, so that a change of the
machine's pace meets them alike. What is added is the difference of the medians, with the bytes of
the signature on the wire.
"""

import gc
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from urllib.parse import urlsplit

from bench.client import Connection
from bench.guests import sample
from bench.line import Line, spread
from bench.process import SERVER_CORE, load_cores, pinned
from bench.server import Server
from edge.access.keyring import NewKey
from edge.keyring import open_keyring
from edge.model.ids import function_arn
from tests.signing import Request

ADDED_US_MAX = 40
ROUNDS = 60
CALLS_PER_ROUND = 50
FUNCTION = "tiny"
BODY = b'{"name": "Ada"}'
INVOKE = f"/2015-03-31/functions/{FUNCTION}/invocations"
POLICY = {
    "Statement": [
        {"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"],
            "Resource": function_arn("*"),
        },
    ]
}


@dataclass(frozen=True, slots=True)
class Way:
    """How a function is called: requests that are all alike but for a number."""

    name: str
    requests: Sequence[bytes]
    url: str


def ways_of(open_host: Server, closed_host: Server, key: NewKey) -> dict[str, Way]:
    """Invoke without a key and signed; the URL open, signed and with a token."""
    bearer = {"authorization": f"Bearer {key.token}"}
    return {
        "open": _way("Invoke of an open host", open_host.control_url, INVOKE),
        "signed": _way("  signed", closed_host.control_url, INVOKE, key),
        "url": _way("a function's URL, AuthType NONE", closed_host.http_url, "/none"),
        "url signed": _way("  AWS_IAM, signed", closed_host.http_url, "/aws_iam", key),
        "url token": _way("  TOKEN, by a token", closed_host.http_url, "/token", headers=bearer),
    }


def _way(
    name: str,
    url: str,
    path: str,
    key: NewKey | None = None,
    headers: dict[str, str] | None = None,
) -> Way:
    requests = []
    for number in range(CALLS_PER_ROUND):
        told = {"X-Amz-Meta-Number": str(number), **(headers or {})}
        request = Request(url, path, body=BODY, headers=told)
        if key is not None:
            request = request.signed(key)
        requests.append(request.with_header("connection", "keep-alive").raw())
    return Way(name, requests, url)


async def ask(connection: Connection, way: Way) -> list[float]:
    """Microseconds of each request of a round."""
    samples = []
    for request in way.requests:
        began = perf_counter_ns()
        answer = await connection.ask(request)
        samples.append((perf_counter_ns() - began) / 1_000)
        if answer.status != 200:
            raise RuntimeError(f"{way.name}: {answer.status} {answer.body[:200]!r}")
    return samples


async def measure() -> list[Line]:
    """A line for each way, those with a key beside those without."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="edge-bench-")))
        open_host = stack.enter_context(Server({SERVER_CORE}))
        closed_host = stack.enter_context(Server({SERVER_CORE}, data=folder / "closed"))
        open_host.deploy(FUNCTION, sample(FUNCTION), memoryMb=64)
        closed_host.deploy(FUNCTION, sample(FUNCTION), memoryMb=64)
        for auth in ("none", "aws_iam", "token"):
            closed_host.deploy(auth, sample(FUNCTION), memoryMb=64, auth=auth)
        with open_keyring(folder / "closed") as keyring:
            key = keyring.create("bench", json.dumps(POLICY))
        stack.enter_context(pinned(load_cores()))
        samples = await _ask_in_turns(open_host, closed_host, key)
    return _lines(samples)


async def _ask_in_turns(
    open_host: Server, closed_host: Server, key: NewKey
) -> dict[str, tuple[Way, list[float]]]:
    """The samples of each way; all of it takes less time than a signature is good for."""
    ways = ways_of(open_host, closed_host, key)
    samples: dict[str, list[float]] = {label: [] for label in ways}
    async with AsyncExitStack() as stack:
        connections = {}
        for label, way in ways.items():
            parts = urlsplit(way.url)
            address = (str(parts.hostname), parts.port or 0)
            connections[label] = await stack.enter_async_context(Connection(address))
            await ask(connections[label], way)
        gc.collect()
        for _ in range(ROUNDS):
            for label, way in ways.items():
                samples[label] += await ask(connections[label], way)
    return {label: (way, samples[label]) for label, way in ways.items()}


def _lines(samples: dict[str, tuple[Way, list[float]]]) -> list[Line]:
    lines = []
    for label, (way, seen) in samples.items():
        base = samples["open" if label in ("open", "signed") else "url"][1]
        added = median(seen) - median(base)
        is_base = seen is base
        line = spread(seen)
        lines.append(
            Line(
                way.name,
                line.p50,
                "µs",
                line.p99,
                ratio=None if is_base else median(seen) / median(base),
                against="" if is_base else "without a key",
                bound=f"adds ≤ {ADDED_US_MAX} µs" if label == "signed" else "",
                met=added <= ADDED_US_MAX if label == "signed" else None,
                note="" if is_base else f"adds {added:.1f} µs",
            )
        )
    return lines
