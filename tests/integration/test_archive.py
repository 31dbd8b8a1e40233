"""The archive of verdicts: every subject of a run in one file that the ledger vouches for."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest

from connectors.warehouse.duckdb import DuckDBWarehouse
from decisions.deciding.archive import digest
from decisions.deciding.verdict_rows import COLUMNS
from decisions.errors import TemporaryFailure
from flows import sweep
from tests.company import CHURN_SAVE_CALL, DECISION, assembled, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock

ROWS = [
    {"account_id": "acme"},
    {"account_id": "bolt", "churn_probability": 0.7},
    {"account_id": "core", "churn_probability": 0.2},
    {"account_id": "dune", "churn_probability": 0.95, "arr": 200_000},
]


@pytest.fixture
def folder(tmp_path):
    return write_workspace(
        tmp_path / "workspace",
        definition=CHURN_SAVE_CALL.replace(
            "limits: {prefer", "limits: {per_run: 2, prefer"
        ).replace("signal:\n", "signal:\n  gate: {max_age: 26h}\n"),
    )


@pytest.fixture
def layer(folder):
    write_scores(folder, ROWS, scored_at=MONDAY)
    made = assembled(folder, MovableClock())
    yield made
    made.ledger.close()


def archived(layer, run=1, what="*"):
    file = layer.archive.place(DECISION, run)
    with duckdb.connect() as engine:
        table = engine.sql(f"SELECT {what} FROM '{file}' ORDER BY subject").to_arrow_table()
        return table.to_pylist()


class OutOfReach:
    """A warehouse that answers queries and writes no files, as one behind a network does."""

    def __init__(self, inner):
        self.name, self.dialect = inner.name, inner.dialect
        self.relation, self.columns, self.select = inner.relation, inner.columns, inner.select


class Replaced(DuckDBWarehouse):
    """A warehouse whose feed replaces the batch right after the archive was written."""

    def __init__(self, inner, replacement):
        self.__dict__ |= inner.__dict__
        self._replacement = replacement

    def write(self, query, file, *, beside):
        written = super().write(query, file, beside=beside)
        self._replacement()
        return written


def test_every_subject_has_one_verdict_and_what_it_turned_on(layer):
    sweep.decide(layer, DECISION)

    shown = "subject, verdict, reason, rule, action, arm, assignee, score, inputs"
    assert archived(layer, what=shown) == [
        {
            "subject": "acme", "verdict": "opened", "reason": None, "rule": "critical",
            "action": "call", "arm": "treatment", "assignee": "mia.chen", "score": 0.91,
            "inputs": {"arr": 80_000.0, "account_manager": "mia.chen"},
        },
        {
            "subject": "bolt", "verdict": "suppressed", "reason": "per_run: 2", "rule": "watch",
            "action": "write", "arm": "treatment", "assignee": "mia.chen", "score": 0.7,
            "inputs": {"arr": 80_000.0, "account_manager": "mia.chen"},
        },
        {
            "subject": "core", "verdict": "not_met", "reason": None, "rule": None,
            "action": None, "arm": None, "assignee": None, "score": 0.2,
            "inputs": {"arr": 80_000.0, "account_manager": "mia.chen"},
        },
        {
            "subject": "dune", "verdict": "opened", "reason": None, "rule": "critical",
            "action": "call", "arm": "treatment", "assignee": "mia.chen", "score": 0.95,
            "inputs": {"arr": 200_000.0, "account_manager": "mia.chen"},
        },
    ]  # fmt: skip


def test_the_verdicts_add_up_to_the_counts_of_the_run(tmp_path):
    folder = write_workspace(tmp_path / "workspace", holdout="30%")
    rows = [{"account_id": f"a{n:03}", "churn_probability": n / 100} for n in range(100)]
    write_scores(folder, rows, scored_at=MONDAY)
    layer = assembled(folder, MovableClock())

    decided = sweep.decide(layer, DECISION)

    verdicts = Counter(row["verdict"] for row in archived(layer))
    expected = {"opened": decided.opened, "held_out": decided.held_out, "not_met": decided.not_met}
    assert verdicts == expected
    assert min(expected.values()) > 0
    layer.ledger.close()


def test_a_file_has_the_documented_columns(layer):
    sweep.decide(layer, DECISION)

    assert tuple(archived(layer)[0]) == COLUMNS


def test_the_ledger_vouches_for_the_file(layer):
    sweep.decide(layer, DECISION)

    (run,) = layer.ledger.runs.latest(DECISION)
    (found,) = layer.ledger.runs.archived()
    assert (run.archive_sha256, run.archive_rows) == (found.sha256, found.rows)
    assert found.sha256 == digest(layer.archive.place(DECISION, 1))
    assert found.rows == 4
    assert layer.archive.breach(found) is None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(lambda file: file.unlink(), "is missing", id="missing"),
        pytest.param(lambda file: file.write_bytes(b"PAR1"), "was changed", id="changed"),
    ],
)
def test_an_archive_that_is_not_as_recorded_is_named(layer, spoil, said):
    sweep.decide(layer, DECISION)
    (recorded,) = layer.ledger.runs.archived()

    spoil(layer.archive.place(DECISION, 1))

    assert said in layer.archive.breach(recorded)
    assert "run 1" in layer.archive.breach(recorded)


def test_whom_the_operating_boundary_keeps_back_is_archived_with_its_reason(tmp_path):
    withhold = "withhold: [{when: arr > 100000, because: too big to guess, to: technical}]\n"
    folder = write_workspace(tmp_path / "bounded", definition=CHURN_SAVE_CALL + withhold)
    write_scores(folder, ROWS, scored_at=MONDAY)
    layer = assembled(folder, MovableClock())

    sweep.decide(layer, DECISION)

    assert archived(layer, what="subject, verdict, reason")[2:] == [
        {"subject": "core", "verdict": "not_met", "reason": None},
        {"subject": "dune", "verdict": "withheld", "reason": "too big to guess"},
    ]
    layer.ledger.close()


def test_a_withheld_batch_is_archived_subject_by_subject(layer, folder):
    write_scores(folder, ROWS, scored_at=MONDAY - timedelta(days=3))

    sweep.decide(layer, DECISION)

    found = archived(layer, what="subject, verdict, reason, score")
    assert [row["subject"] for row in found] == ["acme", "bolt", "core", "dune"]
    assert {(row["verdict"], row["reason"]) for row in found} == {("withheld", "gate")}
    assert [row["score"] for row in found] == [0.91, 0.7, 0.2, 0.95]


def test_a_batch_that_cannot_be_read_leaves_no_archive(layer, folder):
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute("ALTER TABLE churn_scores DROP COLUMN arr")

    decided = sweep.decide(layer, DECISION)

    (run,) = layer.ledger.runs.latest(DECISION)
    assert decided.faults
    assert run.archive_sha256 is None
    assert layer.ledger.runs.archived() == []


def test_of_a_warehouse_out_of_reach_what_matched_is_archived(layer):
    far = replace(layer, warehouses={"warehouse": OutOfReach(layer.warehouses["warehouse"])})

    sweep.decide(far, DECISION)

    (run,) = layer.ledger.runs.latest(DECISION)
    assert all(tuple(row) == COLUMNS for row in archived(layer))
    found = archived(layer, what="subject, verdict, score, inputs.arr AS arr")
    assert [row["subject"] for row in found] == ["acme", "bolt", "dune"]
    assert found[0] == {"subject": "acme", "verdict": "opened", "score": 0.91, "arr": 80_000.0}
    assert (run.archive_rows, run.evaluated) == (3, 4)


def test_a_batch_replaced_while_it_was_archived_leaves_nothing(layer, folder):
    def replacement():
        write_scores(folder, ROWS[:2], scored_at=MONDAY)

    shifty = Replaced(layer.warehouses["warehouse"], replacement)
    with pytest.raises(TemporaryFailure, match="changed while"):
        sweep.decide(replace(layer, warehouses={"warehouse": shifty}), DECISION)

    assert layer.ledger.runs.latest(DECISION) == []
    assert [*layer.archive.folder.rglob("*.parquet")] == []


def test_what_changed_in_the_ledger_meanwhile_is_in_the_archive(layer):
    """Another process decides on the same batch while this one writes its archive."""

    def other():
        replacing = replace(layer, warehouses={"warehouse": inner})
        sweep.decide(replacing, DECISION)

    inner = layer.warehouses["warehouse"]
    late = Replaced(inner, replacement=Once(other))
    sweep.decide(replace(layer, warehouses={"warehouse": late}), DECISION)

    first, second = archived(layer, run=1), archived(layer, run=2)
    assert [row["verdict"] for row in first].count("opened") == 2
    assert [row["verdict"] for row in second].count("opened") == 0
    assert layer.ledger.runs.latest(DECISION)[0].counts["opened"] == 0
    assert [layer.archive.breach(each) for each in layer.ledger.runs.archived()] == [None, None]


class Once:
    """Does something the first time it is called."""

    def __init__(self, act):
        self._acts = [act]

    def __call__(self):
        if self._acts:
            self._acts.pop()()


def test_what_a_killed_run_left_is_recognised_and_gives_way(layer):
    left = layer.archive.place(DECISION, 1)
    left.parent.mkdir(parents=True)
    for run in (1, 2):
        layer.archive.place(DECISION, run).write_bytes(b"half a file")
    assert layer.archive.strays(layer.ledger.runs.archived()) == [
        left,
        layer.archive.place(DECISION, 2),
    ]

    sweep.decide(layer, DECISION)

    assert layer.archive.strays(layer.ledger.runs.archived()) == []
    assert [*map(layer.archive.breach, layer.ledger.runs.archived())] == [None]


def test_running_twice_leaves_two_archives_and_no_draft(layer):
    sweep.decide(layer, DECISION)
    sweep.decide(layer, DECISION)

    files = sorted(file.name for file in layer.archive.folder.rglob("*"))
    assert files == [DECISION, "run-1.parquet", "run-2.parquet"]
    assert [row["reason"] for row in archived(layer, run=2)] == [
        "already open",
        "per_run: 2",
        None,
        "already open",
    ]
