import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import duckdb
import pytest

from connectors.warehouse.duckdb import DuckDBConfig, DuckDBWarehouse
from decisions.errors import PermanentFailure, TemporaryFailure


@pytest.fixture
def folder(tmp_path):
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as engine:
        engine.execute("CREATE TABLE scores AS SELECT 'acme' AS account_id, 0.9e0 AS risk")
        engine.execute('CREATE TABLE "odd name" AS SELECT 1 AS n')
    (tmp_path / "outcomes.csv").write_text("account_id,renewed\nacme,1\nbolt,0\n")
    (tmp_path / "elsewhere").mkdir()
    return tmp_path


@pytest.fixture
def warehouse(folder):
    return DuckDBWarehouse("warehouse", DuckDBConfig(path="warehouse.duckdb"), folder)


def rows(warehouse, **source):
    relation = warehouse.relation(**({"table": None, "query": None, "path": None} | source))
    return warehouse.select(f"SELECT * FROM {relation} AS r").to_pylist()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param({"table": "scores"}, [{"account_id": "acme", "risk": 0.9}], id="table"),
        pytest.param({"table": '"odd name"'}, [{"n": 1}], id="quoted-table"),
        pytest.param({"query": "SELECT 2 AS n -- two"}, [{"n": 2}], id="query"),
        pytest.param(
            {"path": "outcomes.csv"},
            [{"account_id": "acme", "renewed": 1}, {"account_id": "bolt", "renewed": 0}],
            id="file",
        ),
        pytest.param(
            {"path": "out*.csv"},
            [{"account_id": "acme", "renewed": 1}, {"account_id": "bolt", "renewed": 0}],
            id="several-files",
        ),
    ],
)
def test_rows_are_read_from(warehouse, source, expected):
    assert rows(warehouse, **source) == expected


def test_columns_are_named_with_their_types(warehouse):
    relation = warehouse.relation(table="scores", query=None, path=None)

    assert warehouse.columns(relation) == {"account_id": "VARCHAR", "risk": "DOUBLE"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param({"table": "skores"}, "skores", id="no-such-table"),
        pytest.param({"path": "none.parquet"}, "there is no file 'none.parquet'", id="no-file"),
        pytest.param({"path": "notes.txt"}, "ends in none of", id="unknown-kind-of-file"),
        pytest.param({"query": "DROP TABLE scores"}, "is not one SELECT", id="not-a-select"),
        pytest.param({"query": "SELECT 1; SELECT 2"}, "is not one SELECT", id="two-statements"),
        pytest.param({"query": "SELECT FROM WHERE"}, "cannot be read", id="broken"),
        pytest.param(
            {"query": "SELECT * FROM read_text('/etc/hostname')"}, "disabled", id="another-file"
        ),
        pytest.param({"path": "../secret.csv"}, "no file", id="outside-the-folder"),
    ],
)
def test_what_cannot_be_read_is_said(warehouse, source, expected):
    with pytest.raises(PermanentFailure, match=expected):
        rows(warehouse, **source)


def test_a_database_that_is_missing_is_named(tmp_path):
    warehouse = DuckDBWarehouse("warehouse", DuckDBConfig(path="gone.duckdb"), tmp_path)

    with pytest.raises(PermanentFailure, match=r"there is no database .*gone\.duckdb"):
        warehouse.select("SELECT 1")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "notes.duckdb").write_text("not a database " * 1_000)
    warehouse = DuckDBWarehouse("warehouse", DuckDBConfig(path="notes.duckdb"), tmp_path)

    with pytest.raises(PermanentFailure, match="not a valid DuckDB database"):
        warehouse.select("SELECT 1")


