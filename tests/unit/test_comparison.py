from datetime import timedelta

import pyarrow as pa
import pytest

from decisions.deciding.comparison import compared, span_in_weeks
from tests.samples import MONDAY, action, definition

OPENED = {"reason": None, "arm": "treatment", "assignee": "mia.chen", "action": "call"}


def verdicts(*rows):
    filled = [{"value": 0.0, "place": 0} | OPENED | row for row in rows]
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("subject", "action", "assignee", "arm", "reason")),
            ("value", pa.float64()),
            ("place", pa.int64()),
        ]
    )
    return pa.Table.from_pylist(filled, schema=schema)


def both(before, after, *, instants=(MONDAY,), **changes):
    made = definition(**changes)
    tried, other = ("the file", made, verdicts(*after)), ("version 1", made, verdicts(*before))
    return compared(tried, other, instants)


@pytest.mark.parametrize(
    ("days", "weeks"),
    [
        pytest.param([0], 1, id="one-batch"),
        pytest.param([0, 1], 1, id="two-days-are-no-less-than-a-week"),
        pytest.param([*range(14)], 2, id="daily-for-two-weeks"),
        pytest.param([0, 7, 14, 21], 4, id="weekly-for-four"),
        pytest.param([0, 14], 4, id="fortnightly"),
    ],
)
def test_batches_stand_for_the_weeks_up_to_the_next_one(days, weeks):
    assert span_in_weeks([MONDAY + timedelta(days=day) for day in days]) == pytest.approx(weeks)


def test_every_fate_is_counted():
    found = both(
        [{"subject": "a"}],
        [
            {"subject": "a"},
            {"subject": "b", "arm": "control"},
            {"subject": "c", "reason": "per_run: 1"},
            {"subject": "d", "reason": "per_run: 1", "arm": "control"},
        ],
    )

    after = found.after
    assert (after.selected, after.opened, after.held_out) == (4, 1, 1)
    assert after.suppressed == {"per_run": 2}
    assert (found.before.opened, found.before.suppressed) == (1, {})


def test_subjects_fare_otherwise_in_three_ways():
    found = both(
        [{"subject": "same"}, {"subject": "gone"}, {"subject": "other"}],
        [{"subject": "same"}, {"subject": "new"}, {"subject": "other", "action": "write"}],
    )

    assert (found.newly_opened, found.no_longer_opened, found.changed_action) == (1, 1, 1)
    assert {(each.subject, each.before, each.after) for each in found.examples} == {
        ("new", None, "call"),
        ("gone", "call", None),
        ("other", "call", "write"),
    }


def test_the_first_case_of_a_subject_decides_which_action_it_had():
    found = both(
        [{"subject": "a", "action": "write", "place": 1}, {"subject": "a", "place": 0}],
        [{"subject": "a", "action": "call", "place": 3}],
    )

    assert found.changed_action == 0


def test_examples_are_few_and_counts_are_whole():
    found = both([], [{"subject": f"a{n}"} for n in range(40)])

    assert found.newly_opened == 40
    assert len(found.examples) == 5


def test_an_assignees_share_is_per_week_with_what_the_limit_keeps_from_them():
    weekly = [MONDAY, MONDAY + timedelta(days=7)]
    over = {"reason": "per_assignee: 4 per day", "assignee": "ben.okafor"}
    found = both(
        [{"subject": "a"}],
        [
            {"subject": "a"},
            *({"subject": f"b{n}", "assignee": "ben.okafor"} for n in range(8)),
            *({"subject": f"c{n}"} | over for n in range(4)),
        ],
        instants=weekly,
        limits={"per_assignee": "4 per day"},
    )

    ben, mia = found.assignees
    assert (ben.assignee, ben.before, ben.after, ben.beyond) == ("ben.okafor", 0, 4, 2)
    assert (mia.assignee, mia.before, mia.after, mia.beyond) == ("mia.chen", 0.5, 0.5, 0)
    assert ben.limit == "4 per day"


def test_money_is_summed_over_cases_that_are_opened_for_somebody():
    outcome = {
        "from": "warehouse", "table": "renewals", "on": "account_id", "measure": "renewed",
        "window": "60d", "better": "higher", "value": "arr",
    }  # fmt: skip
    rows = [
        {"subject": "a", "value": 100.0},
        {"subject": "b", "value": 50.0, "arm": "control"},
        {"subject": "c", "value": 30.0, "reason": "per_run: 1"},
    ]
    found = both([], rows, outcome=outcome, actions={"call": action()})

    assert (found.after.value, found.after.unit) == (100.0, "USD")
    assert found.before.value == 0
