"""Segment files: whole items or none, whatever happens to the process, the disk or the bytes."""

import os
import resource
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model.errors import StorageFailure
from edge.storage.segments import (
    ITEM_BYTES_MAX,
    Page,
    Segment,
    SegmentWriter,
    Tail,
    delete_segment,
    list_segments,
    read_page,
    segment_path,
    sync_segment,
)


def write(directory: Path, *items: object, segment_bytes_max: int = 10_000) -> SegmentWriter:
    """A writer that has appended these items."""
    writer = SegmentWriter(directory, "w0", segment_bytes_max=segment_bytes_max)
    for item in items:
        writer.append(cbor2.dumps(item))
    return writer


def read(segment: Segment, offset: int = 0) -> Page[object]:
    """A page of plain items."""
    return read_page(segment, offset, lambda item: item)


def read_all(directory: Path) -> list[object]:
    """Every item, segment after segment."""
    return [item for segment in list_segments(directory) for item in read(segment).items]


def test_items_come_back_with_their_ends(tmp_path: Path) -> None:
    """A reader can go on behind any item."""
    write(tmp_path, "a", [1, 2], {"k": 3})
    (segment,) = list_segments(tmp_path)
    page = read(segment)
    assert page.items == ("a", [1, 2], {"k": 3})
    assert page.tail is Tail.END
    assert page.unread_bytes == 0
    for index, end in enumerate(page.ends):
        assert read(segment, end).items == page.items[index + 1 :]


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    """No segment exceeds its bound, and none is empty or out of order."""
    write(tmp_path, *range(1_000, 1_100), segment_bytes_max=32)
    segments = list_segments(tmp_path)
    assert [segment.sequence for segment in segments] == list(range(1, 11))
    assert all(0 < segment.path.stat().st_size <= 32 for segment in segments)
    assert read_all(tmp_path) == list(range(1_000, 1_100))


def test_append_tells_when_a_segment_begins(tmp_path: Path) -> None:
    """Who bounds the number of segments looks only then."""
    writer = SegmentWriter(tmp_path, "w0", segment_bytes_max=4)
    assert [writer.append(b"\x01") for _ in range(6)] == [True, False, False, False, True, False]


def test_a_segment_that_a_full_disk_left_empty_is_told_of_with_its_first_item(
    tmp_path: Path,
) -> None:
    """The file was made and could not be grown: whoever counts segments counts this one, too."""
    writer = SegmentWriter(tmp_path, "w0", segment_bytes_max=4)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(StorageFailure):
            writer.append(b"\x01")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [writer.append(b"\x01") for _ in range(2)] == [True, False]


def test_an_item_over_a_segment_s_bound_has_one_of_its_own(tmp_path: Path) -> None:
    """A small bound makes more segments, not failures."""
    write(tmp_path, "x" * 50, "y" * 50, segment_bytes_max=10)
    assert len(list_segments(tmp_path)) == 2
    assert read_all(tmp_path) == ["x" * 50, "y" * 50]


def test_an_item_no_reader_could_take_is_refused(tmp_path: Path) -> None:
    """Items are bounded, and the largest one allowed is readable."""
    writer = write(tmp_path, segment_bytes_max=4 * ITEM_BYTES_MAX)
    largest = cbor2.dumps(bytes(ITEM_BYTES_MAX - 5))
    assert len(largest) == ITEM_BYTES_MAX
    writer.append(largest)
    with pytest.raises(StorageFailure):
        writer.append(largest + b"\0")
    (segment,) = list_segments(tmp_path)
    page = read(segment)
    assert (len(page.items), page.tail) == (1, Tail.END)


def test_a_restarted_worker_begins_a_new_segment(tmp_path: Path) -> None:
    """What another process left half-written is never appended to."""
    write(tmp_path, 1).close()
    write(tmp_path, 2)
    assert [segment.name for segment in list_segments(tmp_path)] == [
        "w0-00000001.cbor",
        "w0-00000002.cbor",
    ]


def test_sequence_numbers_go_on_behind_deleted_segments(tmp_path: Path) -> None:
    """A name is not used twice, as long as the newest segment stays."""
    writer = write(tmp_path, *range(10), segment_bytes_max=2)
    for segment in list_segments(tmp_path)[:-1]:
        delete_segment(segment)
    writer.close()
    write(tmp_path, "next")
    assert [segment.sequence for segment in list_segments(tmp_path)] == [5, 6]


def test_two_processes_as_one_worker_are_refused(tmp_path: Path) -> None:
    """A segment has one writer; a second one is told so instead of mixing in."""
    first = SegmentWriter(tmp_path, "w0", segment_bytes_max=100)
    second = SegmentWriter(tmp_path, "w0", segment_bytes_max=100)
    first.append(b"\x01")
    with pytest.raises(StorageFailure, match="twice"):
        second.append(b"\x02")
    assert read_all(tmp_path) == [1]


