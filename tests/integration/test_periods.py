"""Measurement periods in a real ledger: what begins one, what ends it, what is held to it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from decisions.effectiveness.declaration import Declaration
from decisions.effectiveness.report import compose
from decisions.effectiveness.verdict import VerdictKind
from decisions.ledger import Ledger
from decisions.ledger.evidence import gather, measured
from decisions.ledger.records import Allocation, Case, Entry, Period
from tests.reports import OUTCOME, definition
from tests.samples import MONDAY, MovableClock, batch, matches, people

DAY = timedelta(days=1)
DECLARED = definition()
SHORTER = definition(outcome=OUTCOME | {"window": "30d"})


class Book:
    """A ledger whose clock moves on a day with every run."""

    def __init__(self, url):
        self.clock = MovableClock()
        self.ledger = Ledger(url, self.clock)

    def run(self, of=DECLARED, *subjects):
        rows = [{"subject": subject, "scored_at": self.clock()} for subject in subjects]
        self.ledger.runs.record(of, batch(10), matches(*rows), people())
        self.clock.now += DAY

    def rows(self, record):
        with self.ledger.reading() as connection:
            return connection.execute(select(record.__table__)).mappings().all()

    def reported(self, of, as_of=None):
        as_of = as_of or self.clock()
        with self.ledger.counting() as connection:
            by = measured(connection, of, as_of=as_of)
            return compose(by, gather(connection, by, as_of=as_of))


@pytest.fixture
def book(ledger_url):
    made = Book(ledger_url)
    yield made
    made.ledger.close()


def test_what_is_declared_is_stored_with_the_first_arm(book):
    book.run(DECLARED, "acme")

    (period,), (arm,), (case,) = (book.rows(each) for each in (Period, Allocation, Case))
    declared = Declaration.of(DECLARED)
    assert (period["name"], period["began_at"]) == ("churn-2027", MONDAY)
    assert period["declaration"] == declared.content
    assert period["sha256"] == arm["declaration"] == declared.sha256
    assert arm["period"] == case["period"] == "churn-2027"
    assert [entry["act"] for entry in book.rows(Entry) if "churn-2027" in entry["object"]] == [
        "period began"
    ]


def test_the_same_declaration_goes_on_with_its_period(book):
    book.run(DECLARED, "acme")
    book.run(definition(review_by="2030-01-01"), "acme", "bolt")

    assert len(book.rows(Period)) == 1
    assert {row["period"] for row in book.rows(Allocation)} == {"churn-2027"}


def test_a_changed_declaration_begins_a_new_period_and_draws_everybody_anew(book):
    book.run(DECLARED, "acme")
    book.run(SHORTER, "acme", "bolt")

    first, second = book.rows(Period)
    assert (first["closed_at"], first["closed_because"]) == (
        MONDAY + DAY,
        "the declaration was changed",
    )
    assert (second["name"], second["closed_at"]) == ("churn-2027/2", None)
    assert {(row["period"], row["subject"]) for row in book.rows(Allocation)} == {
        ("churn-2027", "acme"),
        ("churn-2027/2", "acme"),
        ("churn-2027/2", "bolt"),
    }


def test_a_holdout_taken_back_ends_the_period(book):
    book.run(DECLARED, "acme")
    book.run(definition(holdout=None), "bolt")
    book.run(DECLARED, "cord")

    assert [row["name"] for row in book.rows(Period)] == ["churn-2027", "churn-2027/2"]
    assert book.rows(Period)[0]["closed_because"] == "no holdout is declared any more"
    assert [row["period"] for row in book.rows(Case)] == ["churn-2027", "", "churn-2027/2"]


def test_a_salt_that_begins_like_another_is_not_taken_for_it(book):
    for salt in ("a", "a_", "a", "b"):
        book.run(definition(holdout={"share": "10%", "salt": salt}), "acme")

    assert [row["name"] for row in book.rows(Period)] == ["a", "a_", "a/2", "b"]


def test_a_change_that_has_not_run_yet_leaves_nothing_to_judge(book):
    book.run(DECLARED, "acme")

    found = book.reported(SHORTER).verdict

    assert found.kind == VerdictKind.CANNOT_BE_JUDGED
    assert "The declaration was changed after arms had been drawn (outcome.window)" in (
        found.sentences
    )


def test_a_past_month_is_judged_by_what_was_declared_then(book):
    book.run(DECLARED, "acme")
    book.run(SHORTER, "bolt")

    then, now = book.reported(SHORTER, MONDAY), book.reported(SHORTER)

    assert (then.about.period, then.about.measure.window) == ("churn-2027", "60 days")
    assert (now.about.period, now.about.measure.window) == ("churn-2027/2", "30 days")
    assert {then.verdict.kind, now.verdict.kind} == {VerdictKind.TOO_EARLY}
