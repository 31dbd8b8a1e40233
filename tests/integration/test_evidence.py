import json
import random
import re
from datetime import datetime, timedelta
from itertools import count

import numpy as np
import pytest
from sqlalchemy import insert, text

from decisions.effectiveness.evidence import ENOUGH_SUBJECTS, FollowUp
from decisions.ledger import Ledger
from decisions.ledger.evidence import gather
from decisions.ledger.records import (
    Allocation,
    Answer,
    Assignment,
    Case,
    DriftReference,
    FieldDrift,
    Intervention,
    Notification,
    Outcome,
    Run,
    Version,
)
from tests.reports import definition
from tests.samples import MONDAY, MovableClock

DEFINITION = definition()
WAIT = timedelta(days=62)
AS_OF = MONDAY + timedelta(days=100)
LATER = AS_OF + timedelta(seconds=1)
RECORDS = (
    Version,
    Run,
    DriftReference,
    FieldDrift,
    Allocation,
    Case,
    Assignment,
    Notification,
    Answer,
    Intervention,
    Outcome,
)


def day(number):
    return MONDAY + timedelta(days=number)


class Book:
    """Rows of a ledger, written down one by one and stored together."""

    def __init__(self):
        self.rows = {record: [] for record in RECORDS}
        self.ids = count(1)
        content = DEFINITION.model_dump(mode="json", by_alias=True)
        version = {"number": 7, "definition": content, "recorded_at": MONDAY}
        for decision, sha in (("churn-save-call", DEFINITION.sha256), ("other", "x")):
            self.add(Version, decision=decision, sha256=sha, **version)
        self.run_id = self.run(0)

    def add(self, record, **row):
        self.rows[record].append({"id": next(self.ids)} | row)
        return self.rows[record][-1]["id"]

    def run(self, at, *, decision="churn-save-call", state="recorded", **counts):
        return self.add(
            Run,
            decision=decision,
            version_id=1,
            as_of=day(at),
            recorded_at=day(at),
            state=state,
            batch="b",
            evaluated=1_000,
            counts=counts,
            faults=[],
        )

    def drawn(self, subject, arm, *, declaration="one", run_id=None, period="churn-2027"):
        self.rows[Allocation].append(
            {
                "decision": "churn-save-call",
                "period": period,
                "subject": subject,
                "arm": arm,
                "run_id": run_id or self.run_id,
                "declaration": declaration,
            }
        )

    def case(self, subject, at=0, arm="treatment", **changes):
        opened_at = changes.pop("opened_at", day(at))
        number = next(self.ids)
        row = {
            "key": f"CSC-{number}",
            "decision": "churn-save-call",
            "prefix": "CSC",
            "number": number,
            "version_id": 1,
            "run_id": self.run_id,
            "subject": subject,
            "arm": arm,
            "period": "churn-2027",
            "rule": "critical",
            "action": "call",
            "score": 0.9,
            "scored_at": opened_at,
            "model_name": "gbm",
            "model_version": "1",
            "facts": {},
            "value": 100.0,
            "state": "released" if arm == "control" else "completed",
            "assignee": "mia.chen",
            "opened_at": opened_at,
            "respond_by": opened_at + timedelta(hours=4),
            "cycle": 0,
            "step": 0,
            "revision": 0,
        }
        row |= changes
        case = self.add(Case, **row)
        if arm == "treatment":
            self.assigned(case, row["assignee"], opened_at)
        return case

    def assigned(self, case, to, at):
        self.add(Assignment, case_id=case, assignee=to, by="followthrough", at=at, because="asked")

    def told(self, case, at=0, *, kind="asked", sent=True):
        self.add(
            Notification,
            key=f"n{next(self.ids)}",
            case_id=case,
            kind=kind,
            recipient="mia.chen",
            because="assignee",
            state="sent" if sent else "pending",
            attempts=1,
            created_at=day(at),
            sent_at=day(at) if sent else None,
        )

    def answered(self, case, kind="acknowledge", at=MONDAY, *, accepted=True, **changes):
        self.add(
            Answer,
            interaction=f"i{next(self.ids)}",
            case_id=case,
            kind=kind,
            by="mia.chen",
            at=at,
            via="slack",
            accepted=accepted,
            **{"respond_by": MONDAY + timedelta(hours=4), "reason": None} | changes,
        )

    def intervened(self, case, source="proven", at=1):
        self.add(
            Intervention,
            case_id=case,
            source=source,
            what="call",
            acted_at=day(at),
            recorded_at=day(at),
        )

    def outcome(self, case, value, *, state="observed", recorded_at=AS_OF):
        self.add(Outcome, case_id=case, state=state, value=value, recorded_at=recorded_at)


