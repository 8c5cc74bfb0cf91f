"""What people read: sizes, tables, and text that cannot drive their terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.output import milliseconds, print_table, printable, size


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (12_595, "12.3 KiB"),
        (8 << 20, "8.0 MiB"),
        (3 << 40, "3072.0 GiB"),
    ],
)
def test_sizes_are_short(size_bytes: int, text: str) -> None:
    """Each unit begins where the one before it ends."""
    assert size(size_bytes) == text


@pytest.mark.parametrize(
    ("duration_ms", "text"), [(1, "1 ms"), (1_500, "1500 ms"), (3_000, "3 s"), (900_000, "900 s")]
)
def test_durations_are_exact(duration_ms: int, text: str) -> None:
    """A limit is shown as it is, never rounded."""
    assert milliseconds(duration_ms) == text


def test_a_table_aligns_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Texts to the left, numbers to the right, nothing after the last column."""
    print_table(("NAME", "N", "LAST"), [("a", "1,000", "x"), ("longer", "2", "")], right={1})
    assert capsys.readouterr().out.split("\n") == [
        "NAME        N  LAST",
        "a       1,000  x",
        "longer      2",
        "",
    ]


@given(st.text())
def test_no_control_character_of_a_guest_reaches_the_terminal(text: str) -> None:
    """A guest's log cannot clear the screen or forge a line."""
    shown = printable(text)
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert not set(shown) & (set(map(chr, range(32))) - {"\t"})
