import numpy as np
import pytest
from scipy import stats

from decisions.effectiveness.sequential import (
    Bound,
    critical_value,
    crossing,
    needed_drift,
    planned_bounds,
)

TWELVE = (3.577, 3.259, 3.065, 2.915, 2.789, 2.679, 2.580, 2.490, 2.407, 2.329, 2.256, 2.187)
"""Twelve equal looks that spend 5% times t squared; published, to three decimals."""


def walked(times, *, count=200_000, drift=0.0, seed=5):
    """Return standardised Brownian motions at some times, one a row."""
    rng = np.random.default_rng(seed)
    steps = np.diff([0.0, *times])
    moves = rng.normal(drift * steps, np.sqrt(steps), (count, len(times)))
    return moves.cumsum(axis=1) / np.sqrt(times)


def test_twelve_equal_looks_have_the_published_bounds():
    found = tuple(round(bound.critical, 3) for bound in planned_bounds(12, 0.05))

    assert found == TWELVE


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_a_single_look_is_the_usual_interval(alpha):
    found = critical_value([], 1.0, alpha=alpha)

    assert found == pytest.approx(stats.norm.isf(alpha / 2), abs=1e-6)


@pytest.mark.parametrize(
    "times",
    [
        pytest.param((0.08, 0.31, 0.35, 0.9, 1.0), id="uneven"),
        pytest.param((0.5, 0.501, 1.0), id="two-within-a-moment"),
        pytest.param((0.02, 1.0), id="most-skipped"),
        pytest.param(tuple(n / 40 for n in range(1, 41)), id="many-extra-looks"),
    ],
)
def test_whenever_one_looks_all_looks_together_err_as_often_as_declared(times):
    bounds = []
    for time in times:
        bounds.append(Bound(time, critical_value(bounds, time, alpha=0.05)))

    outside = np.abs(walked(times)) > [bound.critical for bound in bounds]

    assert outside.any(axis=1).mean() == pytest.approx(0.05, abs=0.002)
    assert crossing(bounds, 0.0) == pytest.approx(0.05, abs=1e-6)


def test_a_bound_depends_on_past_looks_only():
    early = planned_bounds(12, 0.05)[:4]

    assert critical_value(early, 5 / 12, alpha=0.05) == pytest.approx(2.789, abs=5e-4)


@pytest.mark.parametrize("information", [0.4, 0.5])
def test_where_nothing_more_is_known_there_is_nothing_to_read(information):
    assert critical_value([Bound(0.5, 2.5)], information, alpha=0.05) is None


def test_more_than_was_planned_spends_no_more_than_alpha():
    assert critical_value([Bound(1.0, 1.96)], 1.2, alpha=0.05) is None


@pytest.mark.parametrize("drift", [1.0, 2.9, 4.0])
def test_the_chance_of_finding_an_effect_is_that_of_simulated_looks(drift):
    bounds = planned_bounds(6, 0.05)
    times = [bound.information for bound in bounds]

    outside = np.abs(walked(times, drift=drift)) > [bound.critical for bound in bounds]

    assert crossing(bounds, drift) == pytest.approx(outside.any(axis=1).mean(), abs=0.004)


def test_many_looks_need_a_little_more_than_one():
    once, often = needed_drift(1, 0.05, 0.8), needed_drift(12, 0.05, 0.8)

    assert once == pytest.approx(stats.norm.isf(0.025) + stats.norm.isf(0.2), abs=1e-3)
    assert 1.0 < (often / once) ** 2 < 1.1