def plain(rows):
    """Return rows as a reader sees them, who runs a query without knowing our column types."""
    return sorted(
        [
            json.dumps(value) if isinstance(value, dict) else str(value).removesuffix("+00:00")
            for value in map(understood, row.values())
        ]
        for row in rows
    )


def understood(value):
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d .*", value):
        return datetime.fromisoformat(value)
    return int(value) if isinstance(value, bool) else value


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def gathered(ledger_url, book):
    """Stores the book and gathers evidence from it."""
    ledger = Ledger(ledger_url, MovableClock())

    def store_and_gather(of=DEFINITION, as_of=AS_OF, **span):
        with ledger.writing() as transaction:
            for record, rows in book.rows.items():
                if rows:
                    transaction.connection.execute(insert(record.__table__), rows)
        with ledger.counting() as connection:
            found = gather(connection, of, as_of=as_of, **span)
            for name, sql in found.queries.items():
                rows = connection.execute(text(sql.replace(":", "\\:"))).mappings().all()
                assert sql.startswith(("SELECT", "WITH")), name
                assert plain(rows) == plain(found.answers[name]), name
            return found

    yield store_and_gather
    ledger.close()


class TestArms:
    def test_a_subject_counts_once_by_its_first_case(self, book, gathered):
        second, first = book.case("acme", at=20), book.case("acme", at=10)
        book.outcome(first, 0.0)
        book.outcome(second, 1.0)

        found = gathered().treatment

        assert (found.subjects, found.observed, found.total) == (1, 1, 0.0)

    def test_the_last_outcome_recorded_counts(self, book, gathered):
        for subject, *values in (("acme", 0.0, 1.0), ("bolt", 1.0, None), ("cord", None, 1.0)):
            case = book.case(subject)
            for value in values:
                book.outcome(case, value, state="missing" if value is None else "observed")

        found = gathered().treatment

        assert (found.mature, found.observed, found.missing, found.total) == (3, 2, 1, 2.0)

    @pytest.mark.parametrize(
        ("age", "mature"),
        [
            pytest.param(WAIT - timedelta(seconds=1), 0, id="a-second-early"),
            pytest.param(WAIT, 1, id="on-the-second"),
        ],
    )
    def test_a_case_is_mature_once_window_and_lag_have_passed(self, book, gathered, age, mature):
        case = book.case("acme", opened_at=AS_OF - age)
        book.outcome(case, 1.0)

        found = gathered().treatment

        assert (found.subjects, found.mature, found.observed, found.valued) == (
            1,
            mature,
            mature,
            mature,
        )

    def test_arms_are_as_allocated_whoever_was_acted_on(self, book, gathered):
        for arm in ("control", "treatment"):
            for subject, value in ((f"{arm}-1", 1.0), (f"{arm}-2", 0.0)):
                case = book.case(subject, arm=arm)
                book.outcome(case, value)
            book.intervened(case)

        found = gathered()

        for arm in (found.control, found.treatment):
            assert (arm.subjects, arm.mature, arm.observed, arm.total) == (2, 2, 2, 1.0)
            assert (arm.zero_or_one, arm.nonzero, arm.proven) == (2, 1, 1)
            assert arm.squares == pytest.approx(0.5)
            assert (arm.valued, arm.worth) == (2, 200.0)

    def test_what_is_recorded_later_does_not_count(self, book, gathered):
        case, immature = book.case("acme", arm="control"), book.case("bolt", at=99, arm="control")
        book.outcome(case, 1.0, recorded_at=LATER)
        book.intervened(case, at=101)
        book.intervened(immature, at=99)
        book.case("cord", opened_at=LATER, arm="control")

        found = gathered().control

        assert (found.subjects, found.mature, found.observed, found.proven) == (2, 1, 0, 0)

    def test_other_periods_and_decisions_do_not_count(self, book, gathered):
        book.case("acme", period="before")
        book.case("bolt", decision="other")
        book.drawn("acme", "treatment", period="before")

        found = gathered()

        assert found.treatment.subjects == found.treatment.allocated == 0

    def test_without_a_holdout_everybody_is_in_one_period(self, book, gathered):
        book.outcome(book.case("acme", period=""), 1.0)

        found = gathered(definition(holdout=None))

        assert (found.treatment.subjects, found.treatment.total) == (1, 1.0)

    def test_without_an_outcome_nobody_is_ever_mature(self, book, gathered):
        book.case("acme")

        found = gathered(definition(outcome=None))

        assert (found.treatment.subjects, found.treatment.mature) == (1, 0)

    def test_large_amounts_lose_nothing_to_rounding(self, book, gathered):
        values = 1e9 + np.random.default_rng(5).normal(0, 1, 40)
        for number, value in enumerate(values):
            book.outcome(book.case(f"a{number}"), float(value))

        found = gathered().treatment

        assert found.variance == pytest.approx(np.var(values, ddof=1), rel=1e-6)
        assert (found.zero_or_one, found.nonzero) == (0, 40)

    def test_arms_drawn_are_counted_with_the_declarations_they_fell_under(self, book, gathered):
        later = book.run(101)
        book.drawn("acme", "treatment")
        book.drawn("bolt", "treatment", declaration="two")
        book.drawn("cord", "control")
        book.drawn("dune", "control", run_id=later, declaration="three")

        found = gathered()

        assert (found.treatment.allocated, found.control.allocated) == (2, 1)
        assert found.declarations == 2

    @pytest.mark.parametrize("held_out", [ENOUGH_SUBJECTS - 1, ENOUGH_SUBJECTS])
    def test_the_first_look_is_due_when_enough_are_mature(self, book, gathered, held_out):
        for number in range(held_out):
            book.case(f"a{number}", opened_at=day(number / 10), arm="control")

        found = gathered().enough_at

        expected = day((ENOUGH_SUBJECTS - 1) / 10) + WAIT
        assert found == (expected if held_out == ENOUGH_SUBJECTS else None)


