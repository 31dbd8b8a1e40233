from datetime import timedelta

import pyarrow as pa
import pytest

from decisions.deciding.limits import History, reasons
from decisions.definition import Limits
from tests.samples import MONDAY, matches


def routed(*rows):
    table = matches(*rows)
    return table.append_column("assignee", table.column("assign"))


def history(*cases, today=None):
    schema = pa.schema(
        [
            ("subject", pa.string()),
            ("unfinished", pa.int64()),
            ("last_scored_at", pa.timestamp("us", tz="UTC")),
            ("recent", pa.int64()),
        ]
    )
    return History(pa.Table.from_pylist(list(cases), schema=schema), today or {})


def known(subject, *, unfinished=0, scored_days_ago=7, recent=0):
    return {
        "subject": subject,
        "unfinished": unfinished,
        "last_scored_at": MONDAY - timedelta(days=scored_days_ago),
        "recent": recent,
    }


def test_without_limits_and_history_everybody_may_go_on():
    assert reasons(routed({"subject": "a"}, {"subject": "b"}), history(), Limits()).to_pylist() == [
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(known("a", unfinished=1), "already open", id="still-open"),
        pytest.param(known("a", scored_days_ago=0), "already decided", id="same-signal"),
        pytest.param(known("a", scored_days_ago=7), None, id="newer-signal"),
        pytest.param(known("a", recent=1), "per_subject", id="too-soon"),
    ],
)
def test_what_the_ledger_knows_of_a_subject_counts(case, expected):
    limits = Limits.model_validate({"per_subject": "1 per 30d"})

    assert reasons(routed({"subject": "a"}), history(case), limits).to_pylist() == [expected]


def test_a_person_gets_so_many_a_day_the_most_urgent_first():
    limits = Limits.model_validate({"per_assignee": "2 per day"})
    rows = [{"subject": s, "priority": p} for s, p in [("a", 0.1), ("b", 0.9), ("c", 0.5)]]

    assert reasons(routed(*rows), history(), limits).to_pylist() == ["per_assignee", None, None]


def test_what_was_opened_earlier_today_counts_against_the_day():
    limits = Limits.model_validate({"per_assignee": "2 per day"})
    rows = routed({"subject": "a"}, {"subject": "b"})

    found = reasons(rows, history(today={"mia.chen": 1}), limits).to_pylist()

    assert found == [None, "per_assignee"]


def test_a_suppressed_subject_takes_nobodys_place():
    limits = Limits.model_validate({"per_run": 1})
    rows = routed({"subject": "a", "priority": 0.9}, {"subject": "b", "priority": 0.1})

    found = reasons(rows, history(known("a", unfinished=1)), limits).to_pylist()

    assert found == ["already open", None]


def test_a_run_opens_so_many_and_ties_go_by_subject():
    limits = Limits.model_validate({"per_run": 2})
    rows = routed({"subject": "c"}, {"subject": "a"}, {"subject": "b"})

    assert reasons(rows, history(), limits).to_pylist() == [None, None, "per_run"]
