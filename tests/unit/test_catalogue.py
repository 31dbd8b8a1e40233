import re
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from connectors import registry
from decisions.workspace import load_workspace
from flows.catalogue import write_catalogue
from flows.operating_boundary import operating_boundary
from tests.samples import action, definition, people

SHIPPED = Path(__file__).parents[2] / "decisions" / "definitions"
TODAY = date(2026, 11, 20)
OUTWARD = re.compile(
    r"(?:src|href)=[\"'](?!#|index\.html|churn-save-call\.html)|<script|@import|url\("
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    """The catalogue of the workspace that ships, page by page."""
    workspace = load_workspace(SHIPPED, registry.connection_kinds())
    folder = tmp_path_factory.mktemp("catalogue") / "new"
    return {path.name: path.read_text() for path in write_catalogue(workspace, folder, today=TODAY)}


def text(page: str) -> str:
    without_style = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without_style)).split())


def boundary(**changes) -> dict[str, tuple[str, ...]]:
    sections = operating_boundary(definition(**changes), people())
    return {each.heading: each.sentences for each in sections}


def test_there_is_a_page_for_each_decision_and_one_that_leads_there(pages):
    assert list(pages) == ["index.html", "churn-save-call.html"]
    assert 'href="churn-save-call.html"' in pages["index.html"]
    assert "Dana Reyes" in text(pages["index.html"])


def test_the_pages_need_nothing_from_elsewhere(pages):
    assert [name for name, page in pages.items() if OUTWARD.search(page)] == []


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("Should the account manager call this account this week?", id="question"),
        pytest.param("Technical owner Lee Park", id="owner-by-name"),
        pytest.param("When churn probability is at least 80% and annual revenue", id="in-words"),
        pytest.param("churn_probability >= 0.8 AND arr >= 50000", id="in-sql"),
        pytest.param("“[churn probability] likely to leave, [annual revenue] a year", id="reason"),
        pytest.param("no renewal date is known / [renewal on] days", id="alternatives"),
        pytest.param("after 4 working hours without an answer: the assignee's manager", id="steps"),
        pytest.param("20%, to measure the effect", id="holdout"),
        pytest.param("because the model is not sure enough", id="withheld"),
        pytest.param("a save call raises renewal", id="hypothesis"),
        pytest.param("annual revenue 80000 any day call", id="example"),
        pytest.param("at least 0, missing in at most 5%", id="demanded-of-a-field"),
        pytest.param("followthrough halt churn-save-call", id="how-to-stop-it"),
    ],
)
def test_a_decisions_page_says_it_all(pages, said):
    assert said in text(pages["churn-save-call.html"])


def test_an_overdue_review_stands_out(tmp_path):
    workspace = load_workspace(SHIPPED, registry.connection_kinds())

    pages = write_catalogue(workspace, tmp_path, today=date(2027, 7, 1))

    assert all("30 June 2027, overdue" in text(page.read_text()) for page in pages)


def test_a_workspace_without_a_decision_has_a_page_that_says_so(tmp_path):
    for name in ("people.yaml", "connections.yaml"):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    workspace = load_workspace(tmp_path, registry.connection_kinds())

    (page,) = write_catalogue(workspace, tmp_path / "docs", today=TODAY)

    assert "has no decision yet" in text(page.read_text())


def test_what_a_definition_says_is_text_and_never_markup(tmp_path):
    for path in SHIPPED.glob("*.yaml"):
        hostile = path.read_text().replace("this account this week?", "<script>alert(1)</script>?")
        (tmp_path / path.name).write_text(hostile)
    workspace = load_workspace(tmp_path, registry.connection_kinds())

    pages = write_catalogue(workspace, tmp_path / "docs", today=TODAY)

    assert all("<script" not in page.read_text() for page in pages)


def test_the_boundary_names_people_amounts_and_the_way_to_stop():
    said = boundary(
        limits={"per_run": 2000, "per_assignee": "8 per day"},
        withhold=[{"when": "risk > 0.99", "because": "too good to be true", "to": "omar.haddad"}],
    )

    assert said["Who is told"][0] == (
        "call: whoever “account manager” names, else Dana Reyes (business owner), "
        "through slack, to answer within 4 hours"
    )
    assert said["How much it can do"][:2] == (
        "At most 2,000 cases a run",
        "At most 8 per day for one assignee",
    )
    assert "Where risk is above 99%: nothing is decided (too good to be true)" in " ".join(
        said["Where it stops"]
    )
    assert 'followthrough halt churn-save-call --because "…"' in said["How to stop it"]


@pytest.mark.parametrize(
    ("changes", "heading", "sentence"),
    [
        pytest.param({}, "How much it can do", "No limit is declared: ", id="no-limit"),
        pytest.param({"match": "unique"}, "Where it stops", "Where two rules hold: ", id="unique"),
        pytest.param({"otherwise": "call"}, "Where it stops", "Where no rule holds: c", id="rest"),
        pytest.param(
            {"actions": {"call": action(assign=None)}},
            "Who is told",
            "call: Dana Reyes (business owner)",
            id="nobody-assigned",
        ),
    ],
)
def test_the_boundary_hides_nothing(changes, heading, sentence):
    assert any(each.startswith(sentence) for each in boundary(**changes)[heading])
