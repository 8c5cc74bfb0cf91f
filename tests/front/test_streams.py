"""Answers that leave as they are written, through each door."""

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest

from edge.model.outcome import Outcome
from tests.front.lambda_calls import lambda_client
from tests.front.peers import Cut, ask, rest
from tests.front.wire import connect, exchange
from tests.running import Server

MIB = 1024 * 1024
PIECE_BYTES = 64 * 1024


class Way(NamedTuple):
    """A host behind a door, and the protocol its clients speak."""

    host: Server
    http2: bool


@pytest.fixture(scope="module", params=["edge", "hypercorn"])
def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, streamer: bytes
) -> Iterator[Server]:
    """A host behind either door, with the function that streams."""
    data = tmp_path_factory.mktemp("host") / "data"
    with Server(data, settings={"door": request.param}) as running:
        running.deploy("streamer", streamer, timeoutMs=10_000, grants=["kv"])
        running.deploy("hurried", streamer, timeoutMs=300)
        yield running
        assert running.stop() == 0, "whoever left in the middle holds nothing up"


@pytest.fixture(params=["http/1.1", "http/2"])
def way(request: pytest.FixtureRequest, host: Server) -> Way:
    """Each door by each protocol."""
    return Way(host, request.param == "http/2")


def test_a_piece_arrives_before_the_next_is_written(way: Way) -> None:
    """The guest goes on only once the test has read its first piece."""
    with ask(way.host.http_url, "/streamer/until", http2=way.http2) as peer:
        assert peer.read() == b"first "
        assert peer.status == 201
        assert peer.headers["content-type"] == "text/event-stream"
        assert peer.headers["x-kind"] == "streamed"
        way.host.http.post("/streamer/go")
        assert rest(peer) == b"second"
    usage = way.host.record(peer.headers["x-edge-request-id"])
    assert (usage.outcome, usage.bytes_out) == (Outcome.OK, len(b"first second"))
    assert usage.calls["response.write"] == 2


def test_what_a_call_cost_is_behind_its_answer(way: Way) -> None:
    """The fields that a head cannot have yet are trailers, where the protocol has them."""
    with ask(way.host.http_url, "/streamer/count?n=2000", http2=way.http2) as peer:
        lines = rest(peer).splitlines()
    assert lines == [b"line %d" % number for number in range(2000)]
    if peer.trailers:
        usage = way.host.record(peer.headers["x-edge-request-id"])
        assert int(peer.trailers["x-edge-fuel"]) == usage.fuel
        assert int(peer.trailers["x-edge-billed-ms"]) == usage.billed_ms
    else:
        assert "trailer" not in peer.headers


def test_cookies_and_a_body_without_a_head(host: Server) -> None:
    """A head is as of a response that comes whole; without one bytes are bytes."""
    response = host.http.get("/streamer/count?n=500")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    bare = host.http.get("/streamer/bare")
    assert (bare.status_code, bare.text) == (200, "just bytes")
    assert bare.headers["content-type"] == "application/octet-stream"
    assert host.http.get("/streamer/empty").content == b""
    assert host.http.get("/streamer/twice").text == "invalid_request"


def test_a_head_that_is_no_http_is_refused(host: Server) -> None:
    """The guest is told, and can still answer."""
    assert host.http.post("/streamer/odd", content=b"fine").headers["x-odd"] == "fine"
    answer = host.http.post("/streamer/odd", content=b"a\r\nset-cookie: b=1")
    assert (answer.text, "set-cookie" in answer.headers) == ("invalid_request", False)


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/streamer/fail?n=50", Outcome.GUEST_ERROR),
        ("/streamer/trap?n=50", Outcome.GUEST_TRAP),
        ("/hurried/fail?n=60000", Outcome.TIMEOUT),
    ],
)
def test_an_answer_that_fails_does_not_look_whole(way: Way, path: str, outcome: Outcome) -> None:
    """What was written arrives over HTTP/1.1, then the connection ends; over HTTP/2 the stream."""
    with ask(way.host.http_url, path, http2=way.http2) as peer:
        assert peer.read() == b"a part"
        with pytest.raises(Cut):
            rest(peer)
    usage = way.host.record(peer.headers["x-edge-request-id"])
    assert (usage.outcome, usage.bytes_out) == (outcome, len(b"a part"))


def test_a_failure_before_the_first_piece_is_an_answer(way: Way) -> None:
    """Nothing has left yet, so the client is told as always."""
    with ask(way.host.http_url, "/streamer/early", http2=way.http2) as peer:
        assert b"guest_error" in rest(peer)
    assert peer.status == 502


def test_a_slow_client_makes_the_guest_wait(way: Way, streamer: bytes) -> None:
    """All of it arrives, and as long as nobody reads the guest does not get to its end."""
    count = 200
    way.host.deploy("patient", streamer, timeoutMs=60_000, concurrency=1)
    with ask(way.host.http_url, f"/patient/big?n={count}", http2=way.http2) as peer:
        assert peer.read()
        assert way.host.http.get("/patient/empty").status_code == 429
        size = PIECE_BYTES * count
        received = sum(map(len, iter(peer.read, b"")))
        assert 0 < size - received < PIECE_BYTES + 1
    usage = way.host.record(peer.headers["x-edge-request-id"])
    assert usage.bytes_out == size
    assert usage.memory_peak_bytes < 1 * MIB, "the guest's memory is given back as it writes"


