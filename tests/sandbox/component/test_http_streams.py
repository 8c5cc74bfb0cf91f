"""`wasi:http` guests of three toolchains: bodies, trailers, and requests of their own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import h11
import pytest

from edge.model.outcome import Outcome
from tests.front.peers import Cut, ask, rest
from tests.front.wire import TIMEOUT_S
from tests.running import Server
from tests.sandbox.component.web_guests import WEBS, Web

pytestmark = pytest.mark.timeout(900)
MB = 1_000_000
BODY = bytes(range(256)) * (5 * MB // 256)
READ_BYTES = 65_536


class Origin:
    """A server on loopback that sends back what it is sent, in the order a test lets it."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.goes_on = threading.Event()
        self.received = b""
        self.headers: dict[bytes, bytes] = {}
        self.trailers: dict[bytes, bytes] = {}
        self.ended = threading.Event()

    def serve_one(self) -> None:
        """One request: half of an answer, the other when it `goes_on`."""
        connection, _ = self._listener.accept()
        with closing(connection):
            connection.settimeout(TIMEOUT_S)
            state = h11.Connection(h11.SERVER)
            while not isinstance(event := state.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    state.receive_data(connection.recv(READ_BYTES))
                elif isinstance(event, h11.Request):
                    self.headers = dict(event.headers)
                elif isinstance(event, h11.Data):
                    self.received += event.data
            self.trailers = dict(event.headers)

            def send(event: Any) -> None:
                connection.sendall(state.send(event) or b"")

            fields = [("x-origin", "yes"), ("transfer-encoding", "chunked")]
            send(h11.Response(status_code=418, headers=fields))
            send(h11.Data(data=b"first "))
            self.goes_on.wait(TIMEOUT_S)
            try:
                send(h11.Data(data=self.received))
                send(h11.EndOfMessage(headers=[("x-last", "yes")]))
                connection.recv(1)
            except OSError:
                pass  # whoever asked has left
            self.ended.set()


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    """Where the guests' requests go."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(TIMEOUT_S)
        yield made


def address_of(listener: socket.socket) -> str:
    """As a grant and a request name it."""
    return f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def serving(listener: socket.socket) -> Iterator[Origin]:
    """A server for one request."""
    served = Origin(listener)
    thread = threading.Thread(target=served.serve_one)
    thread.start()
    try:
        yield served
    finally:
        served.goes_on.set()
        thread.join()


class Way(NamedTuple):
    """A guest on a host, and the protocol its clients speak."""

    host: Server
    web: Web
    http2: bool

    def ask(self, path: str, **more: Any) -> Any:
        """A request for a path of the guest."""
        name = more.pop("function", self.web.name)
        return ask(self.host.http_url, f"/{name}{path}", http2=self.http2, **more)


@pytest.fixture(scope="module", params=WEBS, ids=lambda web: web.name)
def deployed(
    request: pytest.FixtureRequest, shared_server: Server, listener: socket.socket
) -> tuple[Server, Web]:
    """A guest, with time, and again with little; it may ask the listener."""
    web: Web = request.param
    module = web.build()
    grants = [f"fetch:{address_of(listener)}"]
    shared_server.deploy(web.name, module, timeoutMs=20_000, grants=grants)
    shared_server.deploy(f"{web.name}-hurried", module, timeoutMs=400)
    return shared_server, web


@pytest.fixture(params=["http/1.1", "http/2"])
def way(request: pytest.FixtureRequest, deployed: tuple[Server, Web]) -> Way:
    """Each guest by each protocol."""
    return Way(*deployed, request.param == "http/2")


@pytest.fixture
def full_way(way: Way) -> Way:
    """Those whose guests speak WASI itself."""
    if not way.web.speaks_wasi:
        pytest.skip("the web's own classes have no word for it")
    return way


def test_a_head_and_a_body(way: Way) -> None:
    """GET: status, fields, cookies."""
    with way.ask("/hello", method="GET") as peer:
        assert rest(peer) == f"hello from {way.web.name}".encode()
        assert (peer.status, peer.headers["x-kind"]) == (201, "hello")
        assert peer.headers["set-cookie"] == "a=1"


def test_a_body_that_nobody_reads(way: Way) -> None:
    """The answer comes all the same; only its connection may end with it."""
    with way.ask("/hello", body=bytes(300_000)) as peer:
        assert rest(peer).startswith(b"hello")


def test_five_megabytes(way: Way) -> None:
    """Every byte is counted by the guest and in its record."""
    with way.ask("/count", body=BODY) as peer:
        assert rest(peer) == b"%d" % len(BODY)
    usage = way.host.record(peer.headers["x-edge-request-id"])
    assert (usage.outcome, usage.bytes_in) == (Outcome.OK, len(BODY))


def test_a_body_over_the_limit(way: Way) -> None:
    """Is refused while it comes, and ends its guest."""
    with way.ask("/count", body=None) as peer:
        try:
            for _ in range(8):
                peer.send(bytes(MB))
            peer.send(b"", last=True)
        except (OSError, Cut):
            pass  # the host reads no more
        try:
            assert b"payload_too_large" in rest(peer)
            assert peer.status == 413
        except Cut:
            assert way.http2, "Hypercorn gives up a connection that sends on what was answered"


def test_each_piece_comes_back_before_the_next_is_sent(way: Way) -> None:
    """Both bodies are on their way at once."""
    with way.ask("/echo", body=None) as peer:
        for piece in (b"one", b"two", b"\xff" * 10_000):
            peer.send(piece)
            got = b""
            while len(got) < len(piece):
                got += peer.read()
            assert got == piece
        peer.send(b"", last=True)
        assert rest(peer) == b""
    usage = way.host.record(peer.headers["x-edge-request-id"])
    assert (usage.bytes_in, usage.bytes_out) == (10_006, 10_006)


def test_a_slow_reader_makes_the_guest_wait_and_that_the_client(way: Way) -> None:
    """Megabytes through a guest whose client reads late: all of them arrive."""
    with way.ask("/echo", body=None) as peer:
        if way.http2:  # one connection's two directions are one client's
            sending = None
            peer.send(BODY[:MB], last=True)
            expected = BODY[:MB]
        else:
            sending = threading.Thread(target=peer.send, args=(BODY,), kwargs={"last": True})
            sending.start()
            expected = BODY
        assert rest(peer) == expected
        if sending is not None:
            sending.join()


def test_trailers_both_ways(full_way: Way) -> None:
    """What is behind the request comes back behind the answer, with what the call cost."""
    if full_way.http2:
        pytest.skip("ASGI has no trailers of a request")
    with full_way.ask("/echo", body=None) as peer:
        peer.send(b"body", last=True, trailers={"X-Sum": "abc", "x-other": "d"})
        assert rest(peer) == b"body"
    assert (peer.trailers["x-sum"], peer.trailers["x-other"]) == ("abc", "d")
    assert int(peer.trailers["x-edge-fuel"]) > 0


def test_a_request_of_its_own(way: Way, listener: socket.socket) -> None:
    """Streamed out and in: the guest's client has the first half before the second is sent."""
    headers = {"x-to": address_of(listener)}
    with serving(listener) as served, way.ask("/proxy", body=BODY[:MB], headers=headers) as peer:
        assert peer.read() == b"first "
        assert (peer.status, peer.headers["x-origin"]) == (418, "yes")
        served.goes_on.set()
        assert rest(peer) == BODY[:MB]
        assert served.received == BODY[:MB]
        assert served.headers[b"x-guest"] == way.web.name.encode()
        if way.web.speaks_wasi:
            assert peer.trailers.get("x-last") == "yes"
    usage = way.host.record(peer.headers["x-edge-request-id"])
    assert usage.calls == {"fetch": 1}


def test_a_request_that_was_not_granted(way: Way) -> None:
    """Is an error of the guest's, and nothing is sent."""
    with way.ask("/proxy", headers={"x-to": "127.0.0.1:1"}, body=b"x") as peer:
        rest(peer)
        assert peer.status == 502
    if way.web.speaks_wasi:
        assert "RequestDenied" in peer.headers["x-error"].replace("_", "").replace("Http", "")


def test_a_client_that_leaves_ends_what_its_guest_asked_for(
    way: Way, listener: socket.socket
) -> None:
    """The guest in the middle of a body, and the connection it had opened."""
    headers = {"x-to": address_of(listener)}
    with serving(listener) as served:
        with way.ask("/proxy", body=b"x", headers=headers) as peer:
            assert peer.read() == b"first "
        usage = way.host.record(peer.headers["x-edge-request-id"])
        assert usage.outcome is Outcome.CANCELED
        served.goes_on.set()
        assert served.ended.wait(TIMEOUT_S)


@pytest.mark.parametrize(
    ("path", "outcome"), [("/part", Outcome.GUEST_ERROR), ("/never", Outcome.TIMEOUT)]
)
def test_a_body_that_is_never_finished(full_way: Way, path: str, outcome: Outcome) -> None:
    """By a guest that forgets it, or goes on for ever: no client takes it for whole."""
    with full_way.ask(path, function=f"{full_way.web.name}-hurried") as peer:
        if path == "/never":
            assert peer.read() == b"a part"
            with pytest.raises(Cut):
                rest(peer)
        else:
            try:
                assert b"guest_error" in rest(peer)  # it was over before anything left
            except Cut:
                assert peer.status == 200
    assert full_way.host.record(peer.headers["x-edge-request-id"]).outcome is outcome


def test_streams_dropped_in_any_order(full_way: Way) -> None:
    """Nothing of it traps, and the answer is what was written last."""
    with full_way.ask("/drop", body=b"x" * 100_000) as peer:
        assert rest(peer) == b"dropped"


def test_an_error_code_for_an_answer(full_way: Way) -> None:
    """Is the guest's error, told as such."""
    with full_way.ask("/fail") as peer:
        assert b"guest_error" in rest(peer)
        assert peer.status == 502