class TestFollowUp:
    @pytest.mark.parametrize(
        ("message", "told"),
        [
            pytest.param({}, 1, id="asked"),
            pytest.param({"sent": False}, 0, id="not-sent-yet"),
            pytest.param({"kind": "escalated"}, 0, id="somebody-else-told"),
            pytest.param({"at": 101}, 0, id="sent-later"),
        ],
    )
    def test_told_means_the_question_was_sent(self, book, gathered, message, told):
        case = book.case("acme")
        book.told(case, **message)
        book.told(case, **message)

        assert gathered().followed.told == told

    @pytest.mark.parametrize(
        ("answer", "answered", "in_time"),
        [
            pytest.param({"at": MONDAY + timedelta(hours=4)}, 1, 1, id="by-the-deadline"),
            pytest.param({"at": MONDAY + timedelta(hours=4, seconds=1)}, 1, 0, id="late"),
            pytest.param({"kind": "snooze"}, 0, 0, id="snoozed"),
            pytest.param({"kind": "reassign"}, 0, 0, id="passed-on"),
            pytest.param({"accepted": False}, 0, 0, id="not-accepted"),
            pytest.param({"at": LATER}, 0, 0, id="after-the-report"),
        ],
    )
    def test_answered_means_an_accepted_answer(self, book, gathered, answer, answered, in_time):
        book.answered(book.case("acme"), **answer)

        found = gathered().followed

        assert (found.answered, found.in_time) == (answered, in_time)

    def test_the_first_answer_decides_whether_it_was_in_time(self, book, gathered):
        case = book.case("acme")
        book.answered(case, at=MONDAY + timedelta(hours=1))
        book.answered(case, "done", at=MONDAY + timedelta(days=3))

        assert gathered().followed == FollowUp(
            opened=1, answered=1, in_time=1, untraced=1, unproven=1, mature=1, unobserved=1
        )

    def test_in_time_is_by_the_deadline_that_stood_when_it_was_answered(self, book, gathered):
        moved_on = {"respond_by": day(40)}
        late, timely = book.case("acme", **moved_on), book.case("bolt", respond_by=day(-1))
        book.answered(late, at=day(3), respond_by=day(2))
        book.answered(timely, at=day(1), respond_by=day(2))

        found = gathered().followed

        assert (found.answered, found.in_time) == (2, 1)

    def test_an_answer_without_a_deadline_is_not_in_time(self, book, gathered):
        book.answered(book.case("acme"), respond_by=None)

        found = gathered().followed

        assert (found.answered, found.in_time) == (1, 0)

    def test_a_case_counts_for_whoever_held_it_at_the_reports_instant(self, book, gathered):
        case = book.case("acme", assignee="mia.chen")
        book.assigned(case, "ben.okafor", AS_OF)
        book.assigned(case, "dana.reyes", LATER)

        assert list(gathered().assignees) == ["ben.okafor"]

    def test_whoever_overrides_is_not_expected_to_act(self, book, gathered):
        book.answered(book.case("acme"), "override", reason="data is wrong")
        reported, proven = book.case("bolt"), book.case("cord")
        book.answered(reported)
        book.intervened(reported, "reported")
        book.answered(proven)
        book.intervened(proven)

        found = gathered().followed

        assert (found.overridden, found.reported, found.proven) == (1, 1, 1)
        assert (found.untraced, found.unproven) == (0, 1)

    def test_overrides_are_counted_by_reason_and_case(self, book, gathered):
        for subject, reason in (
            ("acme", "data is wrong"),
            ("bolt", "data is wrong"),
            ("cord", None),
        ):
            case = book.case(subject)
            book.answered(case, "override", reason=reason)
            book.answered(case, "override", reason="too late", accepted=False)

        assert gathered().overrides == {"data is wrong": 2, "no reason given": 1}

    def test_what_came_of_overridden_cases_stands_beside_what_came_of_followed_ones(
        self, book, gathered
    ):
        for number in range(12):
            case = book.case(f"a{number}")
            if number < 6:
                book.answered(case, "override", reason="data is wrong")
            else:
                book.answered(case)
            book.outcome(case, float(number % 3 == 0))
        for subject, at in (("few", 0), ("young", 99)):
            book.answered(book.case(subject, at=at), "override", reason="too late", at=day(99))

        found = gathered().by_answer

        assert [(each.reason, each.cases, each.known, each.mean) for each in found] == [
            (None, 6, 6, pytest.approx(1 / 3)),
            ("data is wrong", 6, 6, pytest.approx(1 / 3)),
            ("too late", 1, 0, None),
        ]

    def test_held_out_cases_are_nobodys_open_loop(self, book, gathered):
        book.case("acme", arm="control")

        found = gathered()

        assert (found.held_out, found.followed.opened, found.assignees) == (1, 0, {})

    def test_a_span_holds_what_opened_in_it_and_loops_hold_everything(self, book, gathered):
        for at, assignee in ((0, "mia.chen"), (30, "mia.chen"), (60, "ben.okafor")):
            book.answered(book.case(f"a{at}", at=at, assignee=assignee), "override", reason="no")
            book.case(f"b{at}", at=at, arm="control")

        found = gathered(since=day(30), until=day(60))

        assert (found.followed.opened, found.held_out, found.overrides) == (1, 1, {"no": 1})
        opened = {person: loop.opened for person, loop in found.assignees.items()}
        assert opened == {"mia.chen": 2, "ben.okafor": 1}
        assert found.treatment.subjects == 3


