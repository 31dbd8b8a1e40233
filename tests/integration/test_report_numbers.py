import csv
import io
import json
from datetime import UTC, datetime

import pytest

from decisions.effectiveness.adoption import Adoption, Aged, Agreement, LooseEnd, Overrides, Times
from decisions.effectiveness.effect import estimate_effect
from decisions.effectiveness.evidence import FieldMoved, Imported, Measurement
from decisions.effectiveness.look import Look
from decisions.effectiveness.report import compose
from flows.report_numbers import csv_of, safe
from flows.report_overview import write_overview
from flows.report_pages import html, price_of_holdout, write_report
from tests.integration.test_report_pages import Page
from tests.reports import NAMES, arm, definition, evidence, report

BOTH = (arm(400, 284), arm(3_600, 2_808))
OPENED = datetime(2026, 12, 1, tzinfo=UTC)
ADOPTION = Adoption(
    times=(
        Times(what="first answer", count=50, median=5_400, slow=36_000,
              within={1: 10, 4: 30, 8: 40, 16: 50, 40: 50}),
    ),
    agreement=Agreement(both=30, reported=8, proven=2, contradicted=1, neither=4),
    overrides=(
        Overrides(person="mia.chen", name="mia.chen", count=12,
                  reasons={"already in contact": 12, "data is wrong": None}),
        Overrides(person="ben.okafor", name="ben.okafor", count=None,
                  reasons={"data is wrong": None}),
    ),
    aged=(Aged(assignee="mia.chen", name="mia.chen", counts=(1, 2, 3, 4)),),
    loose_ends=(
        LooseEnd(case="CSC-7", assignee="mia.chen", name="mia.chen", opened_at=OPENED,
                 lacks=("proof", "outcome")),
    ),
)  # fmt: skip


MOVED = FieldMoved(field="risk", runs=20, flagged=3, most=0.3127, last_at=OPENED)


@pytest.fixture(scope="module")
def page():
    found = evidence(
        *BOTH, adoption=ADOPTION, drift=(MOVED,), answers={"arms": ({"arm": "control", "n": 400},)}
    )
    return Page(html(compose(definition(), found, names=NAMES)))


class TestHowPeopleDealtWithIt:
    def test_times_are_working_time(self, page):
        assert "first answer 50 1.5 h 10.0 h 20.0% 60.0% 80.0% 100.0% 100.0%" in page.text

    def test_reports_stand_beside_proofs(self, page):
        assert "Reported and proven 30 Reported only 8 Proven only 2" in page.text
        assert "Contradicted: overridden, and proven all the same 1" in page.text

    def test_small_numbers_of_a_person_are_not_shown(self, page):
        assert "Mia Chen 12 12 \N{EN DASH}" in page.text
        assert "1 more overrode fewer cases." in page.text
        assert "ben.okafor" not in page.text.partition("Who overrode")[2].partition("Open loops")[0]

    def test_open_loops_are_told_by_age_and_by_name(self, page):
        assert "Mia Chen 1 2 3 4" in page.text
        assert "CSC-7 Mia Chen 1 December 2026 proof, outcome" in page.text


def test_each_query_stands_with_what_it_gave(page):
    assert "SQL: arms 1 row SELECT 1 What it gave arm n control 400" in page.text


def test_fields_that_moved_are_named(page):
    assert "risk 20 3 0.313 1 December 2026" in page.text


class TestEveryLook:
    @pytest.fixture
    def looked(self):
        """The page of a measurement that was read once before."""
        first = estimate_effect(arm(120, 85), arm(1_080, 842), better="higher", critical=3.26)
        look = Look(
            period="churn-2027",
            label="2027-02",
            as_of=OPENED,
            information=0.12,
            spent=0.001,
            critical=3.26,
            effect=first,
            verdict="no evidence yet",
            sentences="So far.",
            recommendation="Wait.",
        )
        period = Measurement(period="churn-2027", began_at=OPENED)
        found = evidence(*BOTH, measurement=period, looks=(look,))
        return Page(html(compose(definition(), found, names=NAMES)))

    def test_is_drawn_with_its_interval(self, looked):
        said = [chart["aria-label"] for chart in looked.all("svg")]

        assert any(
            each.startswith("Difference at every look. 2027-02: +7.1 points, interval")
            and "2027-03: +7.0 points" in each
            for each in said
        )

    def test_is_listed_with_the_verdict_published_then(self, looked):
        assert "What was said before" in looked.text
        assert "2027-02 no evidence yet +7.1 points" in looked.text


class TestThePriceOfTheHoldout:
    def test_is_what_the_held_out_would_have_gained(self):
        assert price_of_holdout(report("works")) == (
            "The price of knowing: 400 subjects were left alone; if the estimate holds, about 28 "
            "of them would have done better, USD 28,000 forgone."
        )

    @pytest.mark.parametrize("name", ["no evidence yet", "harmful", "no holdout", "amounts"])
    def test_is_not_stated_where_no_gain_is_shown(self, name):
        assert price_of_holdout(report(name)) is None


