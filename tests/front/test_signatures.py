"""Signatures on both planes of a host of two workers: taken as signed, refused when changed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from edge.access.keyring import NewKey
from edge.keyring import open_keyring
from tests.front.wire import exchange
from tests.running import Server
from tests.signing import BODY, Request

PATHS = {
    "control": "/2015-03-31/functions/iam/invocations?Qualifier=live",
    "data": "/iam:live/some/path?a=1&b=%20",
}
BODY_DIGEST = sha256(BODY).hexdigest()
CONNECTIONS = 12
"""So many that both workers have some of them."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, echo: bytes) -> Iterator[tuple[Server, NewKey]]:
    """A closed host, two functions that take signed requests, and a key that may call both."""
    data: Path = tmp_path_factory.mktemp("signatures") / "data"
    with Server(data, workers=2) as server, open_keyring(data) as keyring:
        for name in ("iam", "other"):
            server.deploy(name, echo)
            function = f"/2015-03-31/functions/{name}"
            server.control.post(f"{function}/versions")
            alias = {"Name": "live", "FunctionVersion": "1"}
            server.control.post(f"{function}/aliases", json=alias)
            server.control.post(f"/2021-10-31/functions/{name}/url", json={"AuthType": "AWS_IAM"})
        yield server, keyring.create("ann")


@pytest.fixture(params=PATHS)
def request_of(host: tuple[Server, NewKey], request: pytest.FixtureRequest) -> Request:
    """An unsigned call of the function, on either plane."""
    server, _ = host
    url = server.control_url if request.param == "control" else server.http_url
    return Request(url, PATHS[request.param], headers={"X-Amz-Log-Type": "Tail"})


def send(request: Request, *, chunked: bool = False) -> int:
    """The status that a request is answered with."""
    response, body = exchange(request.url, request.raw(chunked=chunked), method=request.method)
    assert response.status_code != 403 or b"message" in body.lower()
    return int(response.status_code)


def other_second(moment: str) -> str:
    """`20300131T235959Z`, a second away."""
    return f"{moment[:14]}{int(moment[14]) ^ 1}Z"


CHANGES: dict[str, Callable[[Request], Request]] = {
    "path": lambda r: replace(r, path=r.path.replace("?", "/more?")),
    "another spelling": lambda r: replace(r, path=r.path.replace("iam", "i%61m")),
    "another function": lambda r: replace(r, path=r.path.replace("iam", "other")),
    "path by a detour": lambda r: replace(r, path=r.path.replace("?", "/.?")),
    "query": lambda r: replace(r, path=r.path.replace("=", "=x", 1)),
    "query added": lambda r: replace(r, path=f"{r.path}&c=1"),
    "query dropped": lambda r: replace(r, path=r.path.partition("?")[0]),
    "method": lambda r: replace(r, method="PUT"),
    "header": lambda r: r.with_header("X-Amz-Log-Type", "None"),
    "header added": lambda r: r.with_header("X-Amz-Invocation-Type", "Event"),
    "header dropped": lambda r: replace(
        r, headers={name: v for name, v in r.headers.items() if name != "X-Amz-Log-Type"}
    ),
    "host": lambda r: r.with_header("host", "localhost:" + r.host.rpartition(":")[2]),
    "body": lambda r: replace(r, body=BODY.replace(b"Ada", b"Bob")),
    "body dropped": lambda r: replace(r, body=b""),
    "digest of another body": lambda r: replace(
        r.with_header("X-Amz-Content-SHA256", "0" * 64), body=b""
    ),
    "date": lambda r: r.with_header("X-Amz-Date", other_second(r.headers["X-Amz-Date"])),
    "another date": lambda r: r.with_header("X-Amz-Date", "20200101T000000Z"),
    "no date": lambda r: r.with_header("X-Amz-Date", "today"),
    "day of the scope": lambda r: r.edited("Authorization", "/20", "/19"),
    "region of the scope": lambda r: r.edited("Authorization", "/edge/", "/edgy/"),
    "service of the scope": lambda r: r.edited("Authorization", "/lambda/", "/s3/"),
    "signature": lambda r: r.with_header(
        "Authorization", r.headers["Authorization"][:-8] + "00000000"
    ),
    "fewer signed headers": lambda r: r.edited("Authorization", ";x-amz-log-type", ""),
    "token of a session": lambda r: r.with_header("X-Amz-Security-Token", "x"),
    "another key": lambda r: r.edited("Authorization", "EDGE", "EDGF"),
}  # fmt: skip


def test_a_signed_request_is_taken(host: tuple[Server, NewKey], request_of: Request) -> None:
    """Whole, in chunks, without a body, with the digest named, and twice: a repetition is what a
    client's own retry is."""
    signed = request_of.signed(host[1])
    assert [send(signed), send(signed), send(signed, chunked=True)] == [200, 200, 200]
    assert send(replace(request_of, body=b"").signed(host[1])) == 200
    named = replace(request_of, headers={"X-Amz-Content-SHA256": BODY_DIGEST}).signed(host[1])
    assert send(named) == 200
    assert send(replace(named, body=BODY + b" ")) == 403


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_request_is_refused(
    host: tuple[Server, NewKey], request_of: Request, change: str
) -> None:
    """Whatever decides what a request does is under its signature."""
    changed = CHANGES[change](request_of.signed(host[1]))
    assert send(changed) in (400, 403)
    assert send(request_of.signed(host[1])) == 200


@pytest.mark.parametrize("late_s", [400, -400])
def test_a_request_replayed_too_late(
    host: tuple[Server, NewKey], request_of: Request, late_s: int
) -> None:
    """A signature is worth nothing five minutes away from its date."""
    assert send(request_of.signed(host[1], late_s=late_s)) == 403
    assert send(request_of.signed(host[1], late_s=late_s // 2)) == 200


def test_wrong_keys(host: tuple[Server, NewKey], request_of: Request) -> None:
    """Another secret, another service, and no signature at all."""
    key = host[1]
    assert send(request_of.signed(key, secret="another")) == 403
    assert send(request_of.signed(key, service="s3")) == 403
    assert send(request_of) == 403
    assert send(request_of.with_header("Authorization", "AWS4-HMAC-SHA256 x")) in (400, 403)


def test_changes_of_keys_are_in_force_at_once(
    host: tuple[Server, NewKey], request_of: Request
) -> None:
    """On both workers, whichever connection a request comes by."""
    server, _ = host
    with open_keyring(server.data) as keyring:
        made = keyring.create("passing")
        old = request_of.signed(made)
        assert {send(old) for _ in range(CONNECTIONS)} == {200}
        rotated = keyring.rotate("passing")
        assert {send(old) for _ in range(CONNECTIONS)} == {403}
        new = request_of.signed(rotated)
        assert {send(new) for _ in range(CONNECTIONS)} == {200}
        keyring.revoke("passing")
        assert {send(new) for _ in range(CONNECTIONS)} == {403}
