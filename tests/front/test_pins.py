"""How a request says which of an alias's versions it wants."""

import pytest

from edge.front.pins import pin_of


@pytest.mark.parametrize(
    ("fields", "pin"),
    [
        ([], ""),
        ([(b"x-edge-version", b"2")], "2"),
        ([(b"x-edge-version", b" 2 ")], "2"),
        ([(b"cookie", b"a=1; edge-version=3; b=2")], "3"),
        ([(b"cookie", b"edge-version=3"), (b"x-edge-version", b"2")], "2"),
        ([(b"cookie", b"not-edge-version=3")], ""),
        ([(b"x-edge-version", b"$LATEST")], ""),
        ([(b"x-edge-version", b"\xb2")], ""),
        ([(b"x-edge-version", b"1" * 10)], ""),
    ],
)
def test_pins(fields: list[tuple[bytes, bytes]], pin: str) -> None:
    """Header before cookie; whatever is no version's number is nothing."""
    assert pin_of(fields) == pin
