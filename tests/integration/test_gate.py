"""Every demand of the gate, broken on purpose: in a table, in a CSV file and in a Parquet file."""

from datetime import timedelta

import duckdb
import pytest

from connectors.warehouse.duckdb import DuckDBConfig, DuckDBWarehouse
from decisions.deciding.gate import MOST_EXAMPLES, inspected
from decisions.errors import PermanentFailure
from tests.samples import MONDAY, definition

SIGNAL = {
    "from": "warehouse",
    "subject": "account_id",
    "score": "risk",
    "scored_at": "scored_at",
    "model": {"name": "gbm", "version": "model_version"},
    "fields": {
        "risk": {"type": "float", "min": 0, "max": 1, "nulls": "10%"},
        "arr": {"type": "decimal", "unit": "USD", "min": 0},
        "seats": {"type": "integer", "nulls": "allowed"},
        "plan": {"type": "string", "allowed": ["monthly", "yearly"], "nulls": "allowed"},
    },
    "gate": {"max_age": "26h", "rows": {"min": 2, "max": 6}, "unique": "score_id"},
}
SCORES = """
CREATE OR REPLACE TABLE scores AS SELECT * FROM (VALUES
    ('a', 0.95e0, 1000.5::DOUBLE, 3::BIGINT, 'monthly', 'v7', 's1'),
    ('b', 0.85, 90000.5, 5, 'yearly', 'v7', 's2'),
    ('c', 0.10, 50.5, 7, 'monthly', 'v7', 's3'),
    ('d', 0.20, 60.5, 9, NULL, 'v7', 's4')
) AS t(account_id, risk, arr, seats, plan, model_version, score_id),
(SELECT TIMESTAMPTZ '2026-11-16 05:00Z' AS scored_at)
"""
WHERE_A = "WHERE account_id = 'a'"


class Source:
    """Scores in a table or in a file of them, which tests spoil and the gate reads."""

    def __init__(self, folder, form):
        self._folder, self._form = folder, form
        config = DuckDBConfig(path=None if form != "table" else "warehouse.duckdb")
        self.warehouse = DuckDBWarehouse("warehouse", config, folder)

    def spoil(self, *statements):
        is_table = self._form == "table"
        with duckdb.connect(str(self._folder / "warehouse.duckdb") if is_table else "") as engine:
            engine.execute("SET TimeZone = 'UTC'")
            for statement in (SCORES, *statements):
                engine.execute(statement)
            if not is_table:
                engine.execute(f"COPY scores TO '{self._folder}/scores.{self._form}'")

    def batch(self, *, earlier=(), as_of=MONDAY, **changes):
        where = {"table": "scores"} if self._form == "table" else {"path": f"scores.{self._form}"}
        decision = definition(signal=SIGNAL | where | changes, actions={"call": ACTION})
        found = {"warehouse": self.warehouse}
        return inspected(decision, found, as_of=as_of, earlier=earlier)


ACTION = {
    "autonomy": "notify", "through": ["slack"], "title": "Call", "respond_within": "4h",
    "override_reasons": ["no"],
}  # fmt: skip


@pytest.fixture(params=["table", "csv", "parquet"])
def source(request, tmp_path):
    return Source(tmp_path, request.param)


def keys(batch):
    return [(each.subject, each.value) for each in batch.examples]


def test_a_sound_batch_has_no_fault(source):
    source.spoil()

    batch = source.batch()

    assert (batch.rows, batch.faults, batch.examples) == (4, (), ())


@pytest.mark.parametrize(
    ("statement", "fault", "rows"),
    [
        pytest.param(
            "DELETE FROM scores",
            "the batch is empty; at least one row was expected",
            0,
            id="empty",
        ),
        pytest.param(
            "DELETE FROM scores WHERE account_id <> 'a'",
            "1 rows; at least 2 were expected (2)",
            1,
            id="too-few-rows",
        ),
        pytest.param(
            "INSERT INTO scores SELECT account_id || 2, * EXCLUDE (account_id) REPLACE "
            "(score_id || 2 AS score_id) FROM scores",
            "8 rows; at most 6 were expected (6)",
            8,
            id="too-many-rows",
        ),
        pytest.param(
            "UPDATE scores SET scored_at = scored_at - INTERVAL 2 DAY",
            "the newest score is of 2026-11-14 05:00 UTC, 52 h old; at most 26 hours was expected",
            4,
            id="too-old",
        ),
        pytest.param(
            "ALTER TABLE scores DROP COLUMN arr",
            "column 'arr' is missing; found are 'account_id', 'risk', 'seats', 'plan', "
            "'model_version', 'score_id', 'scored_at'",
            4,
            id="a-column-less",
        ),
        pytest.param(
            "ALTER TABLE scores DROP COLUMN score_id",
            "column 'score_id' is missing; found are 'account_id', 'risk', 'arr', 'seats', 'plan', "
            "'model_version', 'scored_at'",
            4,
            id="the-unique-column-less",
        ),
        pytest.param(
            "ALTER TABLE scores ALTER risk TYPE BOOLEAN USING risk > 0.5",
            "column 'risk' is BOOLEAN; float was expected",
            4,
            id="another-type",
        ),
        pytest.param(
            "UPDATE scores SET account_id = NULL WHERE account_id = 'a'",
            "account_id: missing in 1 of 4 rows; none may be",
            4,
            id="no-subject",
        ),
    ],
)
def test_what_the_batch_as_a_whole_breaks_is_told_with_its_count(source, statement, fault, rows):
    source.spoil(statement)

    batch = source.batch()

    assert (batch.faults, batch.rows) == ((fault,), rows)
    assert [subject for subject, _ in keys(batch)] in ([], [None])