class TestRuns:
    def test_verdicts_are_summed_over_the_span(self, book, gathered):
        book.run(10, opened=5, held_out=1, suppressed={"per_run": 2}, not_met=992)
        book.run(
            20, opened=3, held_out=0, suppressed={"per_run": 1, "already open": 4}, not_met=992
        )
        book.run(30, state="withheld", withheld=1_000)
        book.run(40, state="withheld", withheld={"gate": 500})
        book.run(50, opened=1, withheld={"the model is not sure": 30})
        book.run(101, opened=9)
        book.run(10, decision="other", opened=9)

        found = gathered(since=day(1)).runs

        assert (found.runs, found.withheld_runs, found.evaluated) == (5, 2, 5_000)
        assert found.withheld == {"gate": 1_500, "the model is not sure": 30}
        assert found.suppressed == {"per_run": 3, "already open": 4}
        assert found.verdicts == {
            "opened": 9,
            "held_out": 1,
            "suppressed": 7,
            "not_met": 1_984,
            "withheld": 1_530,
        }

    def test_the_version_is_the_one_of_this_exact_content(self, book, gathered):
        assert gathered().version == 7

    def test_a_version_never_run_has_no_number(self, book, gathered):
        assert gathered(definition(review_by="2028-01-01")).version is None


class TestDrift:
    def test_fields_that_moved_are_counted_over_the_runs_of_the_span(self, book, gathered):
        blank = {"edges": [], "values": [], "counts": [], "batch": "b"}
        reference = book.add(
            DriftReference,
            decision="churn-save-call",
            field="risk",
            set_at=MONDAY,
            set_by="lee.park",
            **blank,
        )
        for at, psi in ((-5, 0.9), (10, 0.1), (20, 0.31), (30, 0.2)):
            measured = {"field": "risk", "reference_id": reference, "psi": psi, "bound": 0.2}
            book.rows[FieldDrift].append({"run_id": book.run(at)} | measured)

        (moved,) = gathered(since=day(0)).drift

        assert (moved.field, moved.runs, moved.flagged, moved.most) == ("risk", 3, 1, 0.31)
        assert moved.last_at == day(20)


