"""Heads that repeat are read once; what was kept is what reading says, and is bounded."""

import pytest

from edge.config import DoorSettings
from edge.front.door.head import KEPT_BYTES_MAX, Heads
from edge.front.door.refusals import Refusal

GET = b"GET /hello?a=1 HTTP/1.1\r\nHost: a.example\r\n\r\n"


def test_the_same_bytes_are_the_same_head() -> None:
    """A head that repeats costs one look-up, and one that differs in a byte is another."""
    heads = Heads(DoorSettings())
    head = heads.read(GET)
    assert heads.read(bytes(bytearray(GET))) is head
    other = heads.read(GET.replace(b"a=1", b"a=2"))
    assert (head.raw_query, other.raw_query) == (b"a=1", b"a=2")


def test_a_refused_head_is_refused_each_time() -> None:
    """What is refused is not kept."""
    heads = Heads(DoorSettings())
    for _ in range(2):
        with pytest.raises(Refusal):
            heads.read(b"GET / HTTP/1.1\r\n\r\n")


def test_few_and_short_heads_are_kept() -> None:
    """However many different heads peers send, a bounded number is kept, no long one and none that
    is signed: it comes once."""
    heads = Heads(DoorSettings(heads_kept_max=4))
    for number in range(50):
        heads.read(GET.replace(b"a=1", b"a=%d" % number))
        assert len(heads) <= 4
    long = GET.replace(b"a=1", b"a=" + b"1" * KEPT_BYTES_MAX)
    assert heads.read(long) is not heads.read(long)
    signed = GET.replace(b"Host", b"X-Amz-Date: 20301128T000000Z\r\nHost")
    assert heads.read(signed) is not heads.read(signed)
