"""Signatures of botocore's own signer: accepted as they are, refused when anything was changed."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from time import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from edge.access.canonical import Wire
from edge.access.faults import IncompleteSignature, InvalidSignature, UnrecognizedClient
from edge.access.signature import SKEW_S_MAX, read_signature, signer_of, verify
from edge.model.errors import EdgeError

KEY, SECRET = "EDGEKEY", "not/a+real=secret"
BODY = b'{"name": "ann"}'
URL = "http://127.0.0.1:8081/2015-03-31/functions/hello/invocations?Qualifier=3&Marker=a%2Fb%20c"


def signed(
    url: str = URL,
    body: bytes = BODY,
    *,
    service: str = "lambda",
    secret: str = SECRET,
    headers: dict[str, str] | None = None,
    token: str | None = None,
) -> tuple[Wire, bytes]:
    """A POST as botocore signs it now, as ASGI shows it."""
    request: Any = AWSRequest("POST", url, data=body, headers=headers or {"X-Amz-Log-Type": "Tail"})
    SigV4Auth(Credentials(KEY, secret, token), service, "eu-central-1").add_auth(request)
    parts = urlsplit(url)
    found = [
        (name.lower().encode(), value.encode("utf-8")) for name, value in request.headers.items()
    ]
    wire = Wire(
        "POST",
        parts.path.encode(),
        parts.query.encode(),
        [(b"host", parts.netloc.encode()), *found],
    )
    return wire, body


def signature_of(wire: Wire) -> bytes:
    """The Authorization header."""
    return next(value for name, value in wire.headers if name == b"authorization")


def check(wire: Wire, body: bytes, secret: str = SECRET, now_s: float | None = None) -> str:
    """Verify as the doors do; the key's id. Raises what they would tell."""
    authorization = signature_of(wire)
    signature = read_signature(authorization, wire, time() if now_s is None else now_s)
    verify(signature, signer_of(secret, signature.terms.scope), wire, sha256(body).hexdigest())
    return signature.terms.access_key_id


def with_header(wire: Wire, name: bytes, value: bytes) -> Wire:
    """`wire` with another value of one header."""
    return replace(wire, headers=[(k, value if k == name else v) for k, v in wire.headers])


def test_signed_request_is_accepted() -> None:
    """What botocore signs is let in."""
    assert check(*signed()) == KEY


@pytest.mark.parametrize(
    "path",
    ["/", "/a/b/", "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aedge%3A000000000000%3Afunction%3Ahello",
     "/hello/%C3%A9%20x", "/hello/~a_b.c-d", "/hello/a:b@c"],
)  # fmt: skip
def test_paths(path: str) -> None:
    """Encoded ARNs, spaces and other letters in a path do not break a signature."""
    assert check(*signed(f"http://127.0.0.1:8081{path}")) == KEY


@pytest.mark.parametrize("query", ["", "?a", "?a=", "?b=1&a=2&a=1", "?A=1&a=x%3D", "?k=%C3%A9"])
def test_queries(query: str) -> None:
    """Order, repetition and emptiness in a query do not break a signature."""
    path = "http://127.0.0.1:8081/2015-03-31/functions/"
    assert check(*signed(path + query)) == KEY


@given(st.binary(max_size=200), st.text("abz %é~+", max_size=20))
def test_any_body_and_header(body: bytes, value: str) -> None:
    """The body is hashed as it is; header values lose only outer and repeated spaces."""
    wire, body = signed(body=body, headers={"X-Amz-Meta": " ".join(value.split()) or "x"})
    assert check(wire, body) == KEY


def test_tampered_method() -> None:
    """A signature for one method is none for another."""
    wire, body = signed()
    with pytest.raises(InvalidSignature):
        check(replace(wire, method="DELETE"), body)


@pytest.mark.parametrize(
    "path",
    [b"/2015-03-31/functions/other/invocations", b"/2015-03-31/functions/hell%6F/invocations",
     b"/2015-03-31/functions/x/../hello/invocations", b"//2015-03-31/functions/hello/invocations",
     b"/2015-03-31/functions/./hello/invocations"],
)  # fmt: skip
def test_tampered_path(path: bytes) -> None:
    """Another path is refused, and so is another spelling of the signed one."""
    wire, body = signed()
    with pytest.raises(InvalidSignature):
        check(replace(wire, path=path), body)


@pytest.mark.parametrize("query", [b"", b"Qualifier=4&Marker=a%2Fb%20c", b"Qualifier=3",
                                   b"Qualifier=3&Marker=a%2Fb%20c&x=1"])  # fmt: skip
def test_tampered_query(query: bytes) -> None:
    """A parameter changed, dropped or added is refused."""
    wire, body = signed()
    with pytest.raises(InvalidSignature):
        check(replace(wire, query=query), body)


@pytest.mark.parametrize("name", [b"host", b"x-amz-log-type"])
def test_tampered_header(name: bytes) -> None:
    """A signed header may not change."""
    wire, body = signed()
    with pytest.raises(InvalidSignature):
        check(with_header(wire, name, b"None"), body)


