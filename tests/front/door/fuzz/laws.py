"""The laws that hold of every stream of bytes.

- However it is split, it is read in one way, and so beside another connection's bytes.
- What the door takes for a message h11 takes for the same one, byte for byte.
- Each message has one answer; nothing behind a refused one is read.

Neighbours: `messages.py`, `readings.py`; `test_fuzz.py` and `__main__.py` run them.
"""

from collections import Counter
from itertools import zip_longest

from tests.front.door.fuzz.messages import Messages
from tests.front.door.fuzz.readings import (
    DoorReader,
    Message,
    Reading,
    read_with_door,
    read_with_h11,
)

Field = tuple[bytes, bytes]


def run(count: int, seed: int) -> Counter[str]:
    """Check the laws on `count` streams; how often what became of them.

    Raises AssertionError with the stream that breaks one.
    """
    messages, tally = Messages(seed), Counter[str]()
    before, before_reading = b"", Reading()
    for _ in range(count):
        data = messages.stream()
        reading = read_with_door([data])
        pieces = messages.splits(data)
        try:
            assert read_with_door(pieces) == reading, "two readings by two splits"
            _check_beside(
                pieces, reading, messages.splits(before) if before else [], before_reading
            )
            tally[_compare(reading, read_with_h11(data))] += 1
        except AssertionError as error:
            raise AssertionError(f"{error}\n{data!r}\nsplit {pieces!r}\n{reading}") from error
        tally["messages"] += len(reading.messages)
        before, before_reading = data, reading
    return tally


def _check_beside(
    pieces: list[bytes], reading: Reading, other_pieces: list[bytes], other_reading: Reading
) -> None:
    """Two connections, fed in turns, read what each would have read alone."""
    one, other = DoorReader(), DoorReader()
    for piece, other_piece in zip_longest(pieces, other_pieces):
        if piece is not None:
            one.feed(piece)
        if other_piece is not None:
            other.feed(other_piece)
    assert one.reading() == reading, "another connection changed the reading"
    assert other.reading() == other_reading, "this connection changed another's reading"


def _compare(ours: Reading, theirs: Reading) -> str:
    """Which case it is; raises AssertionError when the door read what h11 did not."""
    for index, message in enumerate(ours.messages):
        assert index < len(theirs.messages), f"h11 has no message {index}"
        assert _is_same(message, theirs.messages[index]), f"h11 has {theirs.messages[index]}"
    if ours.handed_over:
        return "handed over"
    if ours.refused:
        return "refused by both" if theirs.refused else "refused by the door only"
    if ours.closed:
        return "closed by the door"
    assert not theirs.refused, "h11 refuses what the door goes on with"
    assert len(theirs.messages) == len(ours.messages), "h11 has more messages"
    return "read by both"


def _is_same(ours: Message, theirs: Message) -> bool:
    if (ours.method, ours.body) != (theirs.method, theirs.body):
        return False
    if not theirs.target.startswith(b"/"):  # the door has made a path and a host of it
        return theirs.target.endswith(ours.target) or ours.target == b"/"
    path, _, query = theirs.target.partition(b"?")  # the door parts them: an empty query is none
    target = path + b"?" + query if query else path
    return (ours.target, _lowered(ours.fields)) == (target, theirs.fields)


def _lowered(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Codings in lower case, as h11 gives them."""
    return tuple(
        (name, value.lower() if name == b"transfer-encoding" else value) for name, value in fields
    )
