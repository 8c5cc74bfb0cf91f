"""csvstat, the guest without an SDK: a plain program on standard input and output."""

import csv
import io
import json
import statistics
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.toolchain import build_guest


@cache
def compiled() -> tuple[wasmtime.Engine, wasmtime.Module]:
    """The program, compiled once."""
    engine = wasmtime.Engine()
    return engine, wasmtime.Module(engine, build_guest("csvstat").read_bytes())


def run(folder: Path, stdin: bytes, **variables: str) -> str:
    """One run as a CGI program; returns its standard output. An exit code but 0 raises."""
    engine, module = compiled()
    (folder / "in").write_bytes(stdin)
    wasi = wasmtime.WasiConfig()
    wasi.env = {"REQUEST_METHOD": "POST", **variables}.items()
    wasi.stdin_file = str(folder / "in")
    wasi.stdout_file = str(folder / "out")
    store = wasmtime.Store(engine)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    start: Any = linker.instantiate(store, module).exports(store)["_start"]
    start(store)
    return (folder / "out").read_text()


def test_columns(tmp_path: Path) -> None:
    """Numbers get moments, words a length; empty fields are missing and quotes are read."""
    table = b'city,people,"a ""b"", c"\r\nOslo,700,x\r\n"New\nYork",8000,\r\n\r\nRome,,yz\n'
    answer = json.loads(run(tmp_path, table))
    assert (answer["rows"], answer["raggedRows"]) == (3, 0)
    city, people, quoted = answer["columns"]
    assert city.pop("longestBytes") == 8
    assert city == {"name": "city", "type": "text", "values": 3, "missing": 0}
    assert (people["type"], people["missing"], people["mean"]) == ("number", 1, 4350)
    assert (quoted["name"], quoted["longestBytes"]) == ('a "b", c', 2)


def test_query_options(tmp_path: Path) -> None:
    """The delimiter and the header come from QUERY_STRING, tabs from the content type too."""
    answer = json.loads(run(tmp_path, b"1;2\n3;4;5", QUERY_STRING="a=b&delimiter=%3B&header=no"))
    assert [column["name"] for column in answer["columns"]] == ["column1", "column2", "column3"]
    assert (answer["rows"], answer["raggedRows"]) == (2, 1)
    tabs = json.loads(run(tmp_path, b"a\tb\n1\t2", CONTENT_TYPE="text/tab-separated-values"))
    assert len(tabs["columns"]) == 2


def test_a_get_explains_itself(tmp_path: Path) -> None:
    """Without a table there is a usage line, and no failure."""
    assert "POST a CSV file" in run(tmp_path, b"", REQUEST_METHOD="GET")


@pytest.mark.parametrize(
    "table", [b"", b"\n\n", b'"', b"," * 5000 + b"\n" + b"," * 5000, b"x" * 100_000, b"\xff\0,\n"]
)
def test_odd_tables(tmp_path: Path, table: bytes) -> None:
    """Empty, endless, unclosed and binary tables are answered with JSON."""
    assert len(json.loads(run(tmp_path, table))["columns"]) <= 1024


def test_latin_1_headers(tmp_path: Path) -> None:
    """Names that are not UTF-8 still make JSON: they are read as Latin-1."""
    answer = json.loads(run(tmp_path, "Größe,Länge\n".encode("latin-1") + b"1,2\n"))
    assert [column["name"] for column in answer["columns"]] == ["Größe", "Länge"]
    answer = json.loads(run(tmp_path, "Größe,長さ\n1,2\n".encode()))
    assert [column["name"] for column in answer["columns"]] == ["Größe", "長さ"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-(10**9), 10**9), st.text('ab",;\n ', min_size=1)), min_size=2)
)
def test_moments_agree_with_the_standard_library(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]]
) -> None:
    """Any table that Python's csv module writes is read back, and its numbers add up."""
    text = io.StringIO()
    csv.writer(text).writerows([("number", "text"), *rows])
    answer = json.loads(run(tmp_path_factory.mktemp("csv"), text.getvalue().encode()))
    numbers = [number for number, _ in rows]
    column, words = answer["columns"]
    assert answer["rows"] == len(rows)
    assert (column["min"], column["max"]) == (min(numbers), max(numbers))
    assert column["mean"] == pytest.approx(statistics.mean(numbers), abs=1e-3)
    assert column["deviation"] == pytest.approx(statistics.stdev(numbers), rel=1e-6, abs=1e-3)
    assert words["longestBytes"] == max(len(word) for _, word in rows)
