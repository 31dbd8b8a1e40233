"""Gate, evaluation and probes against a real DuckDB file, through the port."""

from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest

from connectors.warehouse.duckdb import DuckDBConfig, DuckDBWarehouse
from decisions.deciding.evaluation import selected
from decisions.deciding.gate import confirm, inspected
from decisions.definition import Outcome, Proof
from decisions.errors import TemporaryFailure
from decisions.ledger import Filter, Ledger
from decisions.outcomes import outcomes, proofs
from tests.samples import MONDAY, MovableClock, action, batch, definition, matches, people

SIGNAL = {
    "from": "warehouse",
    "table": "scores",
    "subject": "account_id",
    "score": "risk",
    "scored_at": "scored_at",
    "model": {"name": "gbm", "version": "model_version"},
    "fields": {
        "risk": {"type": "float", "min": 0, "max": 1, "nulls": "10%"},
        "arr": {"type": "decimal", "unit": "USD", "min": 0},
    },
    "gate": {"max_age": "26h", "rows": {"min": 2}},
}
CONTEXT = [
    {
        "from": "warehouse",
        "table": "accounts",
        "on": "id",
        "fields": {"account_manager": "string", "renewal_on": "date"},
    }
]
SCORES = """
CREATE OR REPLACE TABLE scores AS SELECT * FROM (VALUES
    (1, 0.95e0, 1000.0, '7'), (2, 0.85, 90000.0, '7'), (3, 0.10, 50.0, '7')
) AS t(account_id, risk, arr, model_version), (SELECT TIMESTAMPTZ '2026-11-16 05:00Z' AS scored_at)
"""
ACCOUNTS = """
CREATE OR REPLACE TABLE accounts AS SELECT * FROM (VALUES
    (1, 'mia.chen', DATE '2026-12-01'), (2, NULL, DATE '2027-12-01')
) AS t(id, account_manager, renewal_on)
"""


class Source:
    """A DuckDB file that tests write and the domain reads."""

    def __init__(self, folder):
        self._path = folder / "warehouse.duckdb"
        config = DuckDBConfig(path=self._path.name)
        self.warehouses = {"warehouse": DuckDBWarehouse("warehouse", config, folder)}

    def write(self, *statements):
        with duckdb.connect(str(self._path)) as engine:
            engine.execute("SET TimeZone = 'UTC'")
            for statement in statements:
                engine.execute(statement)

    def faults(self, *, earlier=(), as_of=MONDAY, **changes):
        decision = definition(signal=SIGNAL, context=CONTEXT, **changes)
        return inspected(decision, self.warehouses, as_of=as_of, earlier=earlier).faults

    def selected(self, **changes):
        decision = definition(**({"signal": SIGNAL, "context": CONTEXT} | changes))
        return selected(decision, self.warehouses, as_of=MONDAY).to_pylist()


@pytest.fixture
def source(tmp_path):
    made = Source(tmp_path)
    made.write(SCORES, ACCOUNTS)
    return made


def rule(when, do="call", name="first"):
    return {"name": name, "when": when, "do": do, "because": "so"}


def test_the_first_rule_that_holds_decides(source):
    rules = [rule("arr > 50000", "email", "rich"), rule("risk >= 0.8")]
    actions = {"call": action(), "email": action(assign="business")}

    found = source.selected(rules=rules, actions=actions)

    assert [(row["subject"], row["rule"], row["action"]) for row in found] == [
        ("1", "first", "call"),
        ("2", "rich", "email"),
    ]


def test_what_was_known_is_frozen_with_the_match(source):
    first = source.selected()[0]

    assert first["assign"] == "mia.chen"
    assert first["model_version"] == "7"
    assert first["scored_at"] == datetime(2026, 11, 16, 5, tzinfo=UTC)
    assert '"renewal_on":"2026-12-01"' in first["facts"]
    assert '"account_id":"1"' in first["facts"]


def test_a_condition_that_is_null_is_not_met(source):
    source.write("UPDATE scores SET risk = NULL WHERE account_id = 1")

    assert [row["subject"] for row in source.selected()] == ["2"]
    assert [row["subject"] for row in source.selected(rules=[rule("risk < 2")])] == ["2", "3"]