def test_added_header() -> None:
    """A header of Amazon's or ours that the signature does not cover is refused, as is a second
    value."""
    wire, body = signed()
    for added in (
        (b"x-amz-invocation-type", b"Event"),
        (b"x-amz-log-type", b"None"),
        (b"x-edge-invocation-type", b"Event"),
    ):
        with pytest.raises(InvalidSignature):
            check(replace(wire, headers=[*wire.headers, added]), body)


def test_dropped_header() -> None:
    """A signed header may not vanish."""
    wire, body = signed()
    kept = [(k, v) for k, v in wire.headers if k != b"x-amz-log-type"]
    with pytest.raises(InvalidSignature):
        check(replace(wire, headers=kept), body)


def test_other_headers_are_free() -> None:
    """A proxy may add headers that are neither Amazon's nor ours."""
    wire, body = signed()
    assert check(replace(wire, headers=[*wire.headers, (b"via", b"1.1 proxy")]), body) == KEY


@pytest.mark.parametrize("body", [b"", b"{}", BODY + b" "])
def test_tampered_body(body: bytes) -> None:
    """The body is the signed one."""
    wire, _ = signed()
    with pytest.raises(InvalidSignature):
        check(wire, body)


def test_named_body_digest() -> None:
    """A digest in a header is checked against the body, not believed."""
    wire, _ = signed(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    with pytest.raises(InvalidSignature, match="x-amz-content-sha256"):
        check(wire, BODY)


@pytest.mark.parametrize("late_s", [SKEW_S_MAX + 60, -SKEW_S_MAX - 60])
def test_replay_outside_the_window(late_s: int) -> None:
    """A captured request is worth nothing after the window, nor is one from the future."""
    wire, body = signed()
    with pytest.raises(InvalidSignature, match="clocks"):
        check(wire, body, now_s=time() + late_s)


def test_tampered_date() -> None:
    """A new date on an old signature is refused, within the day and beyond it."""
    wire, body = signed()
    today = f"{datetime.now(UTC):%Y%m%d}".encode()
    for since in (today + b"T000001Z", b"20200101T000000Z"):
        with pytest.raises(InvalidSignature):
            check(with_header(wire, b"x-amz-date", since), body)


@pytest.mark.parametrize(("old", "new"), [(b"eu-central-1", b"eu-central-2"), (b"/2", b"/1"),
                                      (b"/lambda/", b"/s3/")])  # fmt: skip
def test_tampered_scope(old: bytes, new: bytes) -> None:
    """Region, day and service of the scope are under the signature."""
    wire, body = signed()
    with pytest.raises(InvalidSignature):
        check(with_header(wire, b"authorization", signature_of(wire).replace(old, new, 1)), body)


def test_other_service() -> None:
    """What was honestly signed for another service is refused."""
    with pytest.raises(InvalidSignature, match="service 's3'"):
        check(*signed(service="s3"))


def test_wrong_key() -> None:
    """Another secret's signature is refused."""
    with pytest.raises(InvalidSignature):
        check(*signed(secret="another"))


def test_session_token() -> None:
    """Temporary credentials, which this host cannot have issued, are refused with a hint."""
    with pytest.raises(UnrecognizedClient, match="AWS_SESSION_TOKEN"):
        check(*signed(token="abc"))


@pytest.mark.parametrize(
    "text",
    [b"", b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0",
     b"AWS4-HMAC-SHA1 Credential=a/b/c/d/e, SignedHeaders=host, Signature=" + b"0" * 64,
     b"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=" + b"0" * 64,
     b"AWS4-HMAC-SHA256 Credential=a/20200101/r/lambda/aws4_request, SignedHeaders=x;host,"
     b" Signature=" + b"0" * 64],
)  # fmt: skip
def test_unreadable_authorization(text: bytes) -> None:
    """A header that is no signature is told so, and never half read."""
    wire, body = signed()
    with pytest.raises((IncompleteSignature, InvalidSignature)):
        check(with_header(wire, b"authorization", text), body)


def test_no_date() -> None:
    """A signature without its date is incomplete."""
    wire, body = signed()
    kept = [(k, v) for k, v in wire.headers if k != b"x-amz-date"]
    with pytest.raises(IncompleteSignature):
        check(replace(wire, headers=kept), body)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=300))
def test_nothing_else_escapes(path: bytes, query: bytes, authorization: bytes) -> None:
    """Whatever a stranger sends ends in a refusal of ours, never in another exception."""
    wire, body = signed()
    wire = replace(wire, path=b"/" + path, query=query)
    with pytest.raises(EdgeError):
        check(with_header(wire, b"authorization", signature_of(wire)[:-1] + b"g"), body)
    with pytest.raises(EdgeError):
        read_signature(authorization, wire, time())
    with pytest.raises(EdgeError):
        check(replace(wire, method="GET"), body)
