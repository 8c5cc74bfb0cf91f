"""What it costs to ask who calls: a signed Invoke beside one of an open host, and a function's URL.

Each connection has one request at a time, and each request a head of its own, as those of real
clients have; all were signed before. In turns, in many short rounds, so that a change of the
machine's pace meets them alike. What is added is the difference of the medians, with the bytes of
the signature on the wire; beside it what the server's CPU spends, which others on the machine
disturb less.
"""

import gc
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from urllib.parse import urlsplit

from bench import process
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
OPEN, SIGNED, URL = "open", "signed", "url"
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
    """How a function is called: requests that are all alike but for a number, each sent once."""

    name: str
    requests: Sequence[bytes]
    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds: of each request from outside, and of the server's CPU for one of a round."""

    latencies: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def ways_of(open_host: Server, closed_host: Server, key: NewKey) -> dict[str, Way]:
    """Invoke without a key and signed; the URL open, signed and with a token."""
    bearer, data_url = {"authorization": f"Bearer {key.token}"}, closed_host.http_url
    return {
        OPEN: _way("Invoke of an open host", open_host, open_host.control_url + INVOKE),
        SIGNED: _way("  signed", closed_host, closed_host.control_url + INVOKE, key),
        URL: _way("a function's URL, AuthType NONE", closed_host, f"{data_url}/none"),
        "url signed": _way("  AWS_IAM, signed", closed_host, f"{data_url}/aws_iam", key),
        "url token": _way("  TOKEN, by a token", closed_host, f"{data_url}/token", bearer),
    }


def _way(name: str, host: Server, url: str, proof: NewKey | dict[str, str] | None = None) -> Way:
    """Requests for `url`, signed with a key, or with the header that has a token."""
    requests, parts = [], urlsplit(url)
    headers = proof if isinstance(proof, dict) else {}
    for number in range((ROUNDS + 1) * CALLS_PER_ROUND):
        told = {"X-Amz-Meta-Number": str(number), **headers}
        request = Request(f"http://{parts.netloc}", parts.path, body=BODY, headers=told)
        if isinstance(proof, NewKey):
            request = request.signed(proof)
        requests.append(request.with_header("connection", "keep-alive").raw())
    return Way(name, requests, url, host.pid)


async def ask(connection: Connection, way: Way, turn: int, cost: Cost) -> None:
    """One round."""
    first = turn * CALLS_PER_ROUND
    cpu_ns = process.run_ns(way.pid)
    for request in way.requests[first : first + CALLS_PER_ROUND]:
        began = perf_counter_ns()
        answer = await connection.ask(request)
        cost.latencies.append((perf_counter_ns() - began) / 1_000)
        if answer.status != 200:
            raise RuntimeError(f"{way.name}: {answer.status} {answer.body[:200]!r}")
    cost.cpu.append((process.run_ns(way.pid) - cpu_ns) / 1_000 / CALLS_PER_ROUND)


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
        ways = ways_of(open_host, closed_host, key)
        costs = await ask_in_turns(ways)
    return [_line(label, way, costs) for label, way in ways.items()]


async def ask_in_turns(ways: dict[str, Way]) -> dict[str, Cost]:
    """What each way cost; all of it takes less time than a signature is good for."""
    costs = {label: Cost() for label in ways}
    async with AsyncExitStack() as stack:
        connections = {}
        for label, way in ways.items():
            parts = urlsplit(way.url)
            connection = Connection((str(parts.hostname), parts.port or 0))
            connections[label] = await stack.enter_async_context(connection)
            await ask(connections[label], way, ROUNDS, Cost())
        gc.collect()
        for turn in range(ROUNDS):
            for label, way in ways.items():
                await ask(connections[label], way, turn, costs[label])
    return costs


def _line(label: str, way: Way, costs: dict[str, Cost]) -> Line:
    cost = costs[label]
    base = costs[OPEN if label in (OPEN, SIGNED) else URL]
    seen = spread(cost.latencies)
    if cost is base:
        return Line(way.name, seen.p50, "µs", seen.p99)
    added = seen.p50 - median(base.latencies)
    cpu = median(cost.cpu) - median(base.cpu)
    return Line(
        way.name,
        seen.p50,
        "µs",
        seen.p99,
        ratio=seen.p50 / median(base.latencies),
        against="without a key",
        bound=f"adds ≤ {ADDED_US_MAX} µs" if label == SIGNED else "",
        met=added <= ADDED_US_MAX if label == SIGNED else None,
        note=f"adds {added:.1f} µs, of CPU {cpu:.1f}",
    )
