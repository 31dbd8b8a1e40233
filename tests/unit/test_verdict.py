import re
from datetime import timedelta

import numpy as np
import pytest
from scipy import stats

from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.effect import estimate_effect
from decisions.effectiveness.evidence import Imported
from decisions.effectiveness.ladder import shortfall
from decisions.effectiveness.report import compose
from decisions.effectiveness.verdict import VerdictKind
from tests.reports import AS_OF, OUTCOME, amounts, arm, definition, evidence, report, young

ALL = [
    "works",
    "harmful",
    "no worthwhile effect",
    "cannot tell at this size",
    "no evidence yet",
    "inconclusive",
    "too early",
    "cannot be judged",
    "amounts",
    "no holdout",
    "no outcome",
    "no runs",
    "no cases",
]


def judged(control, treatment, **changes):
    outcome = {**OUTCOME, "better": changes.pop("better", "higher"), **changes.pop("plan", {})}
    return compose(definition(outcome=outcome), evidence(control, treatment, **changes)).verdict


class TestTheLadder:
    @pytest.mark.parametrize(
        "name",
        [
            "cannot be judged",
            "too early",
            "harmful",
            "works",
            "no worthwhile effect",
            "cannot tell at this size",
            "no evidence yet",
            "inconclusive",
        ],
    )
    def test_each_step_is_reached(self, name):
        assert report(name).verdict.kind == name

    @pytest.mark.parametrize("name", ["no holdout", "no outcome"])
    def test_without_holdout_or_outcome_no_effect_can_be_claimed(self, name):
        assert report(name).verdict.kind == VerdictKind.NO_CLAIM

    def test_a_broken_comparison_goes_before_everything_else(self):
        found = judged(arm(20, 10), arm(900, 500))

        assert found.kind == VerdictKind.CANNOT_BE_JUDGED

    @pytest.mark.parametrize(
        ("control", "treatment", "kind"),
        [
            pytest.param(99, 900, VerdictKind.TOO_EARLY, id="99-held-out"),
            pytest.param(100, 900, VerdictKind.NO_EVIDENCE_YET, id="100-held-out"),
        ],
    )
    def test_a_hundred_held_out_subjects_are_needed(self, control, treatment, kind):
        assert judged(arm(control, control // 2), arm(treatment, treatment // 2)).kind == kind

    @pytest.mark.parametrize(
        ("successes", "kind"),
        [
            pytest.param(9, VerdictKind.TOO_EARLY, id="9-outcomes"),
            pytest.param(10, VerdictKind.NO_EVIDENCE_YET, id="10-outcomes"),
            pytest.param(990, VerdictKind.NO_EVIDENCE_YET, id="10-non-outcomes"),
            pytest.param(991, VerdictKind.TOO_EARLY, id="9-non-outcomes"),
        ],
    )
    def test_ten_outcomes_of_either_kind_are_needed(self, successes, kind):
        held_out = round(successes / 10)

        assert judged(arm(100, held_out), arm(900, successes - held_out)).kind == kind

    def test_a_decision_that_prevents_every_loss_is_not_too_early_for_ever(self):
        assert judged(arm(400, 80), arm(3_600, 0), better="lower").kind == VerdictKind.WORKS

    @pytest.mark.parametrize(
        ("nonzero", "kind"),
        [
            pytest.param(29, VerdictKind.TOO_EARLY, id="29-amounts"),
            pytest.param(30, VerdictKind.WORKS, id="30-amounts"),
        ],
    )
    def test_a_mean_needs_thirty_amounts_in_the_smaller_arm(self, nonzero, kind):
        found = judged(amounts(400, 100.0, nonzero=nonzero), amounts(3_600, 120.0, nonzero=900))

        assert found.kind == kind

    @pytest.mark.parametrize(
        ("better", "kind"),
        [
            pytest.param("higher", VerdictKind.WORKS, id="higher-is-better"),
            pytest.param("lower", VerdictKind.HARMFUL, id="lower-is-better"),
        ],
    )
    def test_the_good_side_is_the_declared_one(self, better, kind):
        assert judged(arm(400, 284), arm(3_600, 2_808), better=better).kind == kind

    @pytest.mark.parametrize(("held_out", "others", "rate"), [(100, 900, 0.02), (100, 300, 0.05)])
    def test_without_an_effect_at_most_one_reading_in_twenty_claims_one(
        self, held_out, others, rate
    ):
        measure = report("works").about.measure

        def is_claimed(a, b):
            control, treatment = arm(held_out, a), arm(others, b)
            if shortfall(evidence(control, treatment), measure):
                return False
            gain = estimate_effect(control, treatment, better="higher").gain
            return gain.lower > 0 or gain.upper < 0

        # Every pair of counts with a noticeable chance, in small samples, where it is hardest.
        chance = np.outer(
            stats.binom.pmf(range(held_out + 1), held_out, rate),
            stats.binom.pmf(range(others + 1), others, rate),
        )
        claimed = sum(
            chance[a, b] for a, b in np.argwhere(chance > 1e-5) if is_claimed(int(a), int(b))
        )

        assert claimed <= 0.05


class TestTheSmallestEffectWorthHaving:
    @pytest.mark.parametrize(
        ("points", "kind"),
        [
            pytest.param("5 points", VerdictKind.INCONCLUSIVE, id="an-end-outside"),
            pytest.param("6 points", VerdictKind.NO_WORTHWHILE_EFFECT, id="both-ends-inside"),
        ],
    )
    def test_it_is_ruled_out_once_the_whole_interval_lies_within_it(self, points, kind):
        plan = {"worthwhile": points}

        assert judged(arm(400, 300), arm(3_600, 2_736), plan=plan).kind == kind

    @pytest.mark.parametrize(
        ("points", "kind"),
        [
            pytest.param("4 points", VerdictKind.CANNOT_TELL, id="noticed-too-seldom"),
            pytest.param("5 points", VerdictKind.NO_EVIDENCE_YET, id="noticed-often-enough"),
        ],
    )
    def test_a_design_that_would_miss_it_cannot_tell(self, points, kind):
        plan = {"worthwhile": points, "planned": 1_000}

        assert judged(arm(400, 300), arm(3_600, 2_808), plan=plan).kind == kind

    def test_it_is_where_acting_breaks_even_unless_declared(self):
        found = compose(
            definition(outcome=OUTCOME | {"cost": "60 USD"}),
            evidence(arm(400, 300), arm(3_600, 2_736)),
        )

        assert found.worthwhile == pytest.approx(0.06)
        assert found.verdict.kind == VerdictKind.NO_WORTHWHILE_EFFECT

    def test_a_design_too_small_says_what_would_do(self):
        verdict = report("cannot tell at this size").verdict

        assert "Even if it achieved the 1.0 points worth having" in verdict.sentences
        assert "times out of 100" in verdict.sentences
        assert re.search(
            r"run until \d+ \w+ \d{4}, or accept [\d.]+ points as the smallest visible effect",
            verdict.recommendation,
        )

    @pytest.mark.parametrize(
        ("cost", "said"),
        [
            pytest.param("10 USD", "it pays for itself.", id="cheap"),
            pytest.param("69 USD", "USD 3,600 net of USD 248,000 cost", id="dear"),
        ],
    )
    def test_what_works_says_whether_it_pays(self, cost, said):
        verdict = judged(arm(400, 284), arm(3_600, 2_808), plan={"cost": cost})

        assert verdict.kind == VerdictKind.WORKS
        assert said in verdict.sentences
        assert ("pays for itself" in verdict.sentences) is (cost == "10 USD")


class TestTheWords:
    @pytest.mark.parametrize("name", ALL)
    def test_nothing_is_ever_said_to_be_proved(self, name):
        verdict = report(name).verdict
        said = f"{verdict.kind.value} {verdict.sentences} {verdict.recommendation}".lower()

        assert not re.search(r"significan|proved|probab|no effect(?! can be claimed)", said)

    @pytest.mark.parametrize("name", ALL)
    def test_no_percentage_goes_without_its_denominator(self, name):
        said = report(name).verdict.sentences.replace("95% interval", "")

        for share in re.finditer(r"[\d.]+%", said):
            assert re.match(r"[^%]*?\([\d,]+ of [\d,]+\)", said[share.end() :]), said

    def test_a_verdict_says_what_was_compared_and_how_sure_it_is(self):
        assert report("works").verdict.sentences == (
            "78.0% of the subjects put forward (2,808 of 3,600), against 71.0% of comparable "
            "subjects deliberately left alone (284 of 400): +7.0 points (95% interval +2.5 to "
            "+11.8, valid for 12 looks). Measured by 'renewed'; higher is better."
        )

    def test_an_interval_with_zero_in_it_is_not_evidence_against(self):
        said = report("no evidence yet").verdict.sentences

        assert said.startswith("So far +3.0 points (95% interval")
        assert "still includes zero" in said
        assert "This is not evidence that it does not work." in said
        assert said.endswith(
            "400 of 1,000 planned held-out subjects have matured; the rest about 27 March 2028."
        )

    def test_harm_names_who_decides(self):
        assert report("harmful").verdict.recommendation == (
            "Halt it. Dana Reyes decides; Lee Park finds the cause before it runs again."
        )

    def test_the_first_fault_is_told_and_the_others_counted(self):
        said = report("cannot be judged").verdict.sentences

        assert said.startswith("200 subjects are held out where about 380 of 3,800 were expected")
        assert "2 of the other checks below fail as well." in said
        assert said.endswith("The numbers below are for diagnosis only.")

    def test_a_single_other_fault_is_told_in_the_singular(self):
        arms = arm(400, 284, observed=200), arm(3_600, 2_808)

        said = compose(definition(), evidence(*arms)).verdict.sentences

        assert "1 of the other checks below fails as well." in said

    @pytest.mark.parametrize(
        ("days", "said"),
        [
            pytest.param(44, "First look about 1 June 2027.", id="to-come"),
            pytest.param(1, "First look about 1 May 2027.", id="tomorrow"),
            pytest.param(-1, "a change starts from zero.", id="already-past"),
        ],
    )
    def test_the_first_look_is_dated_once_it_is_known(self, days, said):
        enough_at = AS_OF + timedelta(days=days)

        found = judged(young(140, 40, 30), young(1_260, 360, 280), enough_at=enough_at)

        assert found.recommendation.endswith(said)

    def test_without_a_holdout_it_says_what_one_would_have_shown(self):
        verdict = report("no holdout").verdict

        assert "'renewed' afterwards: 78.0% of the subjects put forward (2,808 of 3,600)" in (
            verdict.sentences
        )
        assert "With 360 of these 3,600 subjects left alone" in verdict.recommendation

    def test_owners_without_a_known_name_are_called_by_their_key(self):
        found = compose(definition(), evidence(arm(400, 320), arm(3_600, 2_500)))

        assert found.verdict.recommendation.startswith("Halt it. dana.reyes decides")


def test_what_is_missing_is_said_for_each_arm():
    measure = report("works").about.measure
    assert measure is not None
    few = ArmOutcomes(subjects=120, mature=50, observed=40)

    found = shortfall(evidence(few, few), measure)

    assert found == (
        (
            "50 of 120 held-out subjects have reached the end of their window of 60 days, and 40 "
            "outcomes are known; 100 are needed"
        ),
        (
            "50 of 120 subjects put forward have reached the end of their window of 60 days, and "
            "40 outcomes are known; 100 are needed"
        ),
    )


class TestAFinishedTrial:
    TRIAL = Imported(
        period="letters",
        file="letters.csv",
        sha256="0" * 64,
        imported_at=AS_OF,
        by="lee.park",
        subjects=4_000,
        share_declared=True,
        acted_known=0,
        acted=0,
    )

    @pytest.mark.parametrize(
        ("control", "treatment", "changes", "kind", "advice"),
        [
            (arm(400, 284), arm(3_600, 2_808), {}, "works", "Do it from now on"),
            (arm(400, 284), arm(3_600, 2_808), {"better": "lower"}, "harmful", "Do not do it ag"),
            (arm(400, 300), arm(3_600, 2_808), {}, "inconclusive", "The trial is over"),
            (arm(50, 30), arm(450, 300), {}, "too early", "The trial is over"),
            (arm(20, 10), arm(900, 500), {}, "cannot be judged", "Rely on none of these numb"),
        ],
    )
    def test_is_not_told_to_go_on_running(self, control, treatment, changes, kind, advice):
        found = judged(control, treatment, imported=self.TRIAL, **changes)

        assert found.kind == kind
        assert found.recommendation.startswith(advice)
        assert not re.search("[Kk]eep it|Let it run|Halt|Wait|salt", found.recommendation)
