"""Looks at a measurement in a real ledger: what is published, what stands, what comes after."""

from datetime import timedelta

import pytest
from scipy import stats
from sqlalchemy import insert, select, text

from decisions.effectiveness.declaration import Declaration
from decisions.effectiveness.reading import looks_of_period
from decisions.effectiveness.report import compose
from decisions.effectiveness.verdict import VerdictKind
from decisions.ledger import Ledger
from decisions.ledger.evidence import gather
from decisions.ledger.records import Allocation, Case, Entry, Look, Outcome, Period
from tests.reports import OUTCOME, definition
from tests.samples import MovableClock, batch, matches, people

DAY = timedelta(days=1)
DECLARED = definition(
    holdout={"share": "50%", "salt": "churn-2027"},
    outcome=OUTCOME | {"window": "20d", "lag": "1d", "planned": 400},
)


class Measured:
    """A ledger in which so many subjects of either arm mature every month."""

    def __init__(self, url):
        self.clock = MovableClock()
        self.ledger = Ledger(url, self.clock)
        self.count = 0
        self.ledger.runs.record(DECLARED, batch(0), matches(), people())

    def month(self, *, held_out=(60, 30), treated=(60, 30)):
        """Let so many subjects of each arm mature, so many of them successes."""
        arms = {"control": held_out, "treatment": treated}
        rows = [
            (arm, float(number < successes))
            for arm, (subjects, successes) in arms.items()
            for number in range(subjects)
        ]
        with self.ledger.writing() as transaction:
            known = {"decision": DECLARED.decision, "period": "churn-2027"}
            declared = Declaration.of(DECLARED).sha256
            for arm, value in rows:
                self.count += 1
                subject, mine = f"s{self.count}", known | {"arm": arm}
                drawn = mine | {"subject": subject, "run_id": 1, "declaration": declared}
                transaction.connection.execute(insert(Allocation.__table__).values(**drawn))
                case = case_row(self.count, self.clock(), **mine, subject=subject)
                transaction.connection.execute(insert(Case.__table__).values(**case))
                seen = {"case_id": self.count, "state": "observed", "value": value}
                seen["recorded_at"] = self.clock() + 22 * DAY
                transaction.connection.execute(insert(Outcome.__table__).values(**seen))
        self.clock.now += 30 * DAY
        return self

    def report(self, label=None):
        with self.ledger.counting() as connection:
            evidence = gather(connection, DECLARED, as_of=self.clock(), look=label)
        report = compose(DECLARED, evidence)
        if report.look:
            known = len(looks_of_period(evidence))
            assert self.ledger.looks.publish(DECLARED.decision, report.look, known=known)
        return report

    def rows(self, record):
        with self.ledger.reading() as connection:
            query = select(record.__table__).order_by(record.__table__.c.id)
            return connection.execute(query).mappings().all()


def case_row(number, opened_at, **known):
    return known | {
        "id": number,
        "key": f"CSC-{number}",
        "prefix": "CSC",
        "number": number,
        "version_id": 1,
        "run_id": 1,
        "rule": "critical",
        "action": "call",
        "score": 0.9,
        "scored_at": opened_at,
        "model_name": "gbm",
        "model_version": "1",
        "facts": {},
        "state": "released" if known["arm"] == "control" else "completed",
        "opened_at": opened_at,
        "cycle": 0,
        "step": 0,
        "revision": 0,
    }


@pytest.fixture
def measured(ledger_url):
    made = Measured(ledger_url)
    yield made
    made.ledger.close()


def test_a_look_is_published_with_its_interval_and_its_words(measured):
    measured.month().month()

    report = measured.report("2027-01")

    (look,) = measured.rows(Look)
    assert (look["label"], look["information"], look["verdict"]) == (
        "2027-01",
        0.3,
        "no evidence yet",
    )
    assert look["spent"] == pytest.approx(0.05 * 0.3**2)
    assert (
        look["critical"]
        == pytest.approx(stats.norm.isf(0.00225), abs=1e-6)
        == report.effect.critical
    )
    assert look["sentences"] == report.verdict.sentences
    assert [entry["act"] for entry in measured.rows(Entry)][-1] == "look"
    assert measured.ledger.verified().breach is None


