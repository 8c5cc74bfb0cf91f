"""Prints the table of languages × cases after the tests of this folder ran."""

from collections.abc import Iterator

import pytest

_PAIR = "language and case"
_CELLS: pytest.StashKey[dict[tuple[str, str], str]] = pytest.StashKey()
_MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Name the pair in the report, which reaches the process that prints from those that test."""
    report: pytest.TestReport = yield  # type: ignore[misc]
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if {"language", "case"} <= set(parameters):
        pair = (parameters["language"].title, parameters["case"].__name__)
        report.user_properties.append((_PAIR, pair))
    return report  # type: ignore[return-value]


class _Collector:
    """Keeps the outcome of each pair; a skip happens in setup or in the call."""

    def __init__(self, config: pytest.Config) -> None:
        self._cells = config.stash.setdefault(_CELLS, {})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep one report's pair, if it has one."""
        pair = dict(report.user_properties).get(_PAIR)
        if pair is not None and (report.when == "call" or not report.passed):
            language, case = pair  # type: ignore[misc]
            self._cells[str(language), str(case)] = _MARKS[report.outcome]


def pytest_configure(config: pytest.Config) -> None:
    """Collect, in the process that prints the table too."""
    config.pluginmanager.register(_Collector(config))


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
