import numpy as np
import pytest
from scipy import stats

from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.effect import estimate_effect
from decisions.errors import InsufficientData


def rates(successes, count):
    squares = successes * (1 - successes / count) if count else 0
    return ArmOutcomes(
        mature=count,
        observed=count,
        total=successes,
        squares=squares,
        zero_or_one=count,
        nonzero=successes,
    )


def amounts(values):
    return ArmOutcomes(
        mature=len(values),
        observed=len(values),
        total=float(np.sum(values)),
        squares=float(np.sum((values - np.mean(values)) ** 2)),
        zero_or_one=int(np.isin(values, (0, 1)).sum()),
        nonzero=int(np.count_nonzero(values)),
    )


class TestRates:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, Table II, method 10.
    @pytest.mark.parametrize(
        ("treatment", "control", "lower", "upper"),
        [
            pytest.param((56, 70), (48, 80), 0.0524, 0.3339, id="a"),
            pytest.param((9, 10), (3, 10), 0.1705, 0.8090, id="b"),
            pytest.param((6, 7), (2, 7), 0.0582, 0.8062, id="c"),
            pytest.param((5, 56), (0, 29), -0.0381, 0.1926, id="d"),
            pytest.param((0, 10), (0, 20), -0.1611, 0.2775, id="e"),
            pytest.param((0, 10), (0, 10), -0.2775, 0.2775, id="f"),
            pytest.param((10, 10), (0, 20), 0.6791, 1.0000, id="g"),
            pytest.param((10, 10), (0, 10), 0.6075, 1.0000, id="h"),
        ],
    )
    def test_the_interval_is_newcombes_published_one(self, treatment, control, lower, upper):
        effect = estimate_effect(rates(*control), rates(*treatment), better="higher")

        found = effect.difference.lower, effect.difference.upper
        assert found == pytest.approx((lower, upper), abs=5e-5)

    def test_a_published_trial_comes_out_as_published(self):
        # Thornton (2008), American Economic Review 98, 1829-1863: any incentive against none, and
        # whether the HIV result was fetched. The counts are those of the replication data.
        effect = estimate_effect(rates(211, 623), rates(1745, 2211), better="higher")

        assert effect.scale == "rate"
        assert effect.control.estimate == pytest.approx(0.3387, abs=5e-5)
        assert effect.treatment.estimate == pytest.approx(0.7892, abs=5e-5)
        difference = effect.difference
        assert (difference.estimate, difference.lower, difference.upper) == pytest.approx(
            (0.4506, 0.4087, 0.4902), abs=5e-5
        )

    def test_each_arms_interval_is_wilsons(self):
        expected = stats.binomtest(211, 623).proportion_ci(0.9, method="wilson")

        effect = estimate_effect(
            rates(211, 623), rates(1745, 2211), better="higher", confidence=0.9
        )

        found = effect.control.lower, effect.control.upper
        assert found == pytest.approx((expected.low, expected.high))
        assert (effect.control.total, effect.control.count) == (211, 623)

    def test_an_arm_without_outcomes_has_no_effect(self):
        with pytest.raises(InsufficientData, match="known for 0 held-out subject"):
            estimate_effect(rates(0, 0), rates(3, 9), better="higher")


class TestMeans:
    def test_a_published_trial_comes_out_as_published(self):
        # Dehejia and Wahba (1999), Journal of the American Statistical Association 94, 1053-1062:
        # earnings in 1978 of 185 trained and 260 others. Sums computed once from the data.
        control = ArmOutcomes(
            observed=260, total=1_184_248.29, squares=7_788_766_438.31, nonzero=168
        )
        treatment = ArmOutcomes(
            observed=185, total=1_174_591.55, squares=11_388_867_146.72, nonzero=140
        )

        effect = estimate_effect(control, treatment, better="higher")

        assert effect.scale == "mean"
        difference = effect.difference
        assert (difference.estimate, difference.lower, difference.upper) == pytest.approx(
            (1794.34, 474.01, 3114.67), abs=0.01
        )

    def test_agrees_with_scipys_welch_interval(self):
        rng = np.random.default_rng(7)
        control, treatment = rng.normal(10, 2, 40), rng.normal(11, 5, 25)
        expected = stats.ttest_ind(treatment, control, equal_var=False).confidence_interval(0.9)

        effect = estimate_effect(
            amounts(control), amounts(treatment), better="higher", confidence=0.9
        )

        found = effect.difference.lower, effect.difference.upper
        assert found == pytest.approx((expected.low, expected.high))

    def test_each_arms_interval_is_students(self):
        values = np.random.default_rng(8).normal(10, 2, 40)
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)

        effect = estimate_effect(amounts(values), amounts(values + 1), better="higher")

        found = effect.control.lower, effect.control.upper
        assert found == pytest.approx((expected.low, expected.high))

    @pytest.mark.parametrize(
        ("control", "said"),
        [
            pytest.param(
                [3.5], r"known for 1 held-out subject\(s\); an effect needs 2", id="one-amount"
            ),
            pytest.param(
                [3.5, 3.5], "every known outcome within an arm is the same", id="all-alike"
            ),
        ],
    )
    def test_what_cannot_be_stated_is_refused(self, control, said):
        with pytest.raises(InsufficientData, match=said):
            estimate_effect(amounts(control), amounts([2.0, 2.0]), better="higher")


@pytest.mark.parametrize(
    ("better", "gain"),
    [
        pytest.param("higher", (-0.2, -0.3339, -0.0524), id="higher"),
        pytest.param("lower", (0.2, 0.0524, 0.3339), id="lower"),
    ],
)
def test_the_gain_is_turned_so_that_more_is_better(better, gain):
    effect = estimate_effect(rates(56, 70), rates(48, 80), better=better)

    found = effect.gain.estimate, effect.gain.lower, effect.gain.upper
    assert found == pytest.approx(gain, abs=5e-5)


def test_further_looks_to_come_widen_the_difference_and_not_the_arms():
    once = estimate_effect(rates(56, 70), rates(48, 80), better="higher")
    again = estimate_effect(rates(56, 70), rates(48, 80), better="higher", critical=2.797)

    assert again.treatment == once.treatment
    assert again.difference.lower < once.difference.lower
    assert again.difference.upper > once.difference.upper
    assert once.critical == pytest.approx(1.95996, abs=1e-5)


def test_a_critical_value_far_out_loses_no_digits():
    values = np.random.default_rng(3).normal(10, 2, 4_000)
    far = estimate_effect(amounts(values), amounts(values + 1), better="higher", critical=9.0)

    margin = far.difference.upper - far.difference.estimate
    assert margin == pytest.approx(9 * np.std(values, ddof=1) * (2 / 4_000) ** 0.5, rel=0.01)