@pytest.mark.parametrize("worker", ["", "a-b", "a/b", "..", "x" * 33])
def test_a_worker_s_name_is_safe_in_a_file_name(tmp_path: Path, worker: str) -> None:
    """A name that could be mistaken in a path or a segment's name is a programming error."""
    with pytest.raises(ValueError, match="worker"):
        SegmentWriter(tmp_path, worker, segment_bytes_max=100)


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    """Only files of the right name are listed, and a directory that is not there has none."""
    write(tmp_path, 1)
    for name in ("w0.cbor", "w0-1.cbor", "w0-00000002.cbor.bak", "notes"):
        (tmp_path / name).write_text("x")
    assert [segment.sequence for segment in list_segments(tmp_path)] == [1]
    assert list_segments(tmp_path / "nowhere") == ()


def test_a_torn_item_is_told_from_damage(tmp_path: Path) -> None:
    """An item without its end may still get it; bytes that are no item never will."""
    write(tmp_path, "whole").close()
    (segment,) = list_segments(tmp_path)
    sound = segment.path.read_bytes()
    segment.path.write_bytes(sound + cbor2.dumps("a second one")[:4])
    assert (read(segment).tail, read(segment).unread_bytes) == (Tail.TORN, 4)
    segment.path.write_bytes(sound + b"\xff" + sound)
    assert (read(segment).tail, read(segment).unread_bytes) == (Tail.DAMAGED, 7)
    assert read(segment).items == ("whole",)


def test_a_length_no_item_has_is_damage(tmp_path: Path) -> None:
    """A damaged length is not waited for for ever."""
    write(tmp_path, "whole").close()
    (segment,) = list_segments(tmp_path)
    with segment.path.open("ab") as file:
        file.write(b"\x5b\x00\x00\x00\x01\x00\x00\x00\x00" + bytes(2 * ITEM_BYTES_MAX))
    assert read(segment, read(segment).end).tail is Tail.DAMAGED


def test_an_item_the_reader_does_not_know_is_damage(tmp_path: Path) -> None:
    """What a decoder refuses ends the page before it."""
    write(tmp_path, 1, 2, "three", 4)
    (segment,) = list_segments(tmp_path)

    def number(item: object) -> int:
        if not isinstance(item, int):
            raise ValueError("not a number")
        return item

    page = read_page(segment, 0, number)
    assert (page.items, page.tail) == ((1, 2), Tail.DAMAGED)


def test_pages_are_bounded_and_lose_nothing(tmp_path: Path) -> None:
    """A segment larger than a page is read in several, each of whole items."""
    items = [f"{number:05d}" + "x" * 3_000 for number in range(1_000)]
    write(tmp_path, *items, segment_bytes_max=2**30).close()
    (segment,) = list_segments(tmp_path)
    found: list[object] = []
    offset, pages = 0, 0
    while True:
        page = read(segment, offset)
        found += page.items
        pages += 1
        offset = page.end
        if page.tail is not Tail.MORE:
            break
    assert found == items
    assert pages == 3


def test_a_segment_that_is_gone_is_empty(tmp_path: Path) -> None:
    """Deleting under a reader's feet is no failure; nor is deleting twice, nor syncing."""
    gone = Segment("w0", 1, segment_path(tmp_path, "w0", 1))
    delete_segment(gone)
    sync_segment(gone)
    assert read(gone, 10) == Page((), (), 10, Tail.END, 0)


def test_an_offset_behind_the_end_finds_nothing(tmp_path: Path) -> None:
    """A position from before a power cut shortened the file is no failure."""
    write(tmp_path, 1)
    (segment,) = list_segments(tmp_path)
    assert read(segment, 99) == Page((), (), 99, Tail.END, 0)


@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
def test_no_bytes_make_a_reader_fail(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int
) -> None:
    """Whatever lies in a file and wherever reading begins, the answer is a page."""
    path = segment_path(tmp_path_factory.mktemp("bytes"), "w0", 1)
    path.write_bytes(data)
    page = read(Segment("w0", 1, path), cut)
    assert page.end + page.unread_bytes == max(cut, len(data))


@given(items=st.lists(st.text(max_size=20), min_size=1, max_size=8), data=st.data())
def test_cut_anywhere_the_whole_items_remain(
    tmp_path_factory: pytest.TempPathFactory, items: list[str], data: st.DataObject
) -> None:
    """A file that ends at any byte gives back every item that is whole, and no other."""
    directory = tmp_path_factory.mktemp("cut")
    write(directory, *items).close()
    (segment,) = list_segments(directory)
    ends = read(segment).ends
    cut = data.draw(st.integers(0, ends[-1]))
    os.truncate(segment.path, cut)
    page = read(segment)
    whole = sum(end <= cut for end in ends)
    assert page.items == tuple(items[:whole])
    assert page.tail is (Tail.END if cut in (0, *ends) else Tail.TORN)
