"""csvstat, the guest without an SDK: a plain program on standard input and output."""

import csv
import io
import json
import statistics
from collections.abc import Callable
from typing import Any

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.toolchain import build_guest

Run = Callable[..., str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs the program once: takes its input and its variables, returns its standard output.

    An exit status but 0 raises.
    """
    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, build_guest("csvstat").read_bytes())
    folder = tmp_path_factory.mktemp("csvstat")

    def run_once(stdin: bytes, **variables: str) -> str:
        (folder / "in").write_bytes(stdin)
        wasi = wasmtime.WasiConfig()
        wasi.env = variables.items()
        wasi.stdin_file = str(folder / "in")
        wasi.stdout_file = str(folder / "out")
        store = wasmtime.Store(engine)
        store.set_wasi(wasi)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
        start(store)
        return (folder / "out").read_text()

    return run_once


def test_columns(run: Run) -> None:
    """Numbers get moments, words a length; empty fields are missing and quotes are read."""
    table = b'city,people,"a ""b"", c"\r\nOslo,700,x\r\n"New\nYork",8000,\r\n\r\nRome,,yz\n'
    answer = json.loads(run(table))
    assert (answer["rows"], answer["raggedRows"]) == (3, 0)
    city, people, quoted = answer["columns"]
    assert city.pop("longestBytes") == 8
    assert city == {"name": "city", "type": "text", "values": 3, "missing": 0}
    assert (people["type"], people["missing"], people["mean"]) == ("number", 1, 4350)
    assert (quoted["name"], quoted["longestBytes"]) == ('a "b", c', 2)


def test_query_options(run: Run) -> None:
    """The delimiter and the header come from QUERY_STRING, tabs from the content type too."""
    answer = json.loads(run(b"1;2\n3;4;5", QUERY_STRING="a=b&delimiter=%3B&header=no"))
    assert [column["name"] for column in answer["columns"]] == ["column1", "column2", "column3"]
    assert (answer["rows"], answer["raggedRows"]) == (2, 1)
    tabs = json.loads(run(b"a\tb\n1\t2", CONTENT_TYPE="text/tab-separated-values"))
    assert len(tabs["columns"]) == 2


def test_answers_as_cgi(run: Run) -> None:
    """Behind HTTP the answer has a header; a method without a table is told what to do."""
    header, _, body = run(b"a\n1\n", REQUEST_METHOD="POST").partition("\n\n")
    assert header == "Content-Type: application/json"
    assert json.loads(body)["rows"] == 1
    assert run(b"", REQUEST_METHOD="GET").startswith("Status: 405\n")


@pytest.mark.parametrize(
    "table", [b"", b"\n\n", b'"', b"," * 5000 + b"\n" + b"," * 5000, b"x" * 100_000, b"\xff\0,\n"]
)
def test_odd_tables(run: Run, table: bytes) -> None:
    """Empty, endless, unclosed and binary tables are answered with JSON."""
    assert len(json.loads(run(table))["columns"]) <= 1024


def test_latin_1_headers(run: Run) -> None:
    """Names that are not UTF-8 still make JSON: they are read as Latin-1."""
    answer = json.loads(run("Größe,Länge\n".encode("latin-1") + b"1,2\n"))
    assert [column["name"] for column in answer["columns"]] == ["Größe", "Länge"]
    answer = json.loads(run("Größe,長さ\n1,2\n".encode()))
    assert [column["name"] for column in answer["columns"]] == ["Größe", "長さ"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-(10**9), 10**9), st.text('ab",;\n ', min_size=1)), min_size=2)
)
def test_moments_agree_with_the_standard_library(run: Run, rows: list[tuple[int, str]]) -> None:
    """Any table that Python's csv module writes is read back, and its numbers add up."""
    text = io.StringIO()
    csv.writer(text).writerows([("number", "text"), *rows])
    answer = json.loads(run(text.getvalue().encode()))
    numbers = [number for number, _ in rows]
    column, words = answer["columns"]
    assert answer["rows"] == len(rows)
    assert (column["min"], column["max"]) == (min(numbers), max(numbers))
    assert column["mean"] == pytest.approx(statistics.mean(numbers), abs=1e-3)
    assert column["deviation"] == pytest.approx(statistics.stdev(numbers), rel=1e-6, abs=1e-3)
    assert words["longestBytes"] == max(len(word) for _, word in rows)