class TestCsv:
    def test_holds_every_number_by_its_place_in_the_json(self, tmp_path):
        files = write_report(report("works"), tmp_path)

        rows = dict(csv.reader(io.StringIO(files.csv.read_text(encoding="utf-8"))))
        numbers = json.loads(files.json.read_text(encoding="utf-8"))

        assert float(rows["effect.difference.lower"]) == numbers["effect"]["difference"]["lower"]
        assert rows["funnel.stages[1].count"] == "120"
        assert rows["control.observed"] == "400"

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
    def test_no_text_is_taken_for_a_formula(self, start):
        evil = f"{start}HYPERLINK(1)"
        purpose = {"question": evil, "metric": "renewals"}

        rows = dict(csv.reader(io.StringIO(csv_of(compose(definition(purpose=purpose),
                                                          evidence(*BOTH))))))  # fmt: skip

        assert rows["about.question"] == f"'{evil}"

    @pytest.mark.parametrize("value", [-0.5, 12, None, "7 of 12", "a=b"])
    def test_everything_else_stays_as_it_is(self, value):
        assert safe(value) == value


def decision(name, control, treatment):
    return compose(definition(decision=name), evidence(arm(400, control), arm(3_600, treatment)))


class TestAllDecisions:
    @pytest.fixture
    def written(self, tmp_path):
        names = ["works", "harmful", "too early", "no outcome"]
        found = [report(name) for name in names]
        return write_overview(found, tmp_path, as_of=found[0].as_of)

    def test_harm_comes_first(self, written):
        page = Page(written.read_text(encoding="utf-8")).text

        assert page.index("harmful +7.0 points") < page.index("works +7.0 points")
        assert (
            "With 2 decisions compared at 5%, expect about 0.1 verdicts about an effect by chance "
            "alone." in page
        )

    def test_names_the_same_numbers_as_json_and_csv(self, written):
        numbers = json.loads(written.with_suffix(".json").read_text(encoding="utf-8"))
        rows = dict(csv.reader(io.StringIO(written.with_suffix(".csv").read_text())))

        first = numbers["decisions"][0]
        assert [each["verdict"] for each in numbers["decisions"]][:2] == ["works", "harmful"]
        assert rows["decisions[0].difference.estimate"] == str(first["difference"]["estimate"])
        assert (first["stands"], numbers["together"]["compared"]) == (True, 2)
        assert rows["together.totals[0].unit"] == "USD"

    def test_worth_is_added_up_over_losers_as_well(self, written):
        text = Page(written.read_text(encoding="utf-8")).text

        assert "USD 0 Interval USD \N{MINUS SIGN}236,000 to USD 236,000" in text
        assert "from all 2 decisions that state one in USD, before costs." in text

    def test_a_verdict_that_many_decisions_could_give_by_chance_is_marked(self, tmp_path):
        narrow = decision("narrow", 290, 2_790)
        others = [decision(f"other-{n}", 300, 2_700) for n in range(19)]

        alone, among = (
            Page(write_overview(found, tmp_path, as_of=OPENED).read_text(encoding="utf-8")).text
            for found in ([narrow], [narrow, *others])
        )

        assert "✓ stands" in alone
        assert "needs no allowance for others" in alone
        assert "? may be chance" in among
        assert "expect about 1 verdicts" in among

    def test_an_imported_period_has_a_line_of_its_own_in_the_chart(self, tmp_path):
        brought = Imported(
            period="trial-2025",
            file="trial.csv",
            sha256="f" * 64,
            imported_at=OPENED,
            by="lee.park",
            subjects=4_000,
            share_declared=True,
            acted_known=0,
            acted=0,
        )
        imported = compose(definition(), evidence(*BOTH, imported=brought), names=NAMES)

        page = write_overview([report("works"), imported], tmp_path, as_of=OPENED)

        said = Page(page.read_text(encoding="utf-8")).all("svg")[0]["aria-label"]
        assert "churn-save-call: +7.0 points" in said
        assert "trial-2025 (imported): +7.0 points" in said

    def test_what_may_not_be_relied_on_is_not_drawn(self, tmp_path):
        page = write_overview([report("cannot be judged")], tmp_path, as_of=OPENED)

        text = Page(page.read_text(encoding="utf-8")).text
        assert "No decision has an effect to compare yet." in text
        assert "No worth is known yet" in text
        assert "<svg" not in page.read_text(encoding="utf-8")

    def test_says_what_its_owners_should_have_confirmed(self, tmp_path):
        late = compose(definition(review_by="2027-01-01"), evidence(*BOTH), names=NAMES)

        page = write_overview([late], tmp_path, as_of=late.as_of).read_text(encoding="utf-8")

        assert "1 January 2027 overdue" in Page(page).text

    def test_without_a_decision_it_says_so(self, tmp_path):
        page = write_overview([], tmp_path, as_of=OPENED).read_text(encoding="utf-8")

        assert "There is no decision in this workspace yet." in Page(page).text
