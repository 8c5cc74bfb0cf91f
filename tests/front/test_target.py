"""Which function a path names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.front.target import Target, parse_target, without_authority
from edge.model.errors import EdgeError, InvalidRequest, NotFound


@pytest.mark.parametrize(
    ("raw_path", "target"),
    [
        (b"/hello", ("hello", "$LATEST", b"/")),
        (b"/hello/", ("hello", "$LATEST", b"/")),
        (b"/hello//a/../b", ("hello", "$LATEST", b"//a/../b")),
        (b"/hello:prod/a%2Fb", ("hello", "prod", b"/a%2Fb")),
        (b"/hello:%24LATEST/a", ("hello", "$LATEST", b"/a")),
        (b"/he%6Clo%3A7", ("hello", "7", b"/")),
    ],
)
def test_a_path_names_a_function(raw_path: bytes, target: tuple[str, str, bytes]) -> None:
    """The first segment is the function and its qualifier, decoded; the rest stays as it is."""
    assert parse_target(raw_path) == Target(*target)


@pytest.mark.parametrize("raw_path", [b"/", b"//", b"/favicon.ico", b"/a b", b"/%ff/x", b"/:prod"])
def test_what_cannot_be_a_function_is_not_found(raw_path: bytes) -> None:
    """Strangers' guesses are told that nothing is there, and never what is."""
    with pytest.raises(NotFound, match="no function answers"):
        parse_target(raw_path)


@pytest.mark.parametrize("raw_path", [b"*", b"", b"hello"])
def test_what_is_no_path_is_refused(raw_path: bytes) -> None:
    """A target without a path, as OPTIONS may have, is nobody's."""
    with pytest.raises(InvalidRequest):
        parse_target(raw_path)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/hello", b"/hello"),
        (b"http://a/hello/x", b"/hello/x"),
        (b"HTTP://a:80//hello", b"//hello"),
        (b"http://a", b"/"),
        (b"*", b"*"),
    ],
)
def test_an_absolute_target_is_brought_to_its_path(target: bytes, path: bytes) -> None:
    """A client that takes this host for its proxy still reaches the function."""
    assert without_authority(target) == path


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(raw_path: bytes) -> None:
    """No path raises anything but a platform error, and none loses its tail."""
    try:
        target = parse_target(b"/" + raw_path)
    except EdgeError:
        return
    assert (b"/" + raw_path).endswith(target.path) or target.path == b"/"