def test_the_deadline_ends_a_guest_that_waits_for_its_client(way: Way) -> None:
    """A client that never reads costs a function its timeout and no more."""
    with ask(way.host.http_url, "/hurried/big?n=300", http2=way.http2) as peer:
        assert peer.read()
        usage = way.host.record(peer.headers["x-edge-request-id"])
        assert usage.outcome is Outcome.TIMEOUT
        assert 0 < usage.bytes_out < PIECE_BYTES * 300
        with pytest.raises(Cut):
            rest(peer)


def test_a_client_that_leaves_ends_its_guest(way: Way) -> None:
    """In the middle of its answer, whether it waits or writes."""
    with ask(way.host.http_url, "/streamer/big?n=300", http2=way.http2) as peer:
        assert peer.read()
    usage = way.host.record(peer.headers["x-edge-request-id"])
    assert usage.outcome is Outcome.CANCELED
    assert 0 < usage.bytes_out < PIECE_BYTES * 300


def test_an_answer_over_the_bound_is_cut(way: Way) -> None:
    """20 MiB by default: the guest is told with the piece that would pass it, and has failed."""
    with (
        ask(way.host.http_url, "/streamer/big?n=321", http2=way.http2) as peer,
        pytest.raises(Cut),
    ):
        rest(peer)
    usage = way.host.record(peer.headers["x-edge-request-id"])
    assert (usage.outcome, usage.bytes_out) == (Outcome.GUEST_ERROR, 20 * MIB)


def test_head_gets_the_head(way: Way) -> None:
    """The function runs, and what it writes is not sent; the connection stays usable."""
    with ask(way.host.http_url, "/streamer/big?n=9", http2=way.http2, method="HEAD") as peer:
        assert rest(peer) == b""
        assert peer.status == 200
        usage = way.host.record(peer.headers["x-edge-request-id"])
        assert (usage.outcome, usage.bytes_out) == (Outcome.OK, 9 * PIECE_BYTES)


def test_http_1_0_gets_it_up_to_the_end(host: Server) -> None:
    """No chunks for a client that knows none; a part of an answer is reset."""
    response, body = exchange(host.http_url, b"GET /streamer/big?n=4 HTTP/1.0\r\n\r\n")
    assert len(body) == 4 * PIECE_BYTES
    assert b"transfer-encoding" not in dict(response.headers)
    with connect(host.http_url) as connection:
        connection.sendall(b"GET /streamer/trap?n=50 HTTP/1.0\r\n\r\n")
        assert connection.recv(PIECE_BYTES)


def test_a_connection_is_kept_behind_a_stream(host: Server) -> None:
    """Streamed, whole, streamed: each answer is where it belongs."""
    for _ in range(2):
        assert len(host.http.get("/streamer/big?n=3").content) == 3 * PIECE_BYTES
        assert host.http.get("/streamer/bare").text == "just bytes"


def test_a_buffered_url_gets_the_answer_whole(host: Server) -> None:
    """`InvokeMode` BUFFERED: the host collects, within the limit of answers; else it streams."""
    with lambda_client(host.control_url) as client:
        client.create_function_url_config(FunctionName="streamer", AuthType="NONE")
        whole = host.http.get("/streamer/big?n=3")
        assert int(whole.headers["content-length"]) == 3 * PIECE_BYTES
        assert "x-edge-fuel" in whole.headers
        assert host.http.get("/streamer/count?n=500").headers.get_list("set-cookie") == [
            "a=1",
            "b=2",
        ]
        large = host.http.get("/streamer/big?n=97")
        assert large.status_code == 502
        client.update_function_url_config(FunctionName="streamer", InvokeMode="RESPONSE_STREAM")
        assert "content-length" not in host.http.get("/streamer/big?n=3").headers
        client.delete_function_url_config(FunctionName="streamer")


def test_cors_fields_are_in_a_streamed_head(host: Server) -> None:
    """As in any other."""
    with lambda_client(host.control_url) as client:
        client.create_function_url_config(
            FunctionName="streamer",
            AuthType="NONE",
            InvokeMode="RESPONSE_STREAM",
            Cors={"AllowOrigins": ["https://a.example"]},
        )
        headers = {"origin": "https://a.example"}
        answer = host.http.get("/streamer/big?n=3", headers=headers)
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        client.delete_function_url_config(FunctionName="streamer")


def test_a_stream_that_runs_later_is_collected(host: Server) -> None:
    """Nobody is there to stream to."""
    later = {"x-edge-invocation-type": "Event"}
    answer: httpx.Response = host.http.post("/streamer/big?n=5", headers=later)
    usage = host.record(answer.headers["x-edge-request-id"])
    assert (usage.outcome, usage.bytes_out) == (Outcome.OK, 5 * PIECE_BYTES)
