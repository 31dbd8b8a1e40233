import numpy as np
import pytest
from scipy import stats

from decisions.effectiveness.effect import estimate_effect
from decisions.effectiveness.power import (
    Base,
    Design,
    needed_share,
    power,
    sample_size,
    subjects_for,
    visible_difference,
)
from tests.reports import arm


@pytest.mark.parametrize(
    ("rate", "cases"),
    [pytest.param(0.26, 5_618, id="26-percent"), pytest.param(0.03, 61_330, id="3-percent")],
)
def test_a_fifth_less_at_a_holdout_of_a_tenth_takes_the_published_number(rate, cases):
    assert sample_size(Base(rate=rate), -0.2 * rate, share=0.1) == cases


def test_twelve_looks_take_some_more():
    once = sample_size(Base(rate=0.26), -0.052, share=0.1)

    assert 1.05 < sample_size(Base(rate=0.26), -0.052, share=0.1, looks=12) / once < 1.12


@pytest.mark.parametrize("looks", [1, 12])
def test_a_sample_of_the_size_asked_for_has_the_power_asked_for(looks):
    cases = sample_size(Base(rate=0.26), -0.052, share=0.2, looks=looks)
    design = Design(held_out=0.2 * cases, treated=0.8 * cases, looks=looks)

    assert power(Base(rate=0.26), -0.052, design) == pytest.approx(0.8, abs=0.002)


def test_power_is_how_often_the_interval_excludes_zero():
    rng = np.random.default_rng(11)
    found = [
        estimate_effect(arm(400, int(c)), arm(3_600, int(t)), better="higher").gain.lower > 0
        for c, t in zip(rng.binomial(400, 0.63, 600), rng.binomial(3_600, 0.7, 600), strict=True)
    ]

    expected = power(Base(rate=0.63), 0.07, Design(held_out=400, treated=3_600))

    assert np.mean(found) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("cases", "share"),
    [
        pytest.param(900, None, id="never"),
        pytest.param(5_618, 0.1, id="as-published"),
        pytest.param(1_000_000, 0.05, id="at-least-a-twentieth"),
    ],
)
def test_the_share_needed_is_the_smallest_that_tells(cases, share):
    found = needed_share(Base(rate=0.26), -0.052, cases=cases)

    assert found == (share if share is None else pytest.approx(share, abs=1e-3))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("base", [Base(rate=0.3), Base(deviation=40.0)])
def test_the_smallest_visible_effect_is_noticed_four_times_out_of_five(base, sign):
    design = Design(held_out=400, treated=3_600, looks=6)

    apart = visible_difference(base, design, sign=sign)

    assert power(base, sign * apart, design) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize(
    ("rate", "held_out"),
    [
        pytest.param(0.7, 1, id="hopelessly-few"),
        pytest.param(0.7, 0, id="nobody"),
    ],
)
def test_none_is_visible_where_even_the_largest_would_be_missed(rate, held_out):
    assert visible_difference(Base(rate=rate), Design(held_out=held_out, treated=9)) is None


@pytest.mark.parametrize(("held_out", "share"), [(240, 0.2), (562, 0.1), (1, 0.5)])
def test_so_many_subjects_hold_out_enough_nine_times_out_of_ten(held_out, share):
    subjects = subjects_for(held_out, share)

    def chance(of):
        return stats.binom.sf(held_out - 1, of, share)

    assert chance(subjects - 1) < 0.9 <= chance(subjects)
