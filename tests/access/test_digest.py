"""Hashes that go on from kept ones are those of the library."""

import hmac
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from edge.access.digest import Signer, digest_of


@given(st.binary(max_size=200))
def test_digest(data: bytes) -> None:
    """SHA-256, however many were made before."""
    assert digest_of(data) == sha256(data).hexdigest()
    assert digest_of(data) == sha256(data).hexdigest()


@given(st.binary(max_size=64), st.binary(max_size=200), st.binary(max_size=200))
def test_signer(key: bytes, first: bytes, second: bytes) -> None:
    """HMAC-SHA256 of RFC 2104, and nothing of one text gets into the next."""
    signer = Signer(key)
    for text in (first, second, first):
        assert signer.sign(text) == hmac.digest(key, text, "sha256").hex()