@pytest.mark.parametrize(
    ("statement", "fault", "examples"),
    [
        pytest.param(
            f"UPDATE scores SET scored_at = scored_at + INTERVAL 250 MINUTE {WHERE_A}",
            None,
            [],
            id="ahead-within-the-skew",
        ),
        pytest.param(
            f"UPDATE scores SET scored_at = scored_at + INTERVAL 251 MINUTE {WHERE_A}",
            "the newest score is of 2026-11-16 09:11 UTC, which is still to come; "
            "at most 10 minutes ahead was expected",
            [("a", "2026-11-16 09:11:00+00")],
            id="ahead-beyond-the-skew",
        ),
        pytest.param(
            f"UPDATE scores SET scored_at = NULL {WHERE_A}",
            "scored_at: missing in 1 of 4 rows; none may be",
            [("a", None)],
            id="undated",
        ),
        pytest.param(
            f"INSERT INTO scores SELECT * REPLACE ('s9' AS score_id) FROM scores {WHERE_A}",
            "account_id: 1 rows repeat a subject; one row each was expected",
            [("a", "a")],
            id="a-subject-twice",
        ),
        pytest.param(
            f"UPDATE scores SET score_id = 's2' {WHERE_A}",
            "score_id: 1 rows repeat a value; none may",
            [("a", "s2"), ("b", "s2")],
            id="a-unique-value-twice",
        ),
        pytest.param(
            f"UPDATE scores SET risk = NULL {WHERE_A}",
            "risk: missing in 1 of 4 rows; at most 10% was expected",
            [("a", None)],
            id="too-many-nulls",
        ),
        pytest.param(
            f"UPDATE scores SET arr = NULL {WHERE_A}",
            "arr: missing in 1 of 4 rows; at most 0% was expected",
            [("a", None)],
            id="a-null-where-none-may-be",
        ),
        pytest.param(
            f"UPDATE scores SET risk = 1.5 {WHERE_A}",
            "risk: 1 of 4 rows are outside 0 to 1; found 0.1 to 1.5",
            [("a", "1.5")],
            id="out-of-range",
        ),
        pytest.param(
            "UPDATE scores SET arr = -1.5 WHERE account_id < 'c'",
            "arr: 2 of 4 rows are outside 0 and above; found -1.5 to 60.5",
            [("a", "-1.5"), ("b", "-1.5")],
            id="below-the-least",
        ),
        pytest.param(
            f"UPDATE scores SET plan = 'weekly' {WHERE_A}",
            "plan: 1 of 4 rows are outside 'monthly', 'yearly'",
            [("a", "weekly")],
            id="a-value-not-allowed",
        ),
        pytest.param(
            f"UPDATE scores SET model_version = NULL {WHERE_A}",
            "model_version: missing in 1 of 4 rows; none may be",
            [("a", None)],
            id="no-model-version",
        ),
        pytest.param(
            f"UPDATE scores SET model_version = 'v7' || chr(0) {WHERE_A}",
            "model_version: 1 rows hold a NUL character; none may",
            [("a", "v7␀")],
            id="a-nul-in-a-model-version",
        ),
        pytest.param(
            f"UPDATE scores SET account_id = 'a' || chr(0) {WHERE_A}",
            "account_id: 1 rows hold a NUL character; none may",
            [("a␀", "a␀")],
            id="a-nul-in-a-subject",
        ),
        pytest.param(
            "ALTER TABLE scores ALTER risk TYPE VARCHAR "
            "USING CASE account_id WHEN 'a' THEN 'n/a' ELSE risk::VARCHAR END",
            "column 'risk' is VARCHAR; float was expected; 1 of 4 values cannot be read as one",
            [("a", "n/a")],
            id="a-text-among-numbers",
        ),
    ],
)
def test_what_single_rows_break_is_told_with_their_subjects(source, statement, fault, examples):
    source.spoil(statement)

    batch = source.batch()

    assert batch.faults == ((fault,) if fault else ())
    assert keys(batch) == examples
    assert batch.rows in {4, 5}


def test_every_fault_keeps_its_own_examples(source):
    source.spoil(
        f"UPDATE scores SET risk = 2, plan = 'weekly' {WHERE_A}",
        "UPDATE scores SET arr = NULL WHERE account_id = 'b'",
    )

    batch = source.batch()

    assert [fault.partition(":")[0] for fault in batch.faults] == ["risk", "arr", "plan"]
    assert [(each.fault, each.subject) for each in batch.examples] == [(0, "a"), (1, "b"), (2, "a")]


