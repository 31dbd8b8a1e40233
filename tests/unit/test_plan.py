from datetime import UTC, datetime, timedelta

import pytest

from decisions.effectiveness.about import measure_of
from decisions.effectiveness.plan import Aim, Pace, pace_of, planned
from tests.reports import OUTCOME, definition

NOW = datetime(2027, 1, 4, tzinfo=UTC)
WEEK = timedelta(weeks=1)
MONTHLY = Pace(at_once=1_000, weekly=150.0, batches=9, weeks=8.0)


def plan(pace=MONTHLY, *, share=0.1, base=0.26, worthwhile=0.052, each=None, **outcome):
    measure = measure_of(definition(outcome=OUTCOME | {"better": "lower"} | outcome))
    aim = Aim(
        measure=measure,
        pace=pace,
        share=share,
        base=base,
        worthwhile=worthwhile,
        matures_after=timedelta(days=62),
        each=each,
        now=NOW,
    )
    return planned(aim)


def test_the_first_batch_is_a_stock_and_the_rest_a_flow():
    found = pace_of([(NOW + 2 * WEEK, 30), (NOW, 400), (NOW + WEEK, 50)])

    assert found == Pace(at_once=400, weekly=40.0, batches=3, weeks=2.0)
    assert found.within(4 * WEEK) == 560
    assert found.until(480) == 2 * WEEK


@pytest.mark.parametrize(
    ("span", "weekly", "weeks"),
    [
        pytest.param(timedelta(minutes=3), 50.0, 1.0, id="minutes"),
        pytest.param(timedelta(days=6), 50.0, 1.0, id="six-days"),
        pytest.param(timedelta(days=7), 50.0, 1.0, id="a-week"),
        pytest.param(timedelta(days=14), 25.0, 2.0, id="two-weeks"),
    ],
)
def test_less_than_a_week_counts_as_one(span, weekly, weeks):
    assert pace_of([(NOW, 400), (NOW + span, 50)]) == Pace(
        at_once=400, weekly=weekly, batches=2, weeks=weeks
    )


def test_of_a_single_batch_the_pace_is_not_known_rather_than_nothing():
    found = plan(pace_of([(NOW, 300)]))

    assert found.pace.weekly is None
    assert found.declared.verdict_on is None
    assert found.warnings[0].startswith("How many subjects come a week cannot be read")
    assert not any("never be able to tell" in each for each in found.warnings)


@pytest.mark.parametrize(
    ("weekly", "subjects", "taken"),
    [
        pytest.param(0.0, 1_000, timedelta(), id="there-already"),
        pytest.param(0.0, 1_001, None, id="nobody-comes-any-more"),
        pytest.param(1.0, 9_000, None, id="not-within-years"),
    ],
)
def test_some_numbers_are_never_reached(weekly, subjects, taken):
    assert Pace(at_once=1_000, weekly=weekly, batches=2, weeks=1).until(subjects) == taken


def test_one_reading_takes_the_published_number_and_is_dated_by_the_pace():
    found = plan(looks=1, planned=562).declared

    assert (found.subjects, found.held_out) == (5_618, 562)
    weeks = (found.coming - 1_000) / 150
    assert found.verdict_on == pytest.approx(
        NOW + weeks * WEEK + timedelta(days=62), abs=timedelta(seconds=1)
    )


def test_the_price_of_the_holdout_is_what_acting_on_it_would_have_brought():
    found = plan(looks=1, planned=562, each=1_000.0).declared

    assert found.forgone == pytest.approx(562 * 0.052)
    assert found.price == pytest.approx(562 * 0.052 * 1_000)


def test_the_holdout_computed_tells_within_the_looks_planned():
    found = plan(looks=12)

    assert found.computed is not None
    assert 0.05 <= found.computed.share <= 0.5
    assert found.computed.verdict_on <= NOW + timedelta(days=366)


def test_what_can_never_tell_is_warned_of_and_given_no_other_advice():
    found = plan(Pace(at_once=300, weekly=2.0, batches=9, weeks=8.0), planned=100)

    assert found.computed is None
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("It will never be able to tell: of about")


def test_nobody_is_told_to_plan_for_what_never_comes():
    found = plan(Pace(at_once=300, weekly=0.0, batches=1, weeks=1.0), planned=100)

    assert found.declared.verdict_on is None
    assert [each[:29] for each in found.warnings] == ["It will never be able to tell"]


@pytest.mark.parametrize(
    ("number", "warned"),
    [pytest.param(561, True, id="too-few"), pytest.param(562, False, id="enough")],
)
def test_a_plan_that_ends_too_early_is_warned_of(number, warned):
    many = Pace(at_once=10_000, weekly=150.0, batches=9, weeks=8.0)
    found = plan(many, looks=1, planned=number, share=0.1)

    assert any("declare planned: 562" in each for each in found.warnings) is warned
    assert (found.power_planned < 0.8) is warned


def test_the_first_look_is_at_the_end_of_the_month_in_which_a_hundred_are_mature():
    assert plan().first_look_on == datetime(2027, 4, 1, tzinfo=UTC)


def test_a_good_effect_has_the_sign_of_the_good_side():
    assert plan().difference == -0.052
    assert plan(better="higher").difference == 0.052
