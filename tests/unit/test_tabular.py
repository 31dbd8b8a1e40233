import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from decisions.errors import UnusableFile
from decisions.tabular import Check, Column, names_in, read_rows

COLUMNS = (
    Column("who", "subject", "text"),
    Column("n", "number", "number", filled=False),
    Column("ok", "flag", "flag", filled=False),
    Column("on", "at", "instant", filled=False),
)


@pytest.fixture
def file(tmp_path):
    def written(text, name="rows.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def faults(path, *checks):
    with pytest.raises(UnusableFile) as caught:
        read_rows(path, COLUMNS, checks)
    return [(fault.line, fault.text) for fault in caught.value.faults]


def test_values_are_read_by_their_kind(file):
    path = file("who,n,ok,on\n a ,1.5,yes,2026-11-20\nb,,0,2026-11-20T09:00+01:00\n")

    rows = read_rows(path, COLUMNS).to_pylist()

    assert [(row["line"], row["subject"], row["number"], row["flag"]) for row in rows] == [
        (2, "a", 1.5, True),
        (3, "b", None, False),
    ]
    assert [f"{row['at']:%d %H:%M %z}" for row in rows] == ["20 00:00 +0000", "20 08:00 +0000"]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_separator_is_seen_in_the_first_line(file, mark):
    path = file("\ufeff" + mark.join(["who", "n", "ok", "on"]) + f"\na{mark}1{mark}{mark}\n")

    assert names_in(path) == ("who", "n", "ok", "on")
    assert read_rows(path, COLUMNS)["number"].to_pylist() == [1.0]


def test_parquet_is_read_like_csv(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"who": [1, 2], "n": [0.5, None], "ok": [True, False]}), path)

    rows = read_rows(path, COLUMNS[:3]).to_pylist()

    assert [tuple(row.values()) for row in rows] == [(1, "1", 0.5, True), (2, "2", None, False)]


def test_all_faults_come_at_once_with_the_line_each_row_starts_on(file):
    path = file('who,n,ok,on\n"a\nb",x,maybe,someday\n\n,nan,1,\nc,inf,,\n')

    assert faults(path, Check("SELECT line, subject AS found FROM rows WHERE subject = 'c'",
                              "{found} is not welcome")) == [
        (2, "n is 'x'; write a number such as 1 or 12.50"),
        (2, "ok is 'maybe'; write true or false"),
        (2, "on is 'someday'; write a date like 2026-11-20 or an instant like 2026-11-20T09:00Z"),
        (5, "n is 'nan'; write a number such as 1 or 12.50"),
        (5, "who is empty"),
        (6, "c is not welcome"),
        (6, "n is 'inf'; write a number such as 1 or 12.50"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("who,n,ok\na,1,1\n", [(1, "there is no column 'on'")], id="column-missing"),
        pytest.param("who,n,ok,on\n", [(0, "there is no row in it")], id="no-row"),
        pytest.param("", [(1, "there are none")] * 4, id="empty"),
        pytest.param("who,n,ok,on\na,1\n", [(2, "2 values where the first line names 4 columns")],
                     id="uneven"),
        pytest.param("who,n,ok,on,n\na,1,1,,2\n", [(1, "the column 'n' is there twice")],
                     id="column-twice"),
        pytest.param('who,n,ok,on\n"a,1,,\n', [(0, "it cannot be read as CSV: unexpected end of")],
                     id="quote-left-open"),
    ],
)  # fmt: skip
def test_a_file_of_the_wrong_shape_is_refused(file, text, found):
    seen = faults(file(text))

    assert [line for line, _ in seen] == [line for line, _ in found]
    assert all(said in text for (_, text), (_, said) in zip(seen, found, strict=True))


@pytest.mark.parametrize("name", ["absent.csv", "rows.xlsx"])
def test_a_file_that_is_not_there_or_of_another_kind_is_refused(file, name):
    path = file("PK", "rows.xlsx").with_name(name)

    assert [line for line, _ in faults(path)] == [0]


def test_text_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes("who,n,ok,on\nMüller,1,1,\n".encode("latin-1"))

    assert "cannot be read as CSV" in faults(path)[0][1]


@pytest.mark.parametrize(("bad", "named", "more"), [(10, 10, 0), (11, 10, 1), (1_000, 10, 990)])
def test_faults_of_one_kind_are_named_ten_times_and_counted(file, bad, named, more):
    path = file("who,n,ok,on\n" + "a,x,1,\n" * bad)

    seen = faults(path)

    assert len(seen) == named
    assert (f"and {more} more row" in seen[-1][1]) == (more > 0)