def test_nan_counts_as_missing(source):
    source.write("UPDATE scores SET risk = 'NaN'::DOUBLE WHERE account_id = 1")

    assert [row["subject"] for row in source.selected()] == ["2"]


def test_today_is_the_day_of_the_run(source):
    rules = [rule("renewal_on <= today() + INTERVAL 30 DAY")]

    assert [row["subject"] for row in source.selected(rules=rules)] == ["1"]


def test_whoever_has_no_context_is_judged_without_it(source):
    rules = [rule("account_manager IS NULL")]

    assert [row["subject"] for row in source.selected(rules=rules)] == ["2", "3"]


def test_otherwise_an_action_takes_the_rest(source):
    found = source.selected(otherwise="call")

    assert [(row["subject"], row["rule"]) for row in found] == [
        ("1", "critical"),
        ("2", "critical"),
        ("3", "otherwise"),
    ]


def test_prefer_ranks_and_the_outcomes_field_gives_the_value(source):
    outcome = {"from": "warehouse", "table": "renewals", "measure": "renewed", "on": "account_id",
               "window": "30d", "better": "higher", "value": "arr"}  # fmt: skip

    found = source.selected(limits={"prefer": "risk * arr"}, outcome=outcome)

    assert [row["priority"] for row in found] == pytest.approx([950, 76_500])
    assert [row["value"] for row in found] == [1_000, 90_000]


def test_an_infinite_preference_counts_as_none(source):
    source.write("ALTER TABLE scores ALTER arr TYPE DOUBLE", "UPDATE scores SET arr = 'inf'")

    assert [row["priority"] for row in source.selected(limits={"prefer": "arr"})] == [None, None]


def test_text_with_a_nul_character_counts_as_missing(source):
    source.write("UPDATE accounts SET account_manager = 'mia' || chr(0) WHERE id = 1")

    assert source.selected()[0]["assign"] is None


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(
            "INSERT INTO accounts SELECT * FROM accounts WHERE id = 1",
            "accounts: 1 rows repeat a 'id'; one row a subject was expected",
            id="context-twice",
        ),
        pytest.param(
            "UPDATE scores SET scored_at = 'infinity' WHERE account_id = 1",
            "scored_at: missing in 1 of 3 rows; none may be",
            id="dated-never",
        ),
        pytest.param(
            "UPDATE scores SET scored_at = '20000-01-01 00:00Z' WHERE account_id = 1",
            "scored_at: missing in 1 of 3 rows; none may be",
            id="dated-beyond-the-calendar",
        ),
    ],
)
def test_the_gate_says_what_it_expected_and_found(source, statement, expected):
    source.write(statement)

    faults = source.faults()

    assert len(faults) == 1
    assert faults[0].startswith(expected)


def test_a_number_too_large_for_its_type_is_told_as_unreadable(source):
    source.write(
        "CREATE OR REPLACE TABLE scores AS SELECT *, CASE account_id WHEN 1 THEN "
        "170141183460469231731687303715884105727::HUGEINT ELSE 3 END AS seats FROM scores"
    )
    fields = SIGNAL["fields"] | {"seats": "integer"}
    decision = definition(signal=SIGNAL | {"fields": fields}, context=CONTEXT)

    found = inspected(decision, source.warehouses, as_of=MONDAY, earlier=[]).faults

    assert found == (
        "seats: missing in 1 of 3 rows, 1 of them unreadable as integer; at most 0% was expected",
    )
    assert '"seats":null' in selected(decision, source.warehouses, as_of=MONDAY)["facts"][0].as_py()


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("INSERT INTO scores SELECT * FROM scores", id="every-subject-twice"),
        pytest.param("UPDATE scores SET risk = 0.99 WHERE account_id = 1", id="another-score"),
        pytest.param("DELETE FROM scores WHERE account_id = 3", id="a-subject-less"),
        pytest.param("INSERT INTO accounts SELECT * FROM accounts", id="context-twice"),
        pytest.param("ALTER TABLE scores DROP COLUMN arr", id="a-column-less"),
    ],
)
def test_a_batch_that_changes_while_it_is_decided_on_is_not_used(source, statement):
    decision = definition(signal=SIGNAL, context=CONTEXT)
    batch = inspected(decision, source.warehouses, as_of=MONDAY, earlier=[])
    source.write(statement)

    with pytest.raises(TemporaryFailure, match="warehouse: the batch changed while it was being"):
        confirm(batch, decision, source.warehouses)