class TestAdoption:
    @pytest.fixture
    def worked(self, book):
        """Twenty cases whose first answer took 1, 2, … 20 working hours."""
        cases = [book.case(f"a{hours}") for hours in range(1, 21)]
        for hours, case in enumerate(cases, start=1):
            book.answered(case, at=MONDAY + timedelta(hours=hours), worked=hours * 3_600)
            book.answered(case, at=AS_OF, kind="done", worked=90 * 3_600)
        return cases

    def test_the_middle_and_the_slow_of_the_times_taken(self, worked, gathered):
        first, done = gathered().adoption.times

        assert (first.count, first.median, first.slow) == (20, 10 * 3_600, 18 * 3_600)
        assert first.within == {1: 1, 4: 4, 8: 8, 16: 16, 40: 20}
        assert (done.count, done.median) == (20, 90 * 3_600)

    def test_answers_whose_time_nobody_took_are_left_out(self, book, gathered):
        book.answered(book.case("a"), worked=None)

        assert gathered().adoption.times == ()

    def test_what_was_said_is_held_against_what_is_proven(self, book, gathered):
        both, said, shown, against, nothing, silent = (book.case(f"a{n}") for n in range(6))
        for case in (both, said, shown, nothing):
            book.answered(case)
        book.answered(against, kind="override", reason="data is wrong")
        for case in (both, said):
            book.intervened(case, source="reported")
        for case in (both, shown, against):
            book.intervened(case)

        found = gathered().adoption.agreement

        assert found.model_dump() == {
            "both": 1,
            "reported": 1,
            "proven": 1,
            "contradicted": 1,
            "neither": 1,
        }
        assert silent

    @pytest.mark.parametrize(("overridden", "shown"), [(4, None), (5, 5)])
    def test_small_numbers_of_a_person_are_not_shown(self, book, gathered, overridden, shown):
        for number in range(overridden):
            book.answered(book.case(f"a{number}"), kind="override", reason="data is wrong")

        (mia,) = gathered().adoption.overrides

        assert (mia.person, mia.count, dict(mia.reasons)) == (
            "mia.chen",
            shown,
            {"data is wrong": shown},
        )

    @pytest.mark.parametrize(
        ("days", "place"), [(6.99, 0), (7, 1), (29.99, 1), (30, 2), (89.99, 2), (90, 3)]
    )
    def test_open_loops_are_counted_by_age(self, book, gathered, days, place):
        book.case("a", opened_at=AS_OF - timedelta(days=days))

        (mia,) = gathered().adoption.aged

        assert mia.counts == tuple(int(each == place) for each in range(4))

    def test_each_case_with_something_open_is_named_with_what_it_lacks(self, book, gathered):
        done = book.case("done", at=0)
        book.answered(done)
        book.intervened(done)
        book.outcome(done, 1.0)
        answered, silent = book.case("answered", at=1), book.case("silent", at=95)
        book.answered(answered)

        found = gathered().adoption

        assert [(each.lacks, each.assignee) for each in found.loose_ends] == [
            (("proof", "outcome"), "mia.chen"),
            (("answer",), "mia.chen"),
        ]
        assert found.open_cases == 2
        assert silent

    def test_where_no_proof_is_declared_a_report_closes_the_loop(self, book, gathered):
        told, silent = book.case("told", at=95), book.case("silent", at=96)
        for case in (told, silent):
            book.answered(case)
        book.intervened(told, source="reported")

        (left,) = gathered(definition(intervention=None)).adoption.loose_ends

        assert left.lacks == ("report",)


