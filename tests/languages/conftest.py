"""Prints the table of languages × cases after the tests of this folder ran."""

from collections.abc import Iterator

import pytest

Cells = dict[tuple[str, str], str]
_CELLS = pytest.StashKey[Cells]()
_MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep the outcome of each pair; a skip happens in setup or in the call."""
    report: pytest.TestReport = yield  # type: ignore[misc]
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if {"language", "case"} <= set(parameters) and (report.when == "call" or not report.passed):
        pair = (parameters["language"].name, parameters["case"].__name__)
        item.config.stash.setdefault(_CELLS, {})[pair] = _MARKS[report.outcome]
    return report  # type: ignore[return-value]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """One line per case, one column per language."""
    cells = config.stash.get(_CELLS, {})
    if not cells:
        return
    languages = list(dict.fromkeys(language for language, _ in cells))
    cases = list(dict.fromkeys(case for _, case in cells))
    width = max(map(len, cases))
    terminalreporter.section("languages: ✓ passed, ✗ failed, – excused or without a compiler")
    terminalreporter.write_line(" " * width + "  " + "  ".join(languages))
    for case in cases:
        marks = (cells.get((name, case), " ").center(len(name)) for name in languages)
        terminalreporter.write_line(f"{case:<{width}}  " + "  ".join(marks))
