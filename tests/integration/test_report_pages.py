import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from decisions.effectiveness.adoption import Adoption, Overrides
from decisions.effectiveness.evidence import FollowUp
from decisions.effectiveness.report import compose
from flows.report_pages import MOST_LOOPS, html, markdown, write_report
from tests.reports import arm, definition, evidence, report

EXPECTED = Path(__file__).parent / "expected"
BOTH = (arm(400, 284), arm(3_600, 2_808))
ALL = [
    "works",
    "harmful",
    "no evidence yet",
    "too early",
    "cannot be judged",
    "amounts",
    "no holdout",
    "no outcome",
    "no runs",
    "no cases",
]
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """What a page is made of, as a reader of its source would find it."""

    def __init__(self, source):
        super().__init__()
        self.elements = []
        self.open = []
        self.words = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def pages():
    return {name: html(report(name)) for name in ALL}


@pytest.mark.parametrize("name", ALL)
class TestEveryPage:
    def test_stands_alone(self, pages, name):
        page = Page(pages[name])

        assert not page.open
        assert page.all("script", "link", "img", "iframe", "object") == []
        assert not re.search(r"https?:|//|@import|url\(|\bsrc=", pages[name])

    def test_can_be_read_aloud(self, pages, name):
        page = Page(pages[name])
        headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]

        assert page.all("html")[0]["lang"] == "en"
        assert headings[0] == 1
        assert set(headings[1:]) == {2}
        assert all(cell["scope"] in {"col", "row"} for cell in page.all("th"))
        assert len(page.all("caption")) == len(page.all("table"))
        assert all(chart["role"] == "img" and chart["aria-label"] for chart in page.all("svg"))
        assert len(page.all("title")) == 1

    def test_refers_only_to_ids_it_has(self, pages, name):
        page = Page(pages[name])
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        wanted = {section["aria-labelledby"] for section in page.all("section")}

        assert len(ids) == len(set(ids))
        assert wanted <= set(ids)

    def test_leads_with_the_verdict(self, pages, name):
        found = report(name)
        text = Page(pages[name]).text

        assert f"{found.verdict.kind.capitalize()}." in text
        assert found.verdict.sentences in text
        assert found.verdict.recommendation in text
        assert not re.search(r"\bNone\b|\bnan\b|Undefined|\{\{|significant|proved", text)

    def test_says_how_it_was_computed(self, pages, name):
        text = Page(pages[name]).text

        assert "How this was computed" in text
        assert all(sql in text for sql in report(name).queries.values())


class TestTheWorkingPage:
    def test_shows_the_four_counts_and_both_rates(self, pages):
        text = Page(pages["works"]).text

        assert "Put forward 2,808 792 3,600 78.00% 76.62% to 79.32%" in text
        assert "Left alone 284 116 400 71.00% 66.37% to 75.23%" in text
        assert "Difference +7.00 points +2.55 to +11.82" in text

    def test_says_what_allows_for_reading_it_again_and_again(self, pages):
        assert (
            "all looks together claim an effect that is not there at most 5% of the time"
            in Page(pages["works"]).text
        )

    def test_labels_money_as_an_estimate(self, pages):
        text = Page(pages["works"]).text

        assert "USD 252,000" in text
        assert "an estimate before costs" in text
        assert "what acting cost is not deducted" in text

    def test_its_charts_say_in_words_what_they_show(self, pages):
        said = [chart["aria-label"] for chart in Page(pages["works"]).all("svg")]

        assert said[0].startswith("Outcomes. put forward: 78.0%, interval 76.6% to 79.3%.")
        assert said[1].startswith("Difference between the arms: +7.0 points, interval +2.5 to")
        assert "told 120 (80.0%)" in said[2]

    def test_its_charts_take_the_pages_colours(self, pages):
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', pages["works"]))

        assert {colour for colour in colours if not colour.startswith("var(--")} <= {
            "none",
            "transparent",
        }


class TestEmptyStates:
    def test_no_runs(self, pages):
        text = Page(pages["no runs"]).text

        assert "No case of this measurement period has been opened yet." in text
        assert "No run is recorded" in text
        assert "No case was put to anybody." in text
        assert "Open loops" not in text

    def test_no_cases(self, pages):
        text = Page(pages["no cases"]).text

        assert "1 run from the beginning to 31 March 2027 judged 50 subjects" in text
        assert "No case was put to anybody." in text

    def test_no_holdout(self, pages):
        text = Page(pages["no holdout"]).text

        assert "No effect is stated, because nobody was left alone to compare with." in text
        assert "Can we trust the comparison?" not in text
        assert "“acted, proven” is not shown" in text

    def test_no_outcome(self, pages):
        text = Page(pages["no outcome"]).text

        assert "What came of it" not in text
        assert "“outcome known” is not shown" in text


class TestDeclaredParts:
    DECLARED = definition(
        report={"slices": [{"by": "arr", "at": [10_000]}, {"by": "account_manager"}]}
    )

    def test_are_named_while_they_are_not_shown(self):
        few = compose(self.DECLARED, evidence(arm(40, 30), arm(360, 280)))

        text = Page(html(few)).text

        assert "Declared parts: by arr , account_manager . They are not shown before an" in text

    def test_nobody_declared_are_not_spoken_of(self, pages):
        assert "Declared parts" not in Page(pages["too early"]).text