def test_a_batch_that_stays_as_it_was_is_confirmed(source):
    decision = definition(signal=SIGNAL, context=CONTEXT)
    batch = inspected(decision, source.warehouses, as_of=MONDAY, earlier=[])

    confirm(batch, decision, source.warehouses)


@pytest.fixture
def filed(tmp_path):
    """A decision on a file of one score; the warehouse counts how often it is asked."""

    class Counting(DuckDBWarehouse):
        asked = 0

        def select(self, query):
            self.asked += 1
            return super().select(query)

    write_file(tmp_path / "scores.csv", risk="0.95")
    signal = {key: value for key, value in SIGNAL.items() if key != "table"}
    decision = definition(signal=signal | {"path": "scores.csv", "gate": {}})
    warehouse = Counting("warehouse", DuckDBConfig(), tmp_path, settled=timedelta(0))
    return decision, {"warehouse": warehouse}, tmp_path / "scores.csv"


def write_file(file, *, risk):
    heading = "account_id,risk,arr,scored_at,model_version"
    file.write_text(f"{heading}\n1,{risk},1000,2026-03-02 05:00:00+00,v1\n")


def test_a_file_that_bears_its_old_stamp_is_not_read_again(filed):
    decision, warehouses, _ = filed
    batch = inspected(decision, warehouses, as_of=MONDAY, earlier=[])
    before = warehouses["warehouse"].asked

    confirm(batch, decision, warehouses)

    assert batch.faults == ()
    assert warehouses["warehouse"].asked == before


def test_a_file_that_was_replaced_by_an_equal_one_is_confirmed_by_its_rows(filed):
    decision, warehouses, file = filed
    batch = inspected(decision, warehouses, as_of=MONDAY, earlier=[])
    write_file(file, risk="0.95")

    confirm(batch, decision, warehouses)


def test_a_file_that_holds_another_score_is_not_used(filed):
    decision, warehouses, file = filed
    batch = inspected(decision, warehouses, as_of=MONDAY, earlier=[])
    write_file(file, risk="0.96")

    with pytest.raises(TemporaryFailure, match="the batch changed"):
        confirm(batch, decision, warehouses)


def test_all_faults_come_at_once(source):
    source.write("UPDATE scores SET risk = 2, arr = -1, scored_at = '2026-01-01'")

    assert len(source.faults()) == 3


def test_equal_batches_have_equal_fingerprints(source):
    decision = definition(signal=SIGNAL, context=CONTEXT)

    def fingerprint():
        return inspected(decision, source.warehouses, as_of=MONDAY, earlier=[]).fingerprint

    before = fingerprint()
    assert fingerprint() == before
    source.write("UPDATE scores SET risk = 0.96 WHERE account_id = 1")
    assert fingerprint() != before


CASES = pa.table(
    {
        "case_id": pa.array([1, 2, 3], pa.int64()),
        "subject": ["1", "2", "3"],
        "opened_at": pa.array([MONDAY] * 3, pa.timestamp("us", tz="UTC")),
    }
)


def test_the_first_proof_within_the_window_counts(source):
    source.write(
        "CREATE TABLE calls AS SELECT * FROM (VALUES (1, TIMESTAMPTZ '2026-11-15 09:00Z'), "
        "(1, '2026-11-18 09:00Z'), (1, '2026-11-17 09:00Z'), (2, '2027-01-01 00:00Z')) "
        "AS t(account_id, called_at)"
    )
    proof = Proof.model_validate(
        {"from": "warehouse", "table": "calls", "on": "account_id", "at": "called_at"}
    )

    found = proofs(
        proof,
        source.warehouses["warehouse"],
        CASES,
        window=timedelta(days=30),
        now=MONDAY + timedelta(days=60),
    )

    assert found.to_pylist() == [{"case_id": 1, "acted_at": datetime(2026, 11, 17, 9, tzinfo=UTC)}]


def outcome(**changes):
    return Outcome.model_validate(
        {"from": "warehouse", "table": "renewals", "measure": "renewed", "on": "account_id",
         "at": "decided_at", "window": "30d", "better": "higher", **changes}
    )  # fmt: skip


