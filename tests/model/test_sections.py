"""Custom sections: what was added is read back, and nothing else is ever taken for it."""

from hypothesis import given
from hypothesis import strategies as st

from edge.model.sections import add_section, read_section

COMPONENT = b"\0asm\x0d\0\1\0" + b"\x01\x04core"


@given(st.binary(max_size=300), st.text(max_size=200))
def test_what_was_added_is_read(content: bytes, name: str) -> None:
    """Of any length, beside another; the code behind is as it was."""
    first = add_section(COMPONENT, name, content)
    both = add_section(first, f"{name}!", b"other")
    assert read_section(both, name) == content
    assert read_section(both, f"{name}?") is None
    assert first.startswith(COMPONENT[:8])
    assert first.endswith(COMPONENT[8:])


@given(st.binary(max_size=60))
def test_what_is_no_section_is_none(damaged: bytes) -> None:
    """Whatever stands there, reading ends."""
    found = read_section(COMPONENT[:8] + b"\0" + damaged, "edge:warnings")
    assert found is None or found in damaged
