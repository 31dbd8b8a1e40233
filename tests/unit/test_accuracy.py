import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from decisions.effectiveness.accuracy import accuracy
from decisions.errors import InsufficientData

RANDOM = np.random.default_rng(8)


def known(score, event, *, weight=None, selected=None):
    count = len(score)
    return pa.table(
        {
            "score": np.asarray(score, float),
            "event": np.asarray(event, int),
            "weight": np.ones(count) if weight is None else weight,
            "selected": np.zeros(count, bool) if selected is None else selected,
        }
    )


def scored(count, *, decimals=3):
    score = RANDOM.beta(1, 3, count).round(decimals).clip(0.001, 0.999)
    return score, (RANDOM.random(count) < score).astype(int)


def test_auc_is_mann_whitneys():
    score, event = scored(2_000)
    wins = stats.mannwhitneyu(score[event == 1], score[event == 0]).statistic
    expected = wins / ((event == 1).sum() * (event == 0).sum())

    assert accuracy(known(score, event), is_rate=True).auc == pytest.approx(expected)


def test_slope_and_intercept_are_those_of_a_logistic_regression():
    score, event = scored(2_000)
    odds = sm.add_constant(np.log(score / (1 - score)))
    expected = sm.GLM(event, odds, family=sm.families.Binomial()).fit().params

    found = accuracy(known(score, event), is_rate=True)

    assert (found.intercept, found.slope) == pytest.approx(tuple(expected), abs=1e-3)
    assert found.brier == pytest.approx(((score - event) ** 2).mean())


def test_a_successful_action_makes_no_model_look_decayed():
    score, event = scored(40_000)
    selected = score >= 0.5
    held_out = selected & (RANDOM.random(40_000) < 0.2)
    helped = selected & ~held_out
    seen = np.where(helped & (RANDOM.random(40_000) < 0.6), 0, event)
    untreated = ~helped

    truth = accuracy(known(score, event), is_rate=True)
    everybody = accuracy(known(score, seen), is_rate=True)
    only_held_out = accuracy(known(score[held_out], event[held_out]), is_rate=True)
    ours = accuracy(
        known(
            score[untreated],
            event[untreated],
            weight=np.where(selected, 5.0, 1.0)[untreated],
            selected=selected[untreated],
        ),
        is_rate=True,
    )

    assert ours.auc == pytest.approx(truth.auc, abs=0.015)
    assert ours.slope == pytest.approx(1, abs=0.1)
    assert everybody.auc < truth.auc - 0.03
    assert only_held_out.auc < truth.auc - 0.1


def test_precision_is_that_of_the_selected_with_wilsons_interval():
    score = np.linspace(0.01, 0.99, 100)
    event = (np.arange(100) % 2).astype(int)

    found = accuracy(known(score, event, selected=score > 0.8), is_rate=True)

    assert (found.selected, found.precision.estimate) == (20, 0.5)
    expected = stats.binomtest(10, 20).proportion_ci(method="wilson")
    assert (found.precision.lower, found.precision.upper) == pytest.approx(
        (expected.low, expected.high)
    )


def test_tenths_hold_everybody_once_and_part_no_equal_scores():
    score, event = scored(3_000, decimals=1)

    found = accuracy(known(score, event), is_rate=True).bins

    assert sum(each.subjects for each in found) == 3_000
    assert [each.score for each in found] == sorted({each.score for each in found})


def test_a_score_that_is_no_rate_is_ranked_and_not_calibrated():
    score, event = scored(2_000)

    found = accuracy(known(100 * score, event), is_rate=False)

    assert (found.brier, found.slope, found.intercept) == (None, None, None)
    assert found.auc > 0.5


@pytest.mark.parametrize("events", [9, 10, 90, 91])
def test_ten_outcomes_of_either_kind_are_needed(events):
    table = known(np.linspace(0, 1, 100), np.arange(100) < events)

    if events in {10, 90}:
        assert accuracy(table, is_rate=True).events == events
    else:
        with pytest.raises(InsufficientData, match="from 10 of either kind on"):
            accuracy(table, is_rate=True)


def test_an_interval_covers_its_rate_however_unlike_the_weights():
    rng = np.random.default_rng(5)
    score = rng.random(2_000)
    selected = rng.random(2_000) < 0.1
    event = np.where(selected, rng.random(2_000) < 0.8, rng.random(2_000) < 0.2).astype(int)

    weighted = accuracy(
        known(score, event, weight=np.where(selected, 10.0, 1.0), selected=selected), is_rate=True
    )
    plain = accuracy(known(score, event), is_rate=True)

    assert all(each.lower < each.rate < each.upper for each in weighted.bins)
    first = plain.bins[0]
    hits = round(first.rate * first.subjects)
    assert (first.lower, first.upper) == pytest.approx(
        proportion_confint(hits, first.subjects, method="wilson")
    )
    assert weighted.bins[5].upper - weighted.bins[5].lower > first.upper - first.lower
