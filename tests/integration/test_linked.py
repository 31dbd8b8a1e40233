"""What a personal link opens, and what it never does."""

import re
from dataclasses import replace

import pytest

from flows.messages import LINK_LIFE, addressee, with_own_link
from inbox.app import create_app
from tests.browsing import ACCOUNTS, Browser, company_of, text
from tests.integration.test_mail import QUESTION


@pytest.fixture
def company(tmp_path):
    made = company_of(tmp_path, *ACCOUNTS)
    yield made
    made.layer.ledger.close()


@pytest.fixture
def case(company):
    [key] = [
        case.key
        for case in company.layer.ledger.cases.found(_everything())
        if case.subject == "acme"
    ]
    return key


def _everything():
    from decisions.ledger import Filter

    return Filter()


def address(company, case, person):
    """Return the path of a person's own link to a case, as their e-mail has it."""
    layer = company.layer
    to, url = addressee(person, layer.workspace.people), layer.settings.inbox_url
    question = QUESTION.model_copy(update={"to": to, "case": case})
    return with_own_link(question, layer.links, url, layer.clock()).answer_url.removeprefix(url)


def stranger(company):
    return Browser(create_app(company.layer))


def holder(company, case):
    return company.layer.ledger.cases.named(case).assignee


def test_opening_a_link_shows_the_case_as_its_person_and_changes_nothing(company, case):
    before = company.layer.ledger.cases.dossier(case)
    browser = stranger(company)

    for _ in range(3):
        page = browser.get(address(company, case, holder(company, case)))

    assert page.status_code == 200
    assert "Acknowledge" in text(page)
    assert browser.cookies == {}
    assert company.layer.ledger.cases.dossier(case) == before


def test_the_forms_of_a_link_go_to_the_link_and_answer_as_its_person(company, case):
    person = holder(company, case)
    link = address(company, case, person)
    browser = stranger(company)
    forms = re.findall(r'<form method="post" action="([^"]+)"', browser.get(link).text)

    assert f"{link}/acknowledge" in forms
    assert all(form.startswith(f"{link}/") for form in forms)
    taken = browser.post(f"{link}/acknowledge")

    assert (taken.status_code, taken.headers["location"]) == (303, link)
    assert company.answers(case) == [("acknowledge", person, True)]
    [said] = company.layer.ledger.cases.dossier(case).answers
    assert said.via == "mail"


def test_the_same_form_sent_twice_counts_once(company, case):
    link = address(company, case, holder(company, case))
    browser = stranger(company)

    browser.post(f"{link}/acknowledge")
    browser.post(f"{link}/acknowledge")

    assert len(company.answers(case)) == 1


def test_a_form_on_a_page_of_another_site_is_turned_away(company, case):
    link = address(company, case, holder(company, case))
    by_a_browser = {"Sec-Fetch-Site": "cross-site"}
    by_an_older_one = {"Sec-Fetch-Site": "", "Origin": "https://evil.example"}
    for headers in (by_a_browser, by_an_older_one):
        assert stranger(company).post(f"{link}/acknowledge", headers).status_code == 403
    assert company.answers(case) == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_link_takes_nothing_but_forms(company, case, method):
    link = address(company, case, holder(company, case))
    assert stranger(company)._sent(method, link, {}).status_code == 405


def test_a_link_opens_its_own_case_and_no_other(company, case):
    link = address(company, case, holder(company, case))
    others = [
        each.key for each in company.layer.ledger.cases.found(_everything()) if each.key != case
    ]
    browser = stranger(company)
    browser.get(link)

    browser.post(f"/cases/{others[0]}/acknowledge")

    assert all(company.answers(key) == [] for key in others)


def test_a_link_whose_days_are_over_opens_nothing_and_answers_nothing(company, case):
    link = address(company, case, holder(company, case))
    company.clock.now += LINK_LIFE
    browser = stranger(company)

    assert browser.get(link).status_code == 404
    assert "its days are over" in text(browser.get(link))
    assert browser.post(f"{link}/acknowledge").status_code == 404
    assert company.answers(case) == []


def test_a_forged_link_opens_nothing(company, case):
    link = address(company, case, holder(company, case))
    for forged in (link[:-1] + ("A" if link[-1] != "A" else "B"), "/answer/x", "/answer/..%2f"):
        assert stranger(company).get(forged).status_code == 404


def test_a_link_is_no_entitlement(company, case):
    someone = next(
        key
        for key in company.layer.workspace.people.people
        if "It is with" in text(stranger(company).get(address(company, case, key)))
    )
    answer = stranger(company).post(f"{address(company, case, someone)}/acknowledge")

    assert answer.status_code == 403
    assert company.state(case) == "open"


def test_a_link_is_neither_stored_nor_shown_with_its_message(company, case):
    link = address(company, case, holder(company, case))
    written = QUESTION.model_copy(update={"answer_url": link})

    assert link not in repr(written)
    assert "answer_url" not in written.model_dump(mode="json")


def test_where_a_link_leads_stays_between_reader_and_inbox(company, case):
    page = stranger(company).get(address(company, case, holder(company, case)))

    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert not re.findall(r'(?:href|src|action)="https?://', page.text)


def test_what_a_link_opens_has_its_style_on_every_machine(company, case):
    browser = replace(stranger(company), address="192.0.2.7")
    page = browser.get(address(company, case, holder(company, case)))
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"?]+)', page.text)

    assert browser.get(style).status_code == 200
    assert browser.get("/cases").status_code == 403
