import pytest
from scipy import stats

from decisions.effectiveness.randomisation import (
    ALARM,
    checks,
    contamination_check,
    declaration_check,
    missing_check,
    share_check,
)
from tests.reports import NOTHING, arm, evidence, report


def shares(held_out, total, share):
    return share_check("Arms as drawn", held_out, total, share=share, what="held out")


class TestShares:
    @pytest.mark.parametrize(
        ("held_out", "passed"),
        [
            pytest.param(413, True, id="as-many-as-chance-allows"),
            pytest.param(440, True, id="more-than-expected"),
            pytest.param(465, False, id="more-than-chance-allows"),
            pytest.param(336, False, id="fewer-than-chance-allows"),
        ],
    )
    def test_the_held_out_share_is_the_declared_one(self, held_out, passed):
        assert shares(held_out, 4_000, 0.1).passed is passed

    def test_with_many_subjects_it_agrees_with_the_usual_chi_square(self):
        expected = stats.chisquare([100_900, 899_100], [100_000, 900_000]).pvalue

        assert shares(100_900, 1_000_000, 0.1).p == pytest.approx(expected, rel=0.02)

    @pytest.mark.parametrize("total", [20, 60, 100, 500])
    @pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
    def test_false_alarms_stay_below_their_level_however_few_the_subjects(self, total, share):
        alarms = sum(
            stats.binom.pmf(held_out, total, share)
            for held_out in range(total + 1)
            if not shares(held_out, total, share).passed
        )

        assert alarms <= ALARM

    def test_a_fault_says_how_many_were_expected(self):
        found = shares(540, 4_120, 0.1)

        assert found.fault is not None
        assert found.fault.startswith(
            "540 subjects are held out where about 412 of 4,120 were expected (p"
        )

    def test_without_subjects_there_is_nothing_to_check(self):
        assert shares(0, 0, 0.1).passed is None


class TestMissingOutcomes:
    @pytest.mark.parametrize(
        ("held_out", "others", "passed"),
        [
            pytest.param(8, 72, True, id="the-same-share"),
            pytest.param(14, 72, True, id="more-by-chance"),
            pytest.param(30, 72, False, id="more-than-chance-allows"),
            pytest.param(0, 0, True, id="none-missing"),
        ],
    )
    def test_must_be_alike_in_both_arms(self, held_out, others, passed):
        found = missing_check(
            arm(400, 0, observed=400 - held_out), arm(3_600, 0, observed=3_600 - others)
        )

        assert found.passed is passed

    def test_a_few_missing_of_few_are_no_alarm(self):
        table = [[3, 97], [0, 900]]
        assert stats.chi2_contingency(table, correction=False).pvalue < 1e-6

        found = missing_check(arm(20, 0, observed=18), arm(180, 0))

        assert found.passed
        assert found.p == pytest.approx(stats.fisher_exact([[2, 18], [0, 180]]).pvalue)

    def test_a_fault_names_both_shares(self):
        found = missing_check(arm(400, 0, observed=340), arm(3_600, 0, observed=3_528))

        assert found.fault is not None
        assert "60 of 400 (15.0%) left alone and 72 of 3,600 (2.0%) put forward" in found.fault

    def test_without_mature_subjects_there_is_nothing_to_check(self):
        assert missing_check(arm(0), arm(10)).passed is None


class TestContamination:
    @pytest.mark.parametrize(
        ("proven", "mature", "passed"),
        [
            pytest.param(0, 400, True, id="left-alone"),
            pytest.param(80, 400, True, id="a-fifth"),
            pytest.param(81, 400, False, id="more-than-a-fifth"),
            pytest.param(4, 5, True, id="a-handful-can-be-anything"),
            pytest.param(5, 6, False, id="five-are-no-accident"),
        ],
    )
    def test_a_fifth_is_too_much(self, proven, mature, passed):
        found = contamination_check(arm(mature, proven=proven), has_proof=True)

        assert found.passed is passed

    def test_without_proof_nobody_can_say(self):
        found = contamination_check(arm(400, proven=0), has_proof=False)

        assert (found.passed, found.found) == (None, "no proof of interventions declared")


@pytest.mark.parametrize(
    ("declarations", "passed"),
    [
        pytest.param(0, None, id="nobody-drawn"),
        pytest.param(1, True, id="unchanged"),
        pytest.param(2, False, id="changed"),
    ],
)
def test_the_declaration_must_not_change_within_a_period(declarations, passed):
    assert declaration_check(declarations).passed is passed


def test_a_key_that_says_otherwise_now_is_named():
    found = declaration_check(1, ["outcome.window"])

    assert found.passed is False
    assert found.fault is not None
    assert "(outcome.window)" in found.fault


def test_every_stage_is_checked_by_itself():
    about = report("works").about
    lost = evidence(arm(400, 284, observed=200), arm(3_600, 2_808))

    found = {check.name: check.passed for check in checks(about, lost)}

    assert found["Arms as drawn"]
    assert found["Arms among cases"]
    assert not found["Arms among known outcomes"]
    assert not found["Outcomes missing alike"]


def test_an_empty_ledger_fails_no_check():
    found = checks(report("works").about, NOTHING)

    assert [check.passed for check in found] == [None] * 6


@pytest.mark.parametrize("name", ["no holdout", "no outcome"])
def test_nothing_is_checked_where_nothing_is_compared(name):
    assert report(name).checks == ()
