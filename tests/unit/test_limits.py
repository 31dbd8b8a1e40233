import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.deciding.limits import (
    History,
    Known,
    Ramp,
    cost,
    cost_of_one,
    kind,
    reason_of_one,
    reasons,
)
from decisions.definition import Limits
from decisions.release import Placing
from tests.samples import MONDAY, matches


def routed(*rows):
    table = matches(*rows)
    return table.append_column("assignee", table.column("assign"))


def history(*cases, today=None, **more):
    schema = pa.schema(
        [
            ("subject", pa.string()),
            ("unfinished", pa.int64()),
            ("last_scored_at", pa.timestamp("us", tz="UTC")),
            ("recent", pa.int64()),
        ]
    )
    return History(pa.Table.from_pylist(list(cases), schema=schema), today or {}, **more)


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
        pytest.param(known("a", recent=1), "per_subject: 1 per 30 days", id="too-soon"),
    ],
)
def test_what_the_ledger_knows_of_a_subject_counts(case, expected):
    limits = Limits.model_validate({"per_subject": "1 per 30d"})

    assert reasons(routed({"subject": "a"}), history(case), limits).to_pylist() == [expected]


def test_a_person_gets_so_many_a_day_the_most_urgent_first():
    limits = Limits.model_validate({"per_assignee": "2 per day"})
    rows = [{"subject": s, "priority": p} for s, p in [("a", 0.1), ("b", 0.9), ("c", 0.5)]]

    assert reasons(routed(*rows), history(), limits).to_pylist() == [
        "per_assignee: 2 per day",
        None,
        None,
    ]


def test_what_was_opened_earlier_today_counts_against_the_day():
    limits = Limits.model_validate({"per_assignee": "2 per day"})
    rows = routed({"subject": "a"}, {"subject": "b"})

    found = reasons(rows, history(today={"mia.chen": 1}), limits).to_pylist()

    assert found == [None, "per_assignee: 2 per day"]


def test_a_suppressed_subject_takes_nobodys_place():
    limits = Limits.model_validate({"per_run": 1})
    rows = routed({"subject": "a", "priority": 0.9}, {"subject": "b", "priority": 0.1})

    found = reasons(rows, history(known("a", unfinished=1)), limits).to_pylist()

    assert found == ["already open", None]


def test_a_run_opens_so_many_and_ties_go_by_subject():
    limits = Limits.model_validate({"per_run": 2})
    rows = routed({"subject": "c"}, {"subject": "a"}, {"subject": "b"})

    assert reasons(rows, history(), limits).to_pylist() == [None, None, "per_run: 2"]


BUDGET = {"cost": {"of": "model_cost", "at_most": "300 USD per month"}}


def costing(subject, amount, priority=0.5):
    facts = json.dumps({"account_id": subject, "model_cost": amount})
    return {"subject": subject, "priority": priority, "facts": facts}


@pytest.mark.parametrize(
    ("amount", "spent", "expected"),
    [
        pytest.param(100, "200", [None], id="to-the-cent"),
        pytest.param(100.01, "200", ["cost: 300 USD per month"], id="a-cent-more"),
        pytest.param(0, "300", [None], id="what-costs-nothing-always-fits"),
        pytest.param(1e300, "0", ["cost: 300 USD per month"], id="without-end"),
    ],
)
def test_a_month_may_cost_so_much(amount, spent, expected):
    limits = Limits.model_validate(BUDGET)

    found = reasons(routed(costing("a", amount)), history(spent=Decimal(spent)), limits)

    assert found.to_pylist() == expected


def test_whoever_does_not_fit_lets_nobody_behind_them_pass():
    limits = Limits.model_validate(BUDGET)
    rows = [costing("a", 200, 0.9), costing("b", 150, 0.8), costing("c", 1, 0.7)]

    found = reasons(routed(*rows), history(), limits).to_pylist()

    assert [reason and kind(reason) for reason in found] == [None, "cost", "cost"]


def test_only_cases_nothing_speaks_against_cost_anything():
    limits = Limits.model_validate(BUDGET)
    rows = routed(costing("a", 0.1), costing("b", 0.2), costing("c", 50))

    reason = pa.array([None, None, "already open"], pa.string())

    assert cost(rows.append_column("reason", reason), limits) == Decimal("0.3")


def ranked(rows):
    return sorted(rows, key=lambda row: (-row["priority"], row["subject"]))


