import csv
import io
import json
import re
from datetime import UTC, datetime

import pytest

from decisions.effectiveness.effect import Interval
from decisions.effectiveness.judgement import Accuracy, Bin, Judgement
from decisions.effectiveness.overriding import answer_outcome
from decisions.effectiveness.report import compose
from flows.report_pages import html, markdown, write_report
from tests.integration.test_report_pages import Page
from tests.reports import NAMES, OUTCOME, arm, definition, evidence, report

SCORED = datetime(2026, 12, 1, 5, tzinfo=UTC)
BINS = (
    Bin(subjects=60, score=0.1, rate=0.12, lower=0.06, upper=0.22),
    Bin(subjects=40, score=0.8, rate=0.74, lower=0.58, upper=0.85),
)
FOUND = Accuracy(
    subjects=100,
    weight=460,
    events=37,
    auc=0.8461,
    brier=0.1358,
    slope=0.967,
    intercept=0.02,
    bins=BINS,
    precision=Interval(estimate=0.75, lower=0.598, upper=0.858),
    selected=40,
)
NO_RATE = FOUND.model_copy(update={"brier": None, "slope": None, "intercept": None})
UNSELECTED = FOUND.model_copy(update={"precision": None, "selected": 0})


def judged(accuracy, *, run=4, missing=None, scored_at=SCORED):
    return Judgement(run=run, scored_at=scored_at, accuracy=accuracy, missing=missing)


def reported(*judgements, **changes):
    found = evidence(arm(400, 284), arm(3_600, 2_808), judgements=judgements, **changes)
    return compose(definition(), found, names=NAMES)


def section(name, *judgements, **changes):
    page = Page(html(reported(*judgements, **changes)))
    return page.text.partition(name)[2].partition("What people did")[0]


PREDICTIONS = "Were the predictions right?"


class TestWereThePredictionsRight:
    def test_each_score_stands_with_what_it_says_and_whom_it_was_measured_on(self):
        text = section(PREDICTIONS, judged(FOUND))

        assert "100 subjects, of whom 37 came out as foretold. Together they stand for 460" in text
        assert "Order (AUC) 0.846" in text
        assert "Distance (Brier) 0.136" in text
        assert "Calibration slope 0.97" in text
        assert (
            "Precision where we act 75.0% 30 of the 40 held-out subjects with a known outcome came "
            "out as foretold (95% interval 59.8% to 85.8%)." in text
        )

    def test_scores_that_claim_no_chances_are_not_held_to_any(self):
        text = section(PREDICTIONS, judged(NO_RATE))

        assert "Order (AUC) 0.846" in text
        assert not re.search("Brier|slope|dashed line", text)

    def test_precision_is_not_stated_where_nobody_was_held_out(self):
        text = section(PREDICTIONS, judged(UNSELECTED))

        assert "Precision where we act \N{EN DASH} Not known" in text

    def test_the_newest_batch_that_could_be_judged_is_shown_and_all_are_listed(self):
        later = judged(
            None,
            run=9,
            missing="everybody in run 9 was acted on",
            scored_at=SCORED.replace(year=2027, month=1),
        )

        text = section(PREDICTIONS, judged(FOUND), later)

        assert "The scores of 1 December 2026" in text
        assert "1 January 2027 everybody in run 9 was acted on 1 December 2026 100 0.846" in text

    def test_one_that_could_not_be_judged_says_why(self):
        text = section(PREDICTIONS, judged(None, missing="3 of 90 outcomes are as foretold"))

        assert (
            "Nobody can say for the scores of 1 December 2026: 3 of 90 outcomes are as foretold."
            in text
        )

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            pytest.param("works", "none has come so far", id="not-judged-yet"),
            pytest.param("no outcome", "no outcome is declared", id="no-outcome"),
        ],
    )
    def test_where_nothing_is_known_it_says_so(self, name, said):
        for shown in (Page(html(report(name))).text, markdown(report(name))):
            assert re.search(rf"Nothing is known yet: [^.]*{said}", shown)


