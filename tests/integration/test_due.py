"""What is due, and what a page begins with, is found by an index, however much is stored."""

import pytest
from sqlalchemy import event, text

from decisions.ledger import Filter, Ledger
from decisions.ledger.singles import Selected
from tests.samples import MONDAY, MovableClock, batch, definition, matches, people

SELECTED = Selected(
    subject="acme",
    score=0.9,
    scored_at=MONDAY,
    model_version="1",
    rule="critical",
    action="call",
    assign="mia.chen",
    facts={"risk": 0.9},
    priority=0.9,
    value=None,
)
QUESTIONS = {
    "cases-due": lambda ledger: list(ledger.cases.due(ledger.clock())),
    "messages-due": lambda ledger: ledger.outbox.claim(),
    "messages-to-amend": lambda ledger: ledger.amendments.claim(),
    "outcomes-due": lambda ledger: ledger.results.awaiting_outcome(ledger.clock()),
    "somebodys-queue": lambda ledger: ledger.cases.found(Filter(assignee="mia.chen")),
    "how-much-waits-for-somebody": lambda ledger: ledger.cases.count(Filter(assignee="mia.chen")),
    "how-much-waits-for-each": lambda ledger: ledger.cases.held_by(),
    "messages-to-somebody": lambda ledger: ledger.outbox.sent_to("mia.chen"),
    "a-batch-decided-again": lambda ledger: ledger.runs.record(
        definition(limits={"per_run": 100, "per_assignee": "20 per day"}),
        batch(10),
        matches({"subject": "acme"}),
        people(),
    ),
    "a-record-decided": lambda ledger: ledger.runs.record_one(
        definition(limits={"per_run": 100, "per_assignee": "20 per day"}),
        batch(1),
        SELECTED,
        people(),
    ),
}
GROWING = ("cases", "notifications", "entries", "assignments", "answers", "outcomes")


@pytest.fixture
def ledger(ledger_url):
    opened = Ledger(ledger_url, MovableClock())
    yield opened
    opened.close()


@pytest.fixture
def plans(ledger):
    """Answers a question of the ledger and returns how the database went about each statement."""
    engine, found = ledger._store.engine, []
    is_sqlite = engine.dialect.name == "sqlite"

    @event.listens_for(engine, "before_cursor_execute")
    def explain(connection, cursor, statement, parameters, context, executemany):
        if executemany or not statement.startswith(("SELECT", "UPDATE")):
            return
        asking = connection.connection.cursor()
        asking.execute(f"EXPLAIN {'QUERY PLAN ' * is_sqlite}{statement}", parameters)
        found.extend(str(row[-1]) for row in asking.fetchall())
        asking.close()

    @event.listens_for(engine, "begin")
    def prefer_indices(connection):
        if not is_sqlite:
            # Of an empty table PostgreSQL reads all; here it is to show which index would serve.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")

    def asked(question):
        question(ledger)
        return found

    return asked


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_what_is_asked_all_the_time_reads_no_table_from_end_to_end(plans, question):
    found = plans(question)

    scans = [
        line
        for line in found
        for table in GROWING
        if line == f"SCAN {table}" or f"Seq Scan on {table}" in line
    ]
    assert found != []
    assert scans == []


def test_a_question_without_an_index_would_be_noticed(plans):
    def read_all(ledger):
        with ledger.reading() as connection:
            connection.execute(text("SELECT facts FROM cases WHERE rule = 'critical'")).all()

    found = plans(read_all)

    assert [line for line in found if "SCAN cases" in line or "Seq Scan on cases" in line]
