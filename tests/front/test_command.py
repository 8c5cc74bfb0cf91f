"""What a command wrote, as a response."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.front.answers import Answer
from edge.front.command import command_response

TEXT = (b"content-type", b"text/plain; charset=utf-8")
BYTES = (b"content-type", b"application/octet-stream")


@pytest.mark.parametrize("stdout", [b"", b"hello\n", "é".encode(), b"X-Other: 1\n\nbody"])
def test_text_is_the_body(stdout: bytes) -> None:
    """A program that only prints needs to know nothing of HTTP."""
    assert command_response(stdout) == Answer(200, [TEXT], stdout)


def test_bytes_are_the_body() -> None:
    """Output that is no UTF-8 is not called text."""
    assert command_response(b"\x89PNG\xff") == Answer(200, [BYTES], b"\x89PNG\xff")


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_cgi_response_is_read(newline: bytes) -> None:
    """Status, fields and body, whichever line ends the program writes."""
    lines = (b"Status: 404 Not Found", b"Content-Type: text/html", b"Set-Cookie: a=1", b"", b"<p>")
    assert command_response(newline.join(lines)) == Answer(
        404, [(b"content-type", b"text/html"), (b"set-cookie", b"a=1")], b"<p>"
    )


def test_cgi_defaults() -> None:
    """A status alone leaves the type to be guessed; a type alone means 200."""
    assert command_response(b"STATUS: 201\n\nok") == Answer(201, [TEXT], b"ok")
    assert command_response(b"content-type: image/png\n\n\xff").status == 200


def test_cgi_cannot_set_what_is_not_its_own() -> None:
    """The length and edge's own fields are dropped here too."""
    answer = command_response(b"Status: 200\nContent-Length: 9\nX-Edge-Fuel: 0\n\nok")
    assert answer == Answer(200, [TEXT], b"ok")


@pytest.mark.parametrize(
    "stdout",
    [
        b"Status: fine",
        b"Status: fine\n\nthank you",
        b"Status:\n\n",
        b"Status: 100\n\n",
        b"Status: 200\nno field here\n\nbody",
        b"Content-Type: text/html\nX: \x00\n\n",
        b"Content-Type: text/html",
        b"Status: 200\n" + b"X: y\n" * 20_000 + b"\n",
    ],
)
def test_text_that_looks_like_cgi_is_still_text(stdout: bytes) -> None:
    """A report that begins with the word Status is not lost."""
    assert command_response(stdout) == Answer(200, [TEXT], stdout)


@given(st.sampled_from([b"", b"Status: ", b"Content-Type: "]), st.binary(max_size=60))
def test_every_output_has_a_response(start: bytes, rest: bytes) -> None:
    """No output is an error."""
    answer = command_response(start + rest)
    assert 200 <= answer.status <= 599
    assert (start + rest).endswith(answer.body)