class TestWhatAHighScoreIsTakenToForetell:
    @staticmethod
    def shown(accuracy, **outcome):
        found = evidence(arm(400, 284), arm(3_600, 2_808), judgements=(judged(accuracy),))
        made = compose(definition(outcome=OUTCOME | outcome), found, names=NAMES)
        plain = " ".join(markdown(made).replace("`", "").replace("*", "").split())
        page = Page(html(made)).text.replace(" ,", ",").replace(" .", ".")
        return page, plain

    @pytest.mark.parametrize(
        ("outcome", "said"),
        [
            pytest.param({}, "foretell a lower renewed, the bad direction, because "
                         "outcome.predicts is not declared.", id="bad-one"),
            pytest.param({"better": "lower"}, "foretell a higher renewed, the bad direction",
                         id="bad-is-more"),
            pytest.param({"predicts": "higher"}, "foretell a higher renewed, as outcome.predicts "
                         "declares.", id="declared"),
        ],
    )  # fmt: skip
    def test_is_said_with_where_that_comes_from(self, outcome, said):
        for text in self.shown(FOUND, **outcome):
            assert f"A high score is taken to {said}" in text

    @pytest.mark.parametrize(
        ("slope", "outcome", "advised"),
        [
            pytest.param(-0.01, {}, "higher", id="below"),
            pytest.param(-0.01, {"predicts": "higher"}, "lower", id="below-as-declared"),
            pytest.param(0.0, {}, None, id="zero"),
            pytest.param(None, {}, None, id="no-rates"),
        ],
    )
    def test_is_doubted_where_the_slope_is_below_zero(self, slope, outcome, advised):
        for text in self.shown(FOUND.model_copy(update={"slope": slope}), **outcome):
            assert ("The slope is below 0" in text) is (advised is not None)
            assert advised is None or f"declare outcome.predicts: {advised}." in text


class TestTheReliabilityChart:
    @pytest.fixture
    def drawn(self):
        return html(reported(judged(FOUND)))

    def test_says_in_words_what_it_shows(self, drawn):
        said = [chart["aria-label"] for chart in Page(drawn).all("svg")]

        assert (
            "Came out as foretold, by score: mean score 10.0%: 12.0% of 60; mean score 80.0%: "
            "74.0% of 40." in said
        )

    def test_takes_no_colour_to_be_read(self, drawn):
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawn))

        assert {each for each in colours if not each.startswith("var(--")} <= {
            "none",
            "transparent",
        }
        assert "The points of the chart as numbers" in drawn

    def test_one_point_alone_is_drawn(self):
        alone = NO_RATE.model_copy(update={"bins": BINS[:1]})

        assert "mean score 0.10: 12.0% of 60." in html(reported(judged(alone)))


def test_markdown_json_and_csv_hold_the_same_scores(tmp_path):
    found = reported(judged(FOUND))
    files = write_report(found, tmp_path)

    rows = dict(csv.reader(io.StringIO(files.csv.read_text(encoding="utf-8"))))
    numbers = json.loads(files.json.read_text(encoding="utf-8"))

    assert numbers["judgements"][0]["accuracy"]["bins"][1]["rate"] == 0.74
    assert rows["judgements[0].accuracy.auc"] == "0.8461"
    assert "| AUC | 0.846 | above 0.5" in markdown(found)
    assert "| 75.0% of 40 held out (59.8% to 85.8%) |" in markdown(found)


class TestOverridesJudged:
    ANSWERED = (
        answer_outcome(None, cases=120, known=100, total=71),
        answer_outcome("already in contact", cases=12, known=5, total=4),
        answer_outcome("data is wrong", cases=6, known=4, total=1),
    )

    def test_stand_beside_what_was_followed_with_a_warning(self):
        text = Page(html(reported(by_answer=self.ANSWERED))).text

        assert "Acknowledged or done 120 100 71.0%" in text
        assert (
            "Overridden: already in contact 12 5 80.0% Overridden: data is wrong 6 4 \N{EN DASH}"
            in text
        )
        assert "A description, never a verdict. Owners choose whom they override." in text

    def test_amounts_are_no_shares(self):
        mean = answer_outcome(None, cases=10, known=10, total=25)
        found = evidence(
            arm(400, 284), arm(3_600, total=9_000, zero_or_one=3_000), by_answer=(mean,)
        )

        text = Page(html(compose(definition(), found))).text

        assert "Acknowledged or done 10 10 2.50" in text

    def test_are_left_out_where_nobody_answered(self):
        assert "when owners disagreed" not in html(reported())


def test_the_band_of_effects_not_worth_having_is_drawn_and_told(tmp_path):
    from flows.report_charts import looks

    effect = report("works").effect

    banded, plain = (looks([("2027-03", effect)], worthwhile=small) for small in (0.04, None))

    assert "Within 4 either way an effect is too small to be worth having." in banded
    assert "too small" not in plain
    assert banded.count("<path") > plain.count("<path")


@pytest.mark.parametrize(
    ("planned", "said"),
    [
        pytest.param(401, "The outcomes of 400 of 401 planned held-out subjects are known.",
                     id="one-short"),
        pytest.param(400, "The plan is complete: the outcomes of 400 held-out subjects are known, "
                     "and 400 were planned.", id="complete"),
        pytest.param(150, "The plan is complete: the outcomes of 400 held-out subjects are known, "
                     "and 150 were planned.", id="more-than-planned"),
    ],
)  # fmt: skip
def test_how_much_of_the_plan_is_known_is_said_plainly(planned, said):
    declared = definition(outcome=OUTCOME | {"planned": planned})

    text = Page(html(compose(declared, evidence(arm(400, 284), arm(3_600, 2_808))))).text

    assert said in text