class TestWhoOverrode:
    def told(self, *counts):
        overrides = tuple(
            Overrides(person=f"p{n}", name=f"P {n}", count=count, reasons={})
            for n, count in enumerate(counts)
        )
        found = evidence(*BOTH, adoption=Adoption(overrides=overrides))
        return Page(html(compose(definition(), found))).text

    @pytest.mark.parametrize(
        ("counts", "said"),
        [
            ((None,), "One person overrode, in fewer than 5 cases; so few are not shown by name."),
            ((None, None), "2 people overrode, each in fewer than 5 cases; so few are"),
        ],
    )
    def test_gets_no_empty_table_where_nobody_did_often(self, counts, said):
        text = self.told(*counts)

        assert said in text
        assert "Who overrode, and why" not in text

    def test_gets_a_table_with_the_rest_counted(self):
        text = self.told(7, None)

        assert "Who overrode, and why" in text
        assert "1 more overrode fewer cases." in text

    @pytest.mark.parametrize(
        ("overridden", "said"), [(1, "Why 1 of 60 cases was"), (2, "Why 2 of 60 cases were")]
    )
    def test_is_counted_in_the_right_number(self, overridden, said):
        followed = FollowUp(opened=60, told=60, answered=50, overridden=overridden)

        assert said in Page(html(compose(definition(), evidence(*BOTH, followed=followed)))).text


def test_a_printed_page_shows_short_tables_opened_and_promises_no_query():
    page = html(report("works"))

    printed = page.partition("@media print")[2].partition("</style>")[0]
    assert "details:not(.printed), .screen { display: none; }" in printed
    assert ".printed::details-content { content-visibility: visible;" in printed
    promise = page.index("Each number, and the question that gave it")
    assert page.rindex('<div class="screen">', 0, promise) > page.rindex("</section>", 0, promise)


class TestWhatOthersWrote:
    EVIL = "<script>alert(1)</script> | \n# x"

    @pytest.fixture
    def hostile(self):
        purpose = {"question": self.EVIL, "metric": self.EVIL, "baseline": self.EVIL}
        found = evidence(*BOTH, overrides={self.EVIL: 3}, assignees={"eve": FollowUp(opened=1)})
        names = {"eve": self.EVIL, "dana.reyes": self.EVIL}
        return compose(definition(purpose=purpose), found, names=names)

    def test_stays_text_on_the_page(self, hostile):
        page = Page(html(hostile))

        assert page.all("script") == []
        assert "<script>alert(1)</script>" in page.text

    def test_breaks_no_table_in_markdown(self, hostile):
        text = markdown(hostile)

        assert "<script" not in text
        assert "| &lt;script>alert(1)&lt;/script> \\| # x | 1 |" in text


class TestMarkdown:
    def test_reads_as_expected(self):
        found = markdown(report("works"))

        assert found == (EXPECTED / "report.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize("name", ALL)
    def test_every_row_of_a_table_has_its_columns(self, name):
        tables = re.findall(r"(?:^\|.*\n)+", markdown(report(name)), re.MULTILINE)

        for table in tables:
            assert len({row.count("|") for row in table.splitlines()}) == 1, table


class TestFiles:
    def test_are_named_for_decision_and_month(self, tmp_path):
        files = write_report(report("works"), tmp_path / "reports")

        assert files.html == tmp_path / "reports" / "churn-save-call-2027-03.html"
        assert files.json.name == "churn-save-call-2027-03.json"
        assert files.html.read_text(encoding="utf-8") == html(report("works"))

    def test_the_json_holds_the_same_numbers(self, tmp_path):
        files = write_report(report("works"), tmp_path)

        numbers = json.loads(files.json.read_text(encoding="utf-8"))

        assert numbers["effect"]["difference"]["estimate"] == pytest.approx(0.07)
        assert numbers["control"]["observed"] == 400
        assert numbers["benefit"]["money"]["unit"] == "USD"
        assert numbers["funnel"]["stages"][1] == {
            "name": "told",
            "meaning": "the assignee was sent the question",
            "count": 120,
            "of": 150,
        }

    def test_a_report_on_a_whole_month_is_named_for_it(self, tmp_path):
        month = evidence(*BOTH, until=datetime(2027, 3, 1, tzinfo=UTC))

        assert "2027-02" in write_report(compose(definition(), month), tmp_path).html.name


def test_a_long_list_of_assignees_is_cut_and_still_adds_up():
    assignees = {f"person-{n:02}": FollowUp(opened=2) for n in range(MOST_LOOPS + 5)}

    text = Page(html(compose(definition(), evidence(*BOTH, assignees=assignees)))).text

    assert f"All {MOST_LOOPS + 5} assignees {2 * (MOST_LOOPS + 5)}" in text
    assert "person-15" not in text


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_every_text_colour_is_legible(pages, scheme):
    blocks = re.findall(r":root \{(.*?)\}", pages["works"], re.DOTALL)
    block = blocks[["light", "dark", "print"].index(scheme)]
    colours = dict(re.findall(r"--(\w+): (#\w+)", block))

    for name in ("ink", "muted", "good", "bad", "warn", "calm", "mark"):
        for ground in ("paper", "wash"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def contrast(one, other):
    """WCAG 2.2, success criterion 1.4.3."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    digits = colour.removeprefix("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