def test_twenty_subjects_of_a_fault_are_named_at_most(source):
    source.spoil(
        "INSERT INTO scores SELECT 'x' || i, 7, 1.5, 1, 'yearly', 'v7', 'x' || i, "
        "TIMESTAMPTZ '2026-11-16 05:00Z' FROM range(30) AS r(i)"
    )

    batch = source.batch(gate={})

    assert batch.faults == ("risk: 30 of 34 rows are outside 0 to 1; found 0.1 to 7",)
    assert len(batch.examples) == MOST_EXAMPLES == 20


@pytest.mark.parametrize(
    ("earlier", "fault"),
    [
        pytest.param([4, 4, 4], None, id="as-ever"),
        pytest.param([5, 5, 5], None, id="just-enough"),
        pytest.param(
            [6, 5, 6], "4 rows; at least 5 were expected (80% of median 3 runs)", id="too-few"
        ),
        pytest.param([2, 2, 9], None, id="just-few-enough"),
        pytest.param(
            [1, 2, 1, 9], "4 rows; at most 2 were expected (200% of median 3 runs)", id="too-many"
        ),
        pytest.param([], None, id="no-run-yet"),
    ],
)
def test_rows_are_held_against_the_median_of_earlier_runs_on_both_sides(source, earlier, fault):
    source.spoil()
    rows = {"min": "80% of median 3 runs", "max": "200% of median 3 runs"}

    batch = source.batch(gate={"rows": rows}, earlier=earlier)

    assert batch.faults == ((fault,) if fault else ())


@pytest.mark.parametrize(
    ("kind", "found", "allowed"),
    [
        pytest.param("integer", "5", [5, 7], id="integers"),
        pytest.param("float", "0.1", [0.1, 2], id="numbers"),
        pytest.param("boolean", "true", [True], id="booleans"),
        pytest.param("date", "DATE '2026-01-01'", ["2026-01-01"], id="dates"),
        pytest.param("string", "'it''s'", ["it's"], id="strings"),
    ],
)
def test_allowed_values_are_of_the_fields_type(tmp_path, kind, found, allowed):
    source = Source(tmp_path, "table")
    columns = {"string": "VARCHAR", "float": "DOUBLE"}
    other = {"integer": "6", "float": "0.2", "boolean": "false", "date": "DATE '2026-01-02'"}
    source.spoil(
        f"ALTER TABLE scores ADD COLUMN extra {columns.get(kind, kind)}",
        f"UPDATE scores SET extra = {found}",
        f"UPDATE scores SET extra = {other.get(kind, chr(39) + chr(39))} {WHERE_A}",
    )
    fields = SIGNAL["fields"] | {"extra": {"type": kind, "allowed": allowed}}

    batch = source.batch(fields=fields)

    assert len(batch.faults) == 1
    assert batch.faults[0].startswith("extra: 1 of 4 rows are outside ")
    assert [subject for subject, _ in keys(batch)] == ["a"]


def test_a_text_whose_cells_all_read_as_the_type_is_told_so(tmp_path):
    source = Source(tmp_path, "table")
    source.spoil("ALTER TABLE scores ALTER risk TYPE VARCHAR")

    (fault,) = source.batch().faults

    assert fault == (
        "column 'risk' is VARCHAR; float was expected; all of its values could be read as one, "
        "so cast it"
    )


def written(folder, *lines):
    heading = "account_id,risk,arr,seats,plan,model_version,score_id,scored_at"
    (folder / "scores.csv").write_text("\n".join([heading, *lines]) + "\n")
    return Source(folder, "csv")


def line(number, risk="0.5"):
    return f"k{number},{risk},1.5,1,yearly,v7,s{number},2026-11-16 05:00:00+00"


def test_a_heading_alone_is_an_empty_batch(tmp_path):
    batch = written(tmp_path).batch()

    assert batch.faults == ("the batch is empty; at least one row was expected",)


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        pytest.param(
            line(30_000, risk="abc"),
            'warehouse: scores.csv, line 30,002: Error when converting column "risk". '
            "Could not convert string \"abc\" to 'DOUBLE'",
            id="a-cell-of-another-type",
        ),
        pytest.param(
            line(30_000) + ",more",
            "warehouse: scores.csv, line 30,002: Expected Number of Columns: 8 Found: 9",
            id="a-cell-too-many",
        ),
    ],
)
def test_a_broken_line_far_down_a_file_is_told_by_its_number(tmp_path, bad, fault):
    batch = written(tmp_path, *map(line, range(30_000)), bad).batch(gate={})

    assert batch.faults == (fault,)


def test_a_file_that_is_none_stops_the_run(tmp_path):
    (tmp_path / "scores.parquet").write_text("no parquet")

    with pytest.raises(PermanentFailure, match="warehouse"):
        Source(tmp_path, "parquet").batch()


def test_ages_are_counted_to_the_minute(source):
    source.spoil()
    old = {"max_age": "4h"}

    assert source.batch(gate=old).faults == ()
    assert source.batch(gate=old, as_of=MONDAY + timedelta(minutes=1)).faults == (
        "the newest score is of 2026-11-16 05:00 UTC, 4 h old; at most 4 hours was expected",
    )