class TestSlices:
    BY = (
        {"by": "account_manager"},
        {"by": "arr", "at": [50_000, 100_000]},
    )

    def parts(self, gathered, *, by=BY):
        found = gathered(definition(report={"slices": by})).slices
        return {
            each.by: {
                part.label: (
                    (part.control.subjects, part.control.observed, part.control.total),
                    (part.treatment.subjects, part.treatment.observed, part.treatment.total),
                )
                for part in each.parts
            }
            for each in found
        }

    def test_subjects_are_parted_by_what_their_first_case_froze(self, book, gathered):
        for number, (arr, arm) in enumerate(
            [
                (49_999.5, "control"),
                (50_000, "treatment"),
                (99_999, "control"),
                (100_000, "control"),
            ]
        ):
            facts = {"account_manager": "price", "arr": arr}
            book.outcome(book.case(f"a{number}", arm=arm, facts=facts), 1.0)
        book.case("a0", at=1, arm="control", facts={"account_manager": "Bolt", "arr": 900_000})

        found = self.parts(gathered)

        assert found["arr"] == {
            "under 50,000": ((1, 1, 1.0), (0, 0, 0.0)),
            "50,000 to under 100,000": ((1, 1, 1.0), (1, 1, 1.0)),
            "100,000 and more": ((1, 1, 1.0), (0, 0, 0.0)),
        }
        assert found["account_manager"] == {"price": ((3, 3, 3.0), (1, 1, 1.0))}

    def test_what_is_not_known_is_a_part_of_its_own(self, book, gathered):
        book.case("a0", facts={"account_manager": None, "arr": None})
        book.case("a1", facts={})

        assert {field: set(found) for field, found in self.parts(gathered).items()} == {
            "account_manager": {"not known"},
            "arr": {"not known"},
        }

    def test_of_many_values_the_most_frequent_are_counted(self, book, gathered):
        for number in range(12):
            for again in range(1 + (number < 3)):
                book.case(f"a{number}-{again}", facts={"account_manager": f"c{number:02}"})

        (found,) = gathered(definition(report={"slices": [{"by": "account_manager"}]})).slices

        assert [part.label for part in found.parts] == [f"c{number:02}" for number in range(8)]


def test_an_empty_ledger_has_nothing_to_tell(ledger_url):
    ledger = Ledger(ledger_url, MovableClock())

    with ledger.counting() as connection:
        found = gather(connection, DEFINITION, as_of=AS_OF)
    ledger.close()

    told = {"queries": {}, "answers": {}, "declaration": "", "matures_after": None}
    assert found.model_copy(update=told) == type(found)(as_of=AS_OF)


def test_the_printed_sql_gives_the_printed_numbers(ledger_url, book, gathered):
    for number in range(30):
        case = book.case(f"a{number}", arm="control" if number % 3 == 0 else "treatment")
        book.outcome(case, float(number % 2))
    found = gathered(since=day(-1))
    ledger = Ledger(ledger_url, MovableClock())

    with ledger.reading() as connection:
        sql = text(found.queries["arms"].replace(":", "\\:"))
        rows = {row["arm"]: row for row in connection.execute(sql).mappings()}
    ledger.close()

    assert rows["control"]["observed"] == found.control.observed == 10
    assert rows["treatment"]["total"] == found.treatment.total == 10.0


def test_the_counts_agree_with_counting_by_hand(book, gathered):
    chance = random.Random(3)
    first, arms = {}, {}
    for at in sorted(chance.choices(range(100), k=400)):
        subject = f"s{chance.randrange(150)}"
        arm = arms.setdefault(subject, chance.choice(["control", "treatment", "treatment"]))
        case = book.case(subject, at=at, arm=arm)
        values = [chance.choice([None, 0.0, 1.0]) for _ in range(chance.randrange(3))]
        for value in values:
            book.outcome(case, value, state="missing" if value is None else "observed")
        if is_proven := chance.random() < 0.3:
            book.intervened(case)
        first.setdefault(subject, (arm, day(at) + WAIT <= AS_OF, values, is_proven))

    found = gathered()

    for arm, counted in (("control", found.control), ("treatment", found.treatment)):
        mine = [case for case in first.values() if case[0] == arm]
        mature = [case for case in mine if case[1]]
        known = [values[-1] for _, _, values, _ in mature if values and values[-1] is not None]
        assert counted.subjects == len(mine)
        assert counted.mature == len(mature)
        assert counted.observed == len(known)
        assert counted.missing == sum(bool(v) and v[-1] is None for _, _, v, _ in mature)
        assert counted.total == sum(known)
        assert counted.proven == sum(is_proven for *_, is_proven in mature)
