"""Where each key of a TOML text stands, which is what tomllib does not tell.

Neighbours: `manifest.py` names these lines in its errors.
Invariant: it is given only text that tomllib has parsed, so it finds its way and checks nothing.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)


def key_lines(text: str) -> Mapping[KeyPath, int]:
    """The line, counted from 1, on which each key of `text` first appears.

    A key's path holds the names from the root down; elements of arrays stand in it as numbers:
    `[[function.hello.route]]` is `("function", "hello", "route", 0)`.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    """A cursor over valid TOML that notes a line for every key it passes."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._counted_to = 0
        self._elements: dict[KeyPath, int] = {}

    def document(self) -> None:
        """Scan the whole text."""
        table: KeyPath = ()
        while self._skip(_BLANK):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        line = self._current_line()
        is_element = self._text.startswith("[[", self._at)
        self._at += 2 if is_element else 1
        *parents, last = self._key()
        self._at += 2 if is_element else 1
        path: KeyPath = ()
        for name in parents:
            path = self._latest_element((*path, name))
            self._note(path, line)
        path = (*path, last)
        self._note(path, line)
        if not is_element:
            return self._latest_element(path)
        self._elements[path] = self._elements.get(path, -1) + 1
        path = self._latest_element(path)
        self._note(path, line)
        return path

    def _latest_element(self, path: KeyPath) -> KeyPath:
        """`path`, or its last element where it is an array of tables."""
        return (*path, self._elements[path]) if path in self._elements else path

    def _pair(self, table: KeyPath) -> None:
        line = self._current_line()
        path = table
        for name in self._key():
            path = (*path, name)
            self._note(path, line)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            quoted = self._text[self._at] in "\"'"
            name = self._take(_STRING if quoted else _BARE_KEY)
            names.append(tomllib.loads(f"k = {name}")["k"] if quoted else name)
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return names
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        opening = self._text[self._at]
        if opening in "\"'":
            self._take(_STRING)
        elif opening == "[":
            self._items("]", path)
        elif opening == "{":
            self._items("}", path)
        else:
            self._take(_BARE_VALUE)

    def _items(self, closing: str, path: KeyPath) -> None:
        """An array (`]`) or an inline table (`}`), from its opening to past its closing."""
        self._at += 1
        index = 0
        while self._skip(_BLANK) and self._text[self._at] != closing:
            if closing == "}":
                self._pair(path)
            else:
                self._note((*path, index), self._current_line())
                self._value((*path, index))
                index += 1
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Pass what matches; whether text is left."""
        self._take(pattern)
        return self._at < len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        assert match is not None, "tomllib let through what this scanner cannot read"
        self._at = match.end()
        return match.group()

    def _note(self, path: KeyPath, line: int) -> None:
        self.lines.setdefault(path, line)

    def _current_line(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line
