"""The scanner that finds lines agrees with tomllib about which keys there are."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.toml_lines import KeyPath, key_lines

_BARE = st.text("abcXYZ019_-", min_size=1, max_size=6)
_ANY_KEY = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(".\"'#=[]{}, \\"), max_size=6
)
_SCALARS = st.sampled_from(
    [
        "1",
        "-3.5e7",
        "true",
        "1979-05-27 07:32:00",
        '"a # [b] = {c}, \\" \\\\"',
        "'literal \\ # \" = ]'",
        '""',
        '"""\nline = 1\n[not.a.table]\n\\""" \\\n  "quotes"""""',
        "'''\nx = 2 \"\"\" # ''\n'''",
        '[ # comment ]\n  1,\n  "]", # , {\n]',
        '[ [1], ["a = 3"], [], { b.c = 1, d = "}" } ]',
        "{ }",
        '{ p = 1, q.r = "s" , t = [\n{ u = 1 }] }',
    ]
)


@st.composite
def _documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """A TOML text of unique keys in every style, with the line of each pair and header."""
    lines: dict[KeyPath, int] = {}
    text = ""
    table: KeyPath = ()
    used: set[str] = set()
    for _ in range(draw(st.integers(0, 8))):
        text += draw(st.sampled_from(["", "\n", "# [a]\n", "  \t\r\n", "#=\n\n"]))
        name = draw(_BARE | _ANY_KEY)
        if name in used:
            continue
        used.add(name)
        key = _quoted(draw, name)
        line = text.count("\n") + 1
        style = draw(st.sampled_from(["pair", "dotted", "table", "element"]))
        if style == "pair":
            lines[(*table, name)] = line
            text += f"{key} ={draw(_SCALARS)} # end\n"
        elif style == "dotted":
            lines[(*table, name, "x.y")] = line
            text += f"  {key} . 'x.y' = {draw(_SCALARS)}\n"
        elif style == "table":
            table = (name,)
            lines[table] = line
            text += f"[ {key} ] # table\n"
        else:
            table = (name, "rows", 0)
            lines[table] = line
            text += f"[[{key}.rows]]\n"
    return text, lines


def _quoted(draw: st.DrawFn, name: str) -> str:
    if name and all(c in "abcXYZ019_-" for c in name) and draw(st.booleans()):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _paths(value: object, at: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key and element of a parsed document."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*at, index))


@given(_documents())
def test_every_key_of_any_document_has_its_line(document: tuple[str, dict[KeyPath, int]]) -> None:
    """A refusal can always name a line, and it is the one on which the key stands."""
    text, expected = document
    found = key_lines(text)
    assert set(found) == set(_paths(tomllib.loads(text)))
    assert {path: found[path] for path in expected} == expected


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("[a]\n\n[a.b]\nc = 1", ("a", "b", "c"), 4),
        ("[[a.r]]\nx = 1\n[[a.r]]\nx = 2\n", ("a", "r", 1, "x"), 4),
        ("[[a]]\n[[a.b]]\n[a.b.c]\nd = 1", ("a", 0, "b", 0, "c", "d"), 4),
        ("a = [\n 1,\n 2 ]", ("a", 1), 3),
        ("a = {b = 1,\tc.d = 2}", ("a", "c", "d"), 1),
        ("a = [ {\n# c\n}, {b = '''\n'''}, {c = 1} ]", ("a", 2, "c"), 4),
        ('s = """\n\n"""\r\nt = 1', ("t",), 4),
        ("a = 1 # no newline at the end", ("a",), 1),
    ],
)
def test_lines_of_each_way_to_write_a_key(text: str, path: KeyPath, line: int) -> None:
    """Headers, elements, dotted keys, inline tables and values of many lines are told apart."""
    assert key_lines(text)[path] == line