def expected_reasons(rows, known_cases, today, in_batch, spent, limits):
    """Go through the subjects one by one, the most urgent first, as a person would."""
    told, places, taken, used = {}, Counter(today), in_batch, spent
    by_subject = {case["subject"]: case for case in known_cases}
    for row in rows:
        case = by_subject.get(row["subject"])
        if case and case["unfinished"]:
            told[row["subject"]] = "already open"
        elif case and case["last_scored_at"] >= MONDAY:
            told[row["subject"]] = "already decided"
        elif case and limits.per_subject and case["recent"] >= limits.per_subject.count:
            told[row["subject"]] = "per_subject"
    going = [row for row in ranked(rows) if row["subject"] not in told]
    within_day = []
    for row in going:
        places[row["assign"]] += 1
        if limits.per_assignee and places[row["assign"]] > limits.per_assignee.count:
            told[row["subject"]] = "per_assignee"
        else:
            within_day.append(row)
    is_paused = False
    for row in within_day:
        taken += 1
        used += Decimal(row["cents"]) / 100
        is_paused = is_paused or bool(limits.cost and used > limits.cost.at_most.size)
        if limits.per_run and taken > limits.per_run:
            told[row["subject"]] = "per_run"
        elif is_paused:
            told[row["subject"]] = "cost"
    return [told.get(row["subject"]) for row in sorted(rows, key=lambda row: row["subject"])]


SUBJECTS = st.lists(
    st.fixed_dictionaries(
        {
            "subject": st.integers(0, 40).map(str),
            "priority": st.sampled_from([0.1, 0.5, 0.9]),
            "assign": st.sampled_from(["mia.chen", "ben.okafor"]),
            "cents": st.integers(0, 20_000),
        }
    ),
    unique_by=lambda row: row["subject"],
    min_size=1,
    max_size=25,
)
KNOWN = st.lists(
    st.builds(
        known,
        st.integers(0, 40).map(str),
        unfinished=st.integers(0, 1),
        scored_days_ago=st.integers(0, 1),
        recent=st.integers(0, 2),
    ),
    unique_by=lambda case: case["subject"],
    max_size=10,
)
BOUNDS = st.fixed_dictionaries(
    {},
    optional={
        "per_subject": st.sampled_from(["1 per 30d", "2 per 30d"]),
        "per_assignee": st.sampled_from(["1 per day", "4 per day"]),
        "per_run": st.integers(1, 8),
        "cost": st.sampled_from([50, 300]).map(
            lambda size: {"of": "model_cost", "at_most": f"{size} USD per month"}
        ),
    },
)


@settings(deadline=None, max_examples=80)
@given(
    SUBJECTS,
    KNOWN,
    BOUNDS,
    st.dictionaries(st.sampled_from(["mia.chen", "ben.okafor"]), st.integers(0, 5)),
    st.integers(0, 5),
    st.integers(0, 40_000),
)
def test_any_batch_fares_as_if_gone_through_by_hand(rows, cases, bounds, today, in_batch, cents):
    limits, spent = Limits.model_validate(bounds), Decimal(cents) / 100
    written = [
        {"assign": row["assign"], **costing(row["subject"], row["cents"] / 100, row["priority"])}
        for row in rows
    ]
    past = history(*cases, today=today, in_batch=in_batch, spent=spent)

    found = reasons(routed(*written), past, limits).to_pylist()

    expected = expected_reasons(rows, cases, today, in_batch, spent, limits)
    assert [reason and kind(reason) for reason in found] == expected


SOME_LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "per_subject": st.sampled_from(["1 per 30d", "2 per 7d"]),
        "per_assignee": st.sampled_from(["1 per day", "3 per day"]),
        "per_run": st.sampled_from([1, 2]),
        "cost": st.sampled_from([{"of": "price", "at_most": "100 EUR per month"}]),
    },
)
RAMPS = st.sampled_from(
    [None, *(Ramp("churn-save-call", Placing.ramp(s)) for s in (0.1, 0.5, 1.0))]
)


BEFORE = st.fixed_dictionaries(
    {
        "unfinished": st.integers(0, 1),
        "scored_days_ago": st.sampled_from([-1, 0, 7]),
        "recent": st.integers(0, 3),
    }
)
COUNTED = st.fixed_dictionaries(
    {
        "in_batch": st.integers(0, 3),
        "spent": st.sampled_from(["0", "59.999999", "60", "60.000001"]).map(Decimal),
    }
)
SUBJECTS = st.sampled_from(["acme", "brightwater", "cobalt", "dune"])


@settings(max_examples=150, deadline=None)
@given(
    limits=SOME_LIMITS.map(Limits.model_validate),
    ramp=RAMPS,
    subject=SUBJECTS,
    before=st.none() | BEFORE,
    today=st.integers(0, 4),
    counted=COUNTED,
)
def test_one_subject_is_suppressed_for_the_reason_a_batch_of_one_would_give(
    limits, ramp, subject, before, today, counted
):
    facts = {"price": 40.0}
    table = routed({"subject": subject, "facts": json.dumps(facts)})
    (row,) = table.to_pylist()
    cases = [known(subject, **before)] if before else []
    found = Known(today=today, **counted)
    for case in cases:
        found = replace(
            found,
            is_unfinished=case["unfinished"] == 1,
            last_scored_at=case["last_scored_at"],
            recent=case["recent"],
        )

    reason = reason_of_one(
        subject, row["scored_at"], cost_of_one(facts, limits), found, limits, ramp
    )

    everything = history(*cases, today={row["assignee"]: today}, **counted)
    assert [reason] == reasons(table, everything, limits, ramp).to_pylist()
