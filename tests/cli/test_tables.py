"""Tables are read as they are written, or refused with the line that is wrong."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_ddcl.cli.columns import features_of, labels_of
from sklearn_ddcl.cli.messages import CommandError
from sklearn_ddcl.cli.tables import read_table


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a table and returns its path."""
    monkeypatch.chdir(tmp_path)

    def write_table(content):
        content = content if isinstance(content, bytes) else content.encode()
        Path("t.csv").write_bytes(content)
        return "t.csv"

    return write_table


def test_cells_come_as_text_with_their_lines(write):
    table = read_table(write('a,b\n1,"x,y"\n\n 2 ,"two\nlines"\n,007\n'))

    assert table.cells["a"].tolist()[:2] == ["1", " 2 "]
    assert pd.isna(table.cells["a"][2])
    assert table.cells["b"].tolist() == ["x,y", "two\nlines", "007"]
    assert table.lines == [2, 5, 6]


def test_a_byte_order_mark_is_no_part_of_the_first_name(write):
    assert list(read_table(write("\ufeffa,b\n1,2\n")).cells) == ["a", "b"]


def test_columns_without_a_name_are_left_out_with_a_note(write, capsys):
    table = read_table(write(",a,\n0,5,x\n1,6,y\n"))

    assert list(table.cells) == ["a"]
    assert "note: left out 2 columns without a name" in capsys.readouterr().err


def test_names_are_taken_as_they_are(write):
    # Spaces are kept, and a name that looks like pandas' own is no clash.
    assert list(read_table(write("a, a,a.1\n1,2,3\n")).cells) == ["a", " a", "a.1"]


BAD = {
    "": "t.csv is empty; expected a header and rows",
    "\n\n": "t.csv is empty",
    ",,\n1,2,3\n": "t.csv is empty",
    "a,b\n": "t.csv has a header but no rows",
    "a,b\n1,2\n3\n": "line 3: expected 2 fields as in the header, got 1",
    "a,b\n1,2\n\n3,4,5\n": "line 4: expected 2 fields as in the header, got 3",
    # As many fields too many in every row: not a row index, as pandas would have it.
    "a,b\n1,2,3\n4,5,6\n": "line 2: expected 2 fields as in the header, got 3",
    'a,b\n1,"2\n3,4\n': "line 3: unexpected end of data",
    "a,b,a,c,b\n1,2,3,4,5\n": r"not unique: \['a', 'b'\]",
    "a;b\n1;2\n": "seems to be separated by ';'; expected commas",
    "a\tb\n1\t2\n": r"seems to be separated by '\\t'; expected commas",
    b"a,b\n\xff,2\n": r"is not text in UTF-8 \(byte 4\)",
    b"\x1f\x8b\x08broken": "t.csv cannot be read",
    gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9]: "t.csv cannot be read",
    "a\n1\n  \n": "has rows of nothing but blanks; remove them",
}


@pytest.mark.parametrize("content", BAD, ids=lambda content: repr(content)[:30])
def test_a_bad_table_is_refused_with_the_reason(write, content):
    with pytest.raises(CommandError, match=BAD[content]):
        read_table(write(content))


def test_a_missing_table_is_named(write):
    with pytest.raises(CommandError, match=r"nowhere\.csv does not exist; expected a"):
        read_table("nowhere.csv")


def test_a_folder_is_no_table(write):
    Path("folder").mkdir()

    with pytest.raises(CommandError, match="folder is a folder; expected a CSV file"):
        read_table("folder")


def features(path, left_out=("y",), categorical=()):
    return features_of(read_table(path), left_out, categorical)


def test_a_column_holds_numbers_if_every_cell_does(write):
    X = features(write("a,b,c,d,y\n1,1,x,,0\n-2e3,,1,,0\nnan,3.5,2,,0\n"))

    assert X["a"].tolist()[:2] == [1.0, -2000.0]
    assert X["b"].tolist()[::2] == [1.0, 3.5]
    assert X.dtypes.tolist() == [np.float64, np.float64, object, object]
    assert X["c"].tolist() == ["x", "1", "2"]
    # Nothing is known of a column without any value; text takes whatever comes later.
    assert X["d"].tolist() == [None, None, None]


def test_a_column_spoiled_by_few_cells_is_reported(write, capsys):
    rows = "".join(f"{i},0\n" for i in range(20))

    X = features(write(f"a,y\n{rows}?,0\n"))

    assert X["a"].dtype == object
    said = capsys.readouterr().err
    assert "column 'a' is taken as text, because of '?' in line 22" in said


def test_a_mixed_column_is_text_without_a_remark(write, capsys):
    assert features(write("a,y\n1,0\nx,0\n"))["a"].tolist() == ["1", "x"]
    assert capsys.readouterr().err == ""


def test_categorical_numbers_keep_their_spelling(write):
    X = features(write("a,y\n007,0\n7,0\n,0\n"), categorical=["a"])

    assert X["a"].tolist() == ["007", "7", None]


def test_lines_follow_the_rows_that_have_a_label(write):
    table, y = labels_of(read_table(write("a,y\n1,p\n2,\n3,q\n4,NA\n5,p\n")), "y")

    assert y.tolist() == ["p", "q", "p"]
    assert table.cells["a"].tolist() == ["1", "3", "5"]
    assert table.lines == [2, 4, 6]