def test_a_database_that_is_being_written_is_a_temporary_failure(warehouse, folder):
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(folder / "warehouse.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        writer.stdout.readline()
        with pytest.raises(TemporaryFailure, match="is being written by another program"):
            warehouse.select("SELECT 1")
        writer.communicate(b"\n")


@pytest.mark.parametrize("folders", [[".", ".", "."], [".", "elsewhere", "."]])
def test_three_threads_may_ask_one_database_at_once(folder, folders):
    asked = [
        DuckDBWarehouse(
            "warehouse", DuckDBConfig(path=str(folder / "warehouse.duckdb"), folder=each), folder
        )
        for each in folders
    ]

    def ask(warehouse):
        return [warehouse.select("SELECT count(*) AS n FROM scores").to_pylist() for _ in range(5)]

    with ThreadPoolExecutor(max_workers=3) as threads:
        answers = list(threads.map(ask, asked))

    assert answers == [[[{"n": 1}]] * 5] * 3


def test_a_query_that_failed_stands_in_nobodys_way(warehouse):
    with pytest.raises(PermanentFailure) as kept:
        warehouse.select("SELECT CAST(account_id AS INTEGER) FROM scores")

    assert warehouse.select("SELECT 1 AS n").to_pylist() == [{"n": 1}]
    assert "Conversion Error" in str(kept.value)


def test_the_warehouse_is_never_written(warehouse):
    with pytest.raises(PermanentFailure):
        warehouse.select("CREATE TABLE t AS SELECT 1")


def test_a_batch_larger_than_memory_is_put_down_on_disk_meanwhile(warehouse, monkeypatch):
    monkeypatch.setattr("connectors.warehouse.duckdb.MEMORY", "40MB")

    found = warehouse.select("SELECT count(DISTINCT hash(i)) AS n FROM range(3000000) AS t(i)")

    assert found.to_pylist() == [{"n": 3_000_000}]


def stamp(folder, path, *, settled=timedelta(0)):
    return DuckDBWarehouse("warehouse", DuckDBConfig(), folder, settled=settled).stamp(path)


def test_a_file_keeps_its_stamp_as_long_as_it_is_not_written(folder):
    before = stamp(folder, "outcomes.csv")

    assert before is not None
    assert stamp(folder, "outcomes.csv") == before


def written_over(file, text):
    file.write_text(text)


def put_in_its_place(file, text):
    beside = file.with_suffix(".new")
    beside.write_text(text)
    os.utime(beside, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    beside.replace(file)


@pytest.mark.parametrize("change", [written_over, put_in_its_place])
def test_a_file_of_the_same_size_has_another_stamp(folder, change):
    file = folder / "outcomes.csv"
    os.utime(file, (0, 0))
    before = stamp(folder, "outcomes.csv")

    change(file, file.read_text().replace("acme", "apex"))

    assert stamp(folder, "outcomes.csv") != before


@pytest.mark.parametrize(
    ("path", "settled"),
    [
        pytest.param("out*.csv", timedelta(0), id="several-files"),
        pytest.param("none.csv", timedelta(0), id="no-file"),
        pytest.param("outcomes.csv", timedelta(hours=1), id="written-just-now"),
    ],
)
def test_there_is_no_stamp_where_it_would_not_be_certain(folder, path, settled):
    assert stamp(folder, path, settled=settled) is None


@pytest.mark.parametrize("path", [None, "warehouse.duckdb"], ids=["files", "database"])
def test_instants_are_read_in_utc_wherever_the_program_runs(folder, path):
    script = (
        "import sys; from pathlib import Path; "
        "from connectors.warehouse.duckdb import DuckDBConfig, DuckDBWarehouse; "
        f"asked = DuckDBWarehouse('warehouse', DuckDBConfig(path={path!r}), Path(sys.argv[1])); "
        "query = \"SELECT CAST(TIMESTAMPTZ '2026-11-16 05:00Z' AS VARCHAR) AS at\"; "
        "print(*(asked.select(query).to_pylist()[0]['at'] for _ in range(2)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"TZ": "America/New_York"},
    )

    assert done.stdout.split("\n")[0] == "2026-11-16 05:00:00+00 2026-11-16 05:00:00+00"