def test_the_last_outcome_within_the_window_counts_and_none_is_missing(source):
    source.write(
        "CREATE TABLE renewals AS SELECT * FROM (VALUES "
        "(1, true, TIMESTAMP '2026-11-20'), (1, false, '2026-11-25'), (1, true, '2027-01-25'), "
        "(2, true, '2026-11-15'), (3, NULL, '2026-11-25')) AS t(account_id, renewed, decided_at)"
    )

    found = outcomes(outcome(), source.warehouses["warehouse"], CASES).to_pylist()

    assert [(row["case_id"], row["state"], row["value"]) for row in found] == [
        (1, "observed", 0.0),
        (2, "missing", None),
        (3, "missing", None),
    ]
    assert found[0]["observed_at"] == datetime(2026, 11, 25, tzinfo=UTC)


def test_without_an_instant_the_subjects_one_row_counts(source):
    source.write("CREATE TABLE renewals AS SELECT 1 AS account_id, 1 AS renewed")

    found = outcomes(outcome(at=None), source.warehouses["warehouse"], CASES).to_pylist()

    assert [(row["state"], row["value"]) for row in found] == [
        ("observed", 1.0),
        ("missing", None),
        ("missing", None),
    ]


def test_a_day_is_within_the_window_if_any_of_it_is(source):
    source.write(
        "CREATE TABLE calls AS SELECT * FROM (VALUES (1, DATE '2026-11-16'), "
        "(2, DATE '2026-11-15'), (3, DATE '2026-11-26')) AS t(account_id, called_on)",
        "CREATE TABLE renewals AS SELECT account_id, true AS renewed, called_on AS decided_at "
        "FROM calls",
    )
    warehouse = source.warehouses["warehouse"]
    proof = Proof.model_validate(
        {"from": "warehouse", "table": "calls", "on": "account_id", "at": "called_on"}
    )
    window = timedelta(days=10)

    proven = proofs(proof, warehouse, CASES, window=window, now=MONDAY + timedelta(days=60))
    seen = outcomes(outcome(window="10d"), warehouse, CASES).to_pylist()

    last_day = datetime(2026, 11, 26, tzinfo=UTC)
    assert proven.to_pylist() == [
        {"case_id": 1, "acted_at": MONDAY},
        {"case_id": 3, "acted_at": last_day},
    ]
    assert [(row["state"], row["observed_at"]) for row in seen] == [
        ("observed", MONDAY),
        ("missing", None),
        ("observed", last_day),
    ]


def test_an_instant_before_the_opening_never_counts(source):
    source.write(
        "CREATE TABLE renewals AS SELECT 1 AS account_id, true AS renewed, "
        "TIMESTAMP '2026-11-16 08:59' AS decided_at"
    )

    found = outcomes(outcome(), source.warehouses["warehouse"], CASES).to_pylist()

    assert [row["state"] for row in found] == ["missing"] * 3


@pytest.mark.parametrize("at", ["decided_at", None])
def test_outcomes_that_contradict_one_another_are_missing(source, at):
    source.write(
        "CREATE TABLE renewals AS SELECT *, TIMESTAMP '2026-11-20' AS decided_at FROM (VALUES "
        "(1, true), (1, false), (2, true), (2, true), (3, true), (3, NULL)) "
        "AS t(account_id, renewed)"
    )

    found = outcomes(outcome(at=at), source.warehouses["warehouse"], CASES).to_pylist()

    assert [(row["state"], row["value"]) for row in found] == [
        ("missing", None),
        ("observed", 1.0),
        ("observed", 1.0),
    ]
    assert found[0]["observed_at"] is None


def test_a_proof_that_is_known_already_is_neither_counted_nor_told_again(ledger_url):
    ledger = Ledger(ledger_url, MovableClock())
    ledger.runs.record(definition(), batch(2), matches({"subject": "1"}), people())
    key = ledger.cases.found(Filter())[0].key
    proven = CASES.slice(0, 1).select(["case_id"])
    proven = proven.append_column("acted_at", pa.array([MONDAY], pa.timestamp("us", tz="UTC")))

    counts = [ledger.results.record_proofs(proven, what="a row in calls") for _ in range(2)]

    told = [entry.act for entry in ledger.entries_of(key)]
    ledger.close()
    assert counts == [1, 0]
    assert told.count("proven") == 1