def test_too_early_a_look_is_published_and_spends_nothing(measured):
    measured.month().report("2026-12")
    measured.month().report("2027-01")

    first, second = measured.rows(Look)
    assert (first["verdict"], first["spent"], first["critical"]) == ("too early", None, None)
    assert second["critical"] == pytest.approx(stats.norm.isf(0.00225), abs=1e-6)


def test_a_look_depends_on_those_before_it(measured):
    measured.month().month().report("2027-01")
    measured.month().report("2027-02")

    first, second = (look["critical"] for look in measured.rows(Look))
    assert second < first
    assert second > 1.96


def test_between_looks_the_interval_is_shown_and_the_verdict_stands(measured):
    measured.month().month().report("2027-01")
    measured.month(held_out=(60, 0), treated=(60, 60))

    between = measured.report()

    assert between.effect.gain.lower > 0
    assert between.verdict.kind == VerdictKind.NO_EVIDENCE_YET
    assert between.verdict.sentences.endswith(
        "This is the verdict of the look of January 2027; it stands until the next."
    )
    assert len(measured.rows(Look)) == 1
    assert measured.report("2027-02").verdict.kind == VerdictKind.WORKS


def test_before_the_first_look_there_is_no_verdict_about_an_effect(measured):
    measured.month(held_out=(60, 0), treated=(60, 60)).month()

    report = measured.report()

    assert report.effect.gain.lower > 0
    assert report.verdict.kind == VerdictKind.TOO_EARLY
    assert "First look about 1 February 2027." in report.verdict.recommendation


def test_a_published_verdict_stays_whatever_becomes_known(measured):
    measured.month().month()
    before = measured.report("2027-01")
    with measured.ledger.writing() as transaction:
        transaction.connection.execute(text("UPDATE outcomes SET value = 1 WHERE case_id % 2 = 0"))

    again = measured.report("2027-01")

    assert (again.verdict, again.effect) == (before.verdict, before.effect)
    assert again.looks[0].sentences == before.verdict.sentences
    assert len(measured.rows(Look)) == 1


def test_a_look_skipped_cannot_be_taken_afterwards(measured):
    measured.month().month()
    skipped_at = measured.clock()
    measured.month().report("2027-02")
    later, measured.clock.now = measured.clock.now, skipped_at

    report = measured.report("2027-01")

    assert report.look is None
    assert len(measured.rows(Look)) == 1
    measured.clock.now = later


def test_of_two_who_publish_at_once_the_second_reads_again(measured):
    measured.month().month()
    with measured.ledger.counting() as connection:
        evidence = gather(connection, DECLARED, as_of=measured.clock(), look="2027-01-20")
    other = compose(DECLARED, evidence).look
    measured.report("2027-01")

    assert not measured.ledger.looks.publish(DECLARED.decision, other, known=0)


def test_with_the_plan_complete_the_period_ends_and_the_next_run_begins_another(measured):
    for _ in range(7):
        measured.month()

    report = measured.report("2027-06")

    assert report.verdict.kind == VerdictKind.INCONCLUSIVE
    assert measured.rows(Period)[0]["closed_because"] == "the planned sample is complete"
    assert measured.rows(Look)[0]["critical"] == pytest.approx(1.96, abs=0.001)
    assert measured.month().report("2027-07").look is None
    row = {"subject": "acme", "scored_at": measured.clock()}
    measured.ledger.runs.record(DECLARED, batch(1), matches(row), people())
    assert [period["name"] for period in measured.rows(Period)] == ["churn-2027", "churn-2027/2"]


def test_a_new_period_keeps_the_history_of_the_one_before(measured):
    measured.month().month().report("2027-01")
    changed = definition(holdout={"share": "50%", "salt": "anew"})
    row = {"subject": "acme", "scored_at": measured.clock()}
    measured.ledger.runs.record(changed, batch(1), matches(row), people())

    with measured.ledger.counting() as connection:
        evidence = gather(connection, changed, as_of=measured.clock() + DAY, look="2027-02")

    report = compose(changed, evidence)
    assert report.verdict.kind == VerdictKind.TOO_EARLY
    assert [(look.period, look.label) for look in report.looks] == [("churn-2027", "2027-01")]
    assert (report.reading.number, report.reading.spent) == (0, 0.0)
