from math import log

import numpy as np
import pytest
from scipy import stats

from decisions.deciding.drift import Distribution, by_chance, shift, stability_index


def binned(*counts):
    return Distribution(edges=tuple(range(len(counts) - 2)), values=(), counts=counts)


def test_equal_shares_have_moved_nowhere():
    assert stability_index([10, 20, 30], [100, 200, 300]) == pytest.approx(0)


def test_the_index_is_that_of_a_sum_done_by_hand():
    # Shares .5 .3 .2 against .4 .4 .2:
    # (.4 - .5) ln(.4 / .5) + (.4 - .3) ln(.4 / .3) + 0 = .0223144 + .0287682.
    assert stability_index([50, 30, 20], [40, 40, 20]) == pytest.approx(0.0510826, abs=1e-7)


def test_it_does_not_matter_which_of_two_came_first():
    assert stability_index([9, 1], [5, 5]) == pytest.approx(stability_index([5, 5], [9, 1]))


def test_a_bin_that_is_empty_on_one_side_counts_as_half_a_row():
    expected = (0.5 - 1) * log(0.5) + (0.5 - 0.005) * log(0.5 / 0.005)

    assert stability_index([100, 0], [50, 50]) == pytest.approx(expected)


def test_bins_that_are_empty_on_both_sides_make_no_difference():
    assert shift(binned(50, 0, 50), binned(40, 0, 60)) == shift(binned(50, 50), binned(40, 60))


def test_the_bound_is_the_thousandth_of_chi_squared_over_both_sizes():
    expected = (1 / 400 + 1 / 100) * stats.chi2.ppf(0.999, 9)

    assert by_chance(400, 100, bins=10) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("declared", "rows", "bound"),
    [
        pytest.param(None, 1_000_000, 0.1, id="a-tenth-by-custom"),
        pytest.param(0.2, 1_000_000, 0.2, id="as-declared"),
        pytest.param(0.02, 1_000_000, 0.1, id="never-less-than-custom"),
        pytest.param(0.12, 100, by_chance(1_000, 100, bins=3), id="more-where-chance-does-more"),
    ],
)
def test_the_larger_of_custom_declaration_and_chance_is_the_bound(declared, rows, bound):
    reference = binned(600, 300, 100) if rows == 100 else binned(600_000, 300_000, 100_000)
    batch = binned(60, 30, 10) if rows == 100 else reference

    assert shift(reference, batch, declared=declared).bound == pytest.approx(bound)


@pytest.mark.parametrize(
    ("counts", "flagged"),
    [
        pytest.param((55_000, 30_000, 15_000), False, id="a-little"),
        pytest.param((40_000, 30_000, 30_000), True, id="much"),
    ],
)
def test_what_lies_above_the_bound_is_flagged(counts, flagged):
    assert shift(binned(60_000, 30_000, 10_000), binned(*counts)).is_flagged is flagged


def test_one_bin_alone_cannot_move():
    found = shift(binned(10, 0), binned(7, 0))

    assert (found.psi, found.is_flagged) == (0, False)


def test_nobody_is_alarmed_by_chance_as_a_fixed_bound_would():
    chance = np.random.default_rng(7)
    reference = binned(*[1_000] * 10, 0)
    batches = chance.multinomial(100, [0.1] * 10, size=4_000)

    found = [shift(reference, binned(*batch, 0)) for batch in batches.tolist()]

    assert 0.37 < np.mean([each.psi > 0.1 for each in found]) < 0.45
    assert np.mean([each.is_flagged for each in found]) < 0.005


def test_a_real_shift_is_still_seen():
    chance = np.random.default_rng(7)
    moved = [0.28, *[0.08] * 9]
    batches = chance.multinomial(1_000, moved, size=200).tolist()

    found = [shift(binned(*[1_000] * 10, 0), binned(*each, 0)) for each in batches]

    assert np.mean([each.is_flagged for each in found]) > 0.95
