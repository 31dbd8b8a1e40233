import json
from datetime import UTC, datetime

import pytest

from decisions.effectiveness.report import EffectivenessReport, compose
from tests.reports import OUTCOME, arm, definition, evidence, report

BOTH = (arm(400, 284), arm(3_600, 2_808))


class TestWhatItComesTo:
    def test_the_effect_is_multiplied_out_over_the_mature_subjects(self):
        found = report("works")

        assert found.effect is not None
        assert found.benefit is not None
        gain, successes = found.effect.gain, found.benefit.successes
        assert found.benefit.subjects == 3_600
        assert successes.estimate == pytest.approx(252)
        assert (successes.lower, successes.upper) == (gain.lower * 3_600, gain.upper * 3_600)

    def test_money_is_the_gain_times_the_mean_value(self):
        found = report("works").benefit

        assert found is not None
        assert found.money is not None
        assert (found.money.unit, found.money.each, found.money.valued) == ("USD", 1_000.0, 3_600)
        assert found.money.amount.estimate == pytest.approx(252_000)

    def test_harm_costs_money(self):
        found = report("harmful").benefit

        assert found is not None
        assert found.money is not None
        assert found.money.amount.estimate == pytest.approx(-252_000)
        assert found.money.amount.lower < found.money.amount.upper < 0

    def test_without_a_declared_value_there_is_no_money(self):
        outcome = {key: said for key, said in OUTCOME.items() if key != "value"}

        found = compose(definition(outcome=outcome), evidence(*BOTH)).benefit

        assert found is not None
        assert found.money is None

    @pytest.mark.parametrize("name", ["cannot be judged", "too early", "amounts", "no holdout"])
    def test_nothing_is_multiplied_out_that_may_not_be_relied_on(self, name):
        assert report(name).benefit is None


class TestWhatIsStated:
    def test_a_comparison_that_cannot_be_judged_still_shows_its_numbers(self):
        assert report("cannot be judged").effect is not None

    @pytest.mark.parametrize("name", ["too early", "no holdout", "no outcome", "no runs"])
    def test_no_effect_is_stated_before_it_may_be(self, name):
        assert report(name).effect is None

    def test_outcomes_that_do_not_vary_say_so(self):
        same = {"zero_or_one": 0, "squares": 0.0}
        control, treatment = arm(400, 400, **same), arm(3_600, 3_600, **same)

        found = compose(definition(), evidence(control, treatment))

        assert found.missing == (
            "every known outcome within an arm is the same; no interval exists",
        )
        assert found.verdict.kind == "too early"


class TestWhatItIsAbout:
    def test_owners_carry_their_roles(self):
        found = [(owner.role, owner.name) for owner in report("works").about.owners]

        assert found == [
            ("business", "Dana Reyes"),
            ("technical", "Lee Park"),
            ("backup", "sam.ortiz"),
        ]

    def test_the_declaration_of_the_measurement_is_in_it(self):
        about = report("works").about

        assert (about.period, about.share, about.version) == ("churn-2027", 0.1, 3)
        assert about.sha256 == definition().sha256
        assert about.measure is not None
        assert (about.measure.window, about.measure.lag, about.measure.unit) == (
            "60 days",
            "2 days",
            "USD",
        )

    @pytest.mark.parametrize(
        ("until", "month"),
        [
            pytest.param(None, 3, id="as-of"),
            pytest.param(datetime(2027, 3, 1, tzinfo=UTC), 2, id="a-whole-month"),
            pytest.param(datetime(2027, 6, 1, tzinfo=UTC), 3, id="a-month-not-over-yet"),
        ],
    )
    def test_its_month_is_that_of_the_last_instant(self, until, month):
        found = compose(definition(), evidence(*BOTH, until=until))

        assert (found.last.year, found.last.month) == (2027, month)


@pytest.mark.parametrize("name", ["works", "amounts", "no runs"])
def test_the_numbers_survive_json(name):
    found = report(name)

    text = found.model_dump_json()

    assert json.loads(text)["verdict"]["kind"] == found.verdict.kind
    assert EffectivenessReport.model_validate_json(text) == found
