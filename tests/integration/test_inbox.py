import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from decisions.desk import Author
from decisions.ledger import Filter
from flows import sweep
from inbox.app import STATIC
from inbox.safety import HEADERS
from tests.browsing import ACCOUNTS, HERE, Company, Outline, company_of, keys, text
from tests.company import DECISION, PEOPLE, write_scores


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """A company with three open cases."""
    company = company_of(tmp_path, *ACCOUNTS)
    yield company
    company.layer.ledger.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The same company for tests that only look."""
    company = company_of(tmp_path_factory.mktemp("quiet"), *ACCOUNTS)
    yield company
    company.layer.ledger.close()


class TestWhoReads:
    def test_the_first_visit_asks_who_it_is_and_says_that_nobody_checks(self, quiet):
        page = text(quiet.visited_by().get("/"))

        assert "Who are you?" in page
        assert "Mia Chen 2 waiting" in page
        assert "whoever can open this page on it can answer as anyone" in page

    def test_the_choice_is_remembered_in_a_cookie_of_this_site_alone(self, quiet):
        browser = quiet.visited_by()

        chosen = browser.post("/me", person="mia.chen", back="/cases/CSC-1")

        assert (chosen.status_code, chosen.headers["location"]) == (303, "/cases/CSC-1")
        cookie = chosen.headers.get_list("set-cookie")[-1]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "You are Mia Chen now." in text(browser.get("/"))

    def test_nobody_can_be_who_is_not_in_the_company(self, quiet):
        assert quiet.visited_by().post("/me", person="eve").status_code == 422
        assert "Who are you?" in text(quiet.visited_by("eve").get("/"))

    @pytest.mark.parametrize(
        "back",
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)",
         "/\t/evil.example", "evil.example", "", "///evil.example"],
    )  # fmt: skip
    def test_open_redirect_no_form_leads_to_another_site(self, company, back):
        browser = company.visited_by("mia.chen")

        moved = browser.post("/me", person="mia.chen", back=back)
        answered = browser.post("/cases/CSC-1/acknowledge", back=back)

        assert moved.headers["location"] == "/"
        assert answered.headers["location"] in {"/", "/cases/CSC-1"}


class TestTheQueue:
    def test_shows_what_is_mine_most_urgent_first_in_my_time_zone(self, quiet):
        page = quiet.visited_by("mia.chen").get("/")

        assert keys(page) == ["CSC-1", "CSC-3"]
        assert "2 cases wait for you." in text(page)
        assert "Call Acme Ltd before 3 Jan 2027" in text(page)
        assert "91% likely to leave, $80,000 a year" in text(page)
        assert (
            "Answer by Mon 16 Nov, 14:00 , in 4 hours, 4 hours of it at work At stake $80,000"
            in text(page)
        )
        assert '<time datetime="2026-11-16T13:00:00Z"' in page.text

    def test_marks_what_is_overdue(self, company):
        company.forward(hours=5)

        page = text(company.visited_by("mia.chen").get("/"))

        assert "2 cases wait for you, 1 overdue" in page
        assert "Overdue Answer by Mon 16 Nov, 14:00 , 1 hour ago" in page

    def test_a_snoozed_case_sleeps_and_is_not_overdue(self, company):
        until = company.clock() + timedelta(days=1)
        company.layer.desk.snooze("CSC-1", Author("mia.chen", "api", "1"), until=until)
        company.forward(hours=5)

        page = text(company.visited_by("mia.chen").get("/"))

        assert "Snoozed until Tue 17 Nov, 10:00" in page
        assert "Overdue" not in page

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            pytest.param("text=BROOK", ["CSC-3"], id="subject"),
            pytest.param("text=csc-1", ["CSC-1"], id="key"),
            pytest.param(f"decision={DECISION}", ["CSC-1", "CSC-3"], id="decision"),
            pytest.param("decision=other", [], id="no-such-decision"),
            pytest.param("text=calder", [], id="not-mine"),
            pytest.param("page=0", ["CSC-1", "CSC-3"], id="before-the-first-page"),
            pytest.param("text=brook+ltd", ["CSC-3"], id="name"),
            pytest.param("stake=80,000", ["CSC-1"], id="worth-exactly-that"),
            pytest.param("stake=80000.01", [], id="worth-less"),
            pytest.param("stake=much", ["CSC-1", "CSC-3"], id="no-number"),
            pytest.param("only=overdue", [], id="nothing-overdue"),
            pytest.param("only=snoozed", [], id="nothing-snoozed"),
            pytest.param("only=open", ["CSC-1", "CSC-3"], id="not-acknowledged"),
        ],
    )
    def test_is_narrowed_by_decision_and_text(self, quiet, query, found):
        assert keys(quiet.visited_by("mia.chen").get(f"/?{query}")) == found

    def test_says_so_when_nothing_waits(self, quiet):
        assert "You are done." in text(quiet.visited_by("lee.park").get("/"))

    def test_shows_a_manager_what_nobody_had_answered(self, company):
        company.forward(hours=5)

        page = text(company.visited_by("omar.haddad").get("/"))

        assert "Nothing is in your hands." in page
        assert "Told to you, because nobody had answered" in page
        assert "CSC-1" in page

    def test_comes_in_pages_of_fifty(self, tmp_path):
        company = company_of(tmp_path, *({"account_id": f"a{n:02}"} for n in range(51)))
        browser = company.visited_by("mia.chen")

        first, second = browser.get("/"), browser.get("/?page=2")

        assert (len(keys(first)), len(keys(second))) == (50, 1)
        assert "1 to 50 of 51" in text(first)
        assert "Next" in text(first)
        assert "51 to 51 of 51" in text(second)
        assert "Previous" in text(second)


class TestWhatOthersHold:
    def test_what_was_handed_over_is_shown_until_it_is_done(self, company):
        browser = company.visited_by("mia.chen")
        browser.post("/cases/CSC-1/reassign", to="sam.ortiz", note="Sam knows them")

        before = text(browser.get("/"))
        company.layer.desk.done("CSC-1", Author("sam.ortiz", "api", "1"), what="Called them")
        after = text(browser.get("/"))

        assert "Handed over by you CSC-1" in before
        assert "Handed over by you" not in after

    def test_what_a_cover_holds_is_shown_to_whom_they_cover(self, tmp_path):
        leave = "cover:\n  - {of: mia.chen, by: sam.ortiz, from: 2026-11-16, until: 2026-11-16,"
        company = company_of(tmp_path, *ACCOUNTS, people=f"{PEOPLE}{leave} because: leave}}\n")

        page = text(company.visited_by("mia.chen").get("/"))

        assert "Held in your place CSC-" in page
        assert "Held in your place" not in text(company.visited_by("sam.ortiz").get("/"))
        company.layer.ledger.close()

    @pytest.mark.parametrize(
        ("team", "found"),
        [
            pytest.param("omar.haddad", ["CSC-1", "CSC-2", "CSC-3"], id="manager"),
            pytest.param("sam.ortiz", ["CSC-2"], id="nobody-below"),
            pytest.param("eve", [], id="nobody"),
        ],
    )
    def test_a_team_is_everybody_below_a_manager(self, quiet, team, found):
        browser = quiet.visited_by("dana.reyes")

        assert sorted(keys(browser.get(f"/everybody?team={team}"))) == found
        assert sorted(keys(browser.get(f"/cases?team={team}"))) == found


class TestManyAtOnce:
    def test_those_ticked_are_acknowledged_and_no_others(self, company):
        browser = company.visited_by("mia.chen")

        done = browser.post("/acknowledge", keys="CSC-3", back="/?text=brook")

        assert (done.status_code, done.headers["location"]) == (303, "/?text=brook")
        assert [company.state(key) for key in ("CSC-1", "CSC-3")] == ["open", "acknowledged"]
        assert "CSC-3 acknowledged." in text(browser.get("/"))

    def test_those_that_cannot_be_are_named_and_do_not_hold_up_the_others(self, company):
        browser = company.visited_by("mia.chen")
        company.layer.desk.done("CSC-1", Author("dana.reyes", "api", "1"), what="Called them")

        browser.post("/acknowledge", keys=["CSC-1", "CSC-2", "CSC-99", "CSC-3"])
        page = text(browser.get("/"))

        assert company.state("CSC-3") == "acknowledged"
        assert "CSC-3 acknowledged; not taken: CSC-1 was already completed by Dana Reyes" in page
        assert "Mia Chen may not answer CSC-2" in page
        assert "there is no case 'CSC-99'" in page

    def test_the_same_form_twice_counts_once(self, company):
        browser = company.visited_by("mia.chen")

        for _ in range(2):
            browser.post("/acknowledge", keys=["CSC-1", "CSC-3"])

        assert [len(company.answers(key)) for key in ("CSC-1", "CSC-3")] == [1, 1]

    def test_nothing_ticked_acknowledges_nothing(self, company):
        browser = company.visited_by("mia.chen")

        assert browser.post("/acknowledge").status_code == 303
        assert "Nothing acknowledged." in text(browser.get("/"))


def test_everybody_sees_what_waits_for_whom(quiet):
    page = quiet.visited_by("lee.park").get("/everybody")

    assert "Mia Chen 2 waiting" in text(page)
    assert "Sam Ortiz 1 waiting" in text(page)
    assert sorted(keys(page)) == ["CSC-1", "CSC-2", "CSC-3"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", ["CSC-1", "CSC-2", "CSC-3"], id="all"),
        pytest.param("state=completed", ["CSC-3"], id="state"),
        pytest.param("state=waiting", ["CSC-1", "CSC-2"], id="waiting"),
        pytest.param("assignee=sam.ortiz", ["CSC-2"], id="assignee"),
        pytest.param("overdue=true", ["CSC-1"], id="overdue"),
        pytest.param("state=completed&overdue=true", [], id="what-is-closed-is-not-overdue"),
        pytest.param("state=nonsense", ["CSC-1", "CSC-2", "CSC-3"], id="no-such-state"),
    ],
)
def test_all_cases_are_narrowed_by_state_assignee_and_deadline(company, query, found):
    company.layer.desk.done("CSC-3", Author("mia.chen", "api", "1"), what="Wrote to them")
    company.forward(hours=5)

    assert sorted(keys(company.visited_by("lee.park").get(f"/cases?{query}"))) == found


class TestOneCase:
    def test_shows_the_ask_the_evidence_and_who_answers_for_it(self, quiet):
        page = text(quiet.visited_by("mia.chen").get("/cases/CSC-1"))

        assert "Call Acme Ltd before 3 Jan 2027" in page
        assert "Churn probability 91%" in page
        assert "Top reason fewer logins" in page
        assert "by churn-gbm, version 7" in page
        assert "Assignee Mia Chen" in page
        assert "Accountable Dana Reyes" in page
        assert "Answers for the model Lee Park" in page
        assert "churn-save-call, version 1" in page
        assert "If nothing is said by Mon 16 Nov, 14:00 , Omar Haddad is told." in page

    def test_says_of_what_is_past_that_it_was_due(self, company):
        company.layer.clock.forward(6 * 3600)

        page = text(company.visited_by("mia.chen").get("/cases/CSC-1"))

        assert "This was due Mon 16 Nov, 14:00 . If nothing is said before the next swe" in page
        assert "If nothing is said by" not in page

    def test_draws_the_message_as_slack_shows_it(self, quiet):
        page = quiet.visited_by("mia.chen").get("/cases/CSC-1")

        assert 'class="slack-message"' in page.text
        assert "Drawn here only: slack has no token yet" in text(page)

    def test_tells_its_whole_story(self, company):
        company.forward(hours=5)
        mia, omar = company.visited_by("mia.chen"), company.visited_by("omar.haddad")
        omar.post("/cases/CSC-1/done", number="omars-own-form-1", note="Called them myself")
        mia.post("/cases/CSC-1/acknowledge", number="mias-own-form-01")

        page = text(mia.get("/cases/CSC-1"))
        told = page.partition("What happened")[2]

        story = ["Opened by run 1", "Given to Mia Chen", "Mia Chen was asked",
                 "Omar Haddad was told that nobody had answered",
                 "Omar Haddad completed it, in place of Mia Chen", "Called them myself",
                 "Mia Chen wanted to acknowledge it, in vain", "already completed by Omar Haddad",
                 "In the ledger"]  # fmt: skip
        assert [part for part in story if part not in told] == []
        assert [told.index(part) for part in story] == sorted(told.index(part) for part in story)
        assert "Done, as reported Called them myself Omar Haddad" in page

    def test_offers_no_form_to_who_may_not_answer(self, quiet):
        page = quiet.visited_by("sam.ortiz").get("/cases/CSC-1")
        stranger = quiet.visited_by("omar.haddad").get("/cases/CSC-1")

        assert "/cases/CSC-1/acknowledge" in page.text
        assert "/cases/CSC-1/acknowledge" not in stranger.text
        assert "It is with Mia Chen. It can be answered by Dana Reyes, Lee Park" in text(stranger)

    def test_that_does_not_exist_says_where_to_look(self, quiet):
        page = quiet.visited_by("mia.chen").get("/cases/CSC-99")

        assert page.status_code == 404
        assert "There is no case 'CSC-99'. Look for it among all cases." in text(page)


class TestHeldOut:
    @pytest.fixture
    def held_out(self, tmp_path: Path) -> Iterator[Company]:
        """Nearly everybody is held out; the first case is."""
        rows = ({"account_id": f"a{n:02}", "company": f"Secret {n}"} for n in range(20))
        company = company_of(tmp_path, *rows, holdout="90%")
        yield company
        company.layer.ledger.close()

    @pytest.fixture
    def key(self, held_out: Company) -> str:
        return held_out.layer.ledger.cases.found(Filter(states=("held_out",)))[0].key

    def test_is_hidden_from_everybody_else_and_that_they_asked_is_entered(self, held_out, key):
        browser = held_out.visited_by("mia.chen")

        page = browser.get(f"/cases/{key}")
        lists = [browser.get(address) for address in (
            "/cases", f"/cases?text={key}", "/everybody", "/cases?state=held%20out",
            f"/cases?state=held%20out&decision={DECISION}",
        )]  # fmt: skip

        assert page.status_code == 403
        assert "Held out on purpose" in text(page)
        assert "Secret" not in page.text
        assert [key in keys(each) for each in lists] == [False] * 5
        last = held_out.layer.ledger.entries_of(key)[-1]
        assert (last.actor, last.act) == ("mia.chen", "see what is held out refused")

    @pytest.mark.parametrize("person", ["dana.reyes", "lee.park", "sam.ortiz"])
    def test_is_shown_to_owners_without_forms(self, held_out, key, person):
        browser = held_out.visited_by(person)

        page = browser.get(f"/cases/{key}")
        listed = browser.get(f"/cases?state=held%20out&decision={DECISION}")

        assert page.status_code == 200
        assert "Secret" in page.text
        assert 'method="post"' not in page.text
        assert key in keys(listed)

    def test_is_answered_by_nobody(self, held_out, key):
        refused = held_out.visited_by("mia.chen").post(f"/cases/{key}/done", note="Called them")
        owner = held_out.visited_by("dana.reyes").post(f"/cases/{key}/done", note="Called them")

        assert refused.status_code == 403
        assert owner.status_code == 403
        assert held_out.state(key) == "held_out"
        assert "Secret" not in refused.text


class TestAnswers:
    def test_one_tap_in_the_queue_acknowledges(self, company):
        browser = company.visited_by("mia.chen")

        answer = browser.post("/cases/CSC-1/acknowledge", back="/?text=acme")

        assert (answer.status_code, answer.headers["location"]) == (303, "/?text=acme")
        assert company.state("CSC-1") == "acknowledged"
        assert "CSC-1 is yours; complete it by" in text(browser.get("/?text=acme"))
        assert "CSC-1 is yours" not in text(browser.get("/?text=acme"))

    def test_a_form_sent_twice_counts_once(self, company):
        browser = company.visited_by("mia.chen")

        twice = [browser.post("/cases/CSC-1/done", note="Called them") for _ in range(2)]

        assert [answer.status_code for answer in twice] == [303, 303]
        assert company.answers("CSC-1") == [("done", "mia.chen", True)]

    def test_every_form_has_a_number_of_its_own(self, quiet):
        page = quiet.visited_by("mia.chen").get("/cases/CSC-1").text

        numbers = re.findall(r'name="number" value="([^"]+)"', page)

        assert len(numbers) == page.count('method="post"') == len(set(numbers)) == 6

    def test_done_may_say_when_on_the_readers_own_wall(self, company):
        company.clock.now += timedelta(hours=3)
        case = company.layer.ledger.cases.named("CSC-1")
        there = (case.opened_at + timedelta(hours=1)).astimezone(ZoneInfo("Europe/Berlin"))

        company.visited_by("mia.chen").post(
            "/cases/CSC-1/done", note="Called, they stay", at=f"{there:%Y-%m-%dT%H:%M}"
        )

        (done,) = company.layer.ledger.cases.dossier("CSC-1").interventions
        assert done.acted_at == (case.opened_at + timedelta(hours=1)).replace(
            second=0, microsecond=0
        )

    def test_done_says_what_was_done(self, company):
        company.visited_by("mia.chen").post("/cases/CSC-1/done", note="Called, they stay")

        done = company.layer.ledger.cases.dossier("CSC-1").interventions
        assert [(one.by, one.what) for one in done] == [("mia.chen", "Called, they stay")]

    def test_override_gives_a_reason_and_a_sentence(self, company):
        company.visited_by("mia.chen").post(
            "/cases/CSC-1/override", reason="data is wrong", note="They left in May"
        )

        answer = company.layer.ledger.cases.dossier("CSC-1").answers[0]
        assert (answer.reason, answer.note, answer.via) == (
            "data is wrong", "They left in May", "inbox",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("form", "until"),
        [
            pytest.param({"morning": "true"}, datetime(2026, 11, 17, 8, tzinfo=UTC), id="morning"),
            pytest.param(
                {"until": "2026-11-20T15:30"}, datetime(2026, 11, 20, 14, 30, tzinfo=UTC), id="wall"
            ),
        ],
    )
    def test_snooze_reads_the_readers_own_clock(self, company, form, until):
        company.visited_by("mia.chen").post("/cases/CSC-1/snooze", **form)

        assert company.layer.ledger.cases.named("CSC-1").snoozed_until == until

    def test_reassign_hands_it_on(self, company):
        browser = company.visited_by("mia.chen")

        browser.post("/cases/CSC-1/reassign", to="sam.ortiz", note="Sam knows them")

        assert company.layer.ledger.cases.named("CSC-1").assignee == "sam.ortiz"
        assert "CSC-1 is now with Sam Ortiz" in text(browser.get("/"))

    @pytest.mark.parametrize(
        ("move", "form", "said", "kept"),
        [
            pytest.param("done", {"note": "ok"}, "Say in a sentence", ">ok</textarea>", id="short"),
            pytest.param(
                "override", {"reason": "bored", "note": "Not today"}, "allowed: 'already in",
                ">Not today</textarea>", id="reason",
            ),
            pytest.param(
                "override", {"reason": "data is wrong", "note": ""}, "Say in a sentence",
                'value="data is wrong" required checked', id="note",
            ),
            pytest.param("snooze", {}, "Say until when", "", id="until"),
            pytest.param(
                "snooze", {"until": "soon"}, "Say until when", 'value="soon"', id="unread"
            ),
            pytest.param(
                "snooze", {"until": "2026-11-02T10:00"}, "choose an instant to come",
                'value="2026-11-02T10:00"', id="past",
            ),
            pytest.param(
                "reassign", {"to": "eve", "note": "Eve knows them"}, "Nobody in people.yaml",
                ">Eve knows them</textarea>", id="stranger",
            ),
            pytest.param("done", {"note": "Called", "number": ""}, "lost its number",
                         ">Called</textarea>", id="number"),
        ],
    )  # fmt: skip
    def test_what_was_written_is_kept_when_something_is_missing(
        self, quiet, move, form, said, kept
    ):
        page = quiet.visited_by("mia.chen").post(f"/cases/CSC-1/{move}", **form)

        assert page.status_code == 422
        assert "Not recorded." in text(page)
        assert said in text(page)
        assert kept in page.text
        assert '<details name="move" open>' in page.text
        assert quiet.answers("CSC-1") == []

    def test_a_late_answer_is_told_who_came_first(self, company):
        company.visited_by("dana.reyes").post("/cases/CSC-1/done", note="Called them myself")

        page = company.visited_by("mia.chen").post(
            "/cases/CSC-1/acknowledge", number="mias-own-form-01"
        )

        assert page.status_code == 409
        assert "CSC-1 was already completed by Dana Reyes" in text(page)
        assert "your answer is recorded as late" in text(page)
        assert company.answers("CSC-1")[-1] == ("acknowledge", "mia.chen", False)

    def test_who_is_not_entitled_is_told_who_is(self, company):
        page = company.visited_by("omar.haddad").post("/cases/CSC-1/done", note="Called them")

        assert page.status_code == 403
        assert "Omar Haddad may not answer CSC-1; it is with Mia Chen" in text(page)
        assert company.state("CSC-1") == "open"

    def test_nobody_answers_without_a_name(self, quiet):
        page = quiet.visited_by().post("/cases/CSC-1/acknowledge")

        assert page.status_code == 403
        assert "Choose your name first" in text(page)
        assert quiet.state("CSC-1") == "open"

    @pytest.mark.parametrize(
        ("address", "status"), [("/cases/CSC-99/done", 404), ("/cases/CSC-1/delete", 422)]
    )
    def test_a_form_for_nothing_is_refused(self, quiet, address, status):
        assert quiet.visited_by("mia.chen").post(address).status_code == status


def test_a_case_shows_the_other_cases_of_its_subject(company):
    company.layer.desk.done("CSC-1", Author("mia.chen", "api", "1"), what="Called them")
    company.clock.now += timedelta(days=2)
    write_scores(
        company.layer.workspace.folder, [{"account_id": "acme"}], scored_at=company.clock()
    )
    sweep.decide(company.layer, DECISION)
    newest = company.layer.ledger.cases.about(DECISION, "acme")[0].key

    page = text(company.visited_by("mia.chen").get(f"/cases/{newest}"))

    assert "Other cases of acme CSC-1 completed call, opened" in page


def test_messages_are_shown_as_in_slack_latest_first(company):
    company.forward(hours=5)

    page = text(company.visited_by("omar.haddad").get("/messages"))

    assert "Escalated Mon 16 Nov, 14:00" in page
    assert "Nobody has answered in time; it is with Mia Chen Call Acme Ltd" in page
    assert "Acknowledge Done Override Snooze Reassign Open the case" in page


def test_a_case_shows_what_a_newer_score_has_changed(company):
    company.forward(hours=5)
    rows = [{"account_id": "acme", "churn_probability": 0.99}]
    write_scores(company.layer.workspace.folder, rows, scored_at=company.clock())
    sweep.decide(company.layer, DECISION)

    page = text(company.visited_by("mia.chen").get("/cases/CSC-1"))

    assert "Scored again 1 time, the last by run 2" in page
    assert "Churn probability 99% (was 91%)" in page


def test_runs_show_their_counts_and_their_faults(company):
    write_scores(
        company.layer.workspace.folder,
        [{"account_id": "acme", "arr": -1}],
        scored_at=company.clock(),
    )
    sweep.decide(company.layer, DECISION)

    page = text(company.visited_by("lee.park").get("/runs"))

    assert "Run 2 churn-save-call withheld" in page
    assert "arr: 1 of 1 rows are outside 0 and above; found -1 to -1" in page
    assert "1 subject it was found at acme -1.00" in page
    assert "Run 1 churn-save-call recorded" in page
    assert "opened 3" in page


class TestSafety:
    PAGES = ("/", "/everybody", "/messages", "/cases", "/cases/CSC-1", "/runs", "/me", "/nowhere")

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
            pytest.param({"Sec-Fetch-Site": "same-site"}, id="another-port"),
            pytest.param({"Sec-Fetch-Site": "", "Origin": "http://evil.example"}, id="origin"),
            pytest.param({"Sec-Fetch-Site": "", "Origin": "null"}, id="no-origin"),
            pytest.param({"Sec-Fetch-Site": "", "Origin": "http://127.0.0.1:9"}, id="other-port"),
            pytest.param({"Sec-Fetch-Site": ""}, id="a-cookie-and-no-word-of-where"),
        ],
    )
    def test_csrf_another_sites_form_answers_nothing(self, quiet, headers):
        answer = quiet.visited_by("mia.chen").post("/cases/CSC-1/acknowledge", headers)

        assert answer.status_code == 403
        assert "Nothing was recorded" in answer.text
        assert quiet.answers("CSC-1") == []

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param({"Sec-Fetch-Site": "", "Origin": HERE}, id="older-browser"),
        ],
    )
    def test_our_own_form_answers(self, company, headers):
        answer = company.visited_by("mia.chen").post("/cases/CSC-1/acknowledge", headers)

        assert answer.status_code == 303

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("evil.example", 400), ("127.0.0.1.evil.example", 400), ("[", 400), ("", 400),
            ("localhost:8484", 200), ("127.0.0.1", 200), ("[::1]:8484", 200), ("LOCALHOST", 200),
        ],
    )  # fmt: skip
    def test_it_answers_to_its_own_name_alone(self, quiet, host, status):
        assert quiet.visited_by().get("/cases", Host=host).status_code == status

    @pytest.mark.parametrize("address", [*PAGES, "/static/inbox.css", "/healthz"])
    def test_every_answer_carries_the_headers(self, quiet, address):
        answer = quiet.visited_by("mia.chen").get(address)

        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS

    @pytest.mark.parametrize("address", PAGES)
    def test_no_page_needs_what_its_policy_forbids(self, quiet, address):
        outline = Outline(quiet.visited_by("mia.chen").get(address).text)

        assert outline.all("style", "iframe", "object") == []
        assert {found.get("src") for found in outline.all("script")} == {"/static/inbox.js"}
        assert [name for _, found in outline.tags for name in found
                if name == "style" or name.startswith("on")] == []  # fmt: skip

    @pytest.mark.parametrize("address", PAGES)
    def test_clickjacking_no_page_may_be_framed(self, quiet, address):
        policy = quiet.visited_by("mia.chen").get(address).headers["Content-Security-Policy"]

        assert "frame-ancestors 'none'" in policy

    @pytest.mark.parametrize("person", ["omar.haddad", "sam.ortiz"])
    def test_idor_a_cases_number_is_no_leave_to_answer_it(self, company, person):
        browser = company.visited_by(person)
        key = "CSC-2" if person == "omar.haddad" else "CSC-1"
        owner = person == "sam.ortiz"  # of the decision: who is let in, by name

        found = browser.post(f"/cases/{key}/acknowledge")

        assert found.status_code == (303 if owner else 403)
        assert company.state(key) == ("acknowledged" if owner else "open")

    def test_xss_hostile_facts_stay_text(self, tmp_path):
        hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
        company = company_of(
            tmp_path, {"account_id": hostile, "company": hostile, "top_reason": hostile}
        )
        browser = company.visited_by("mia.chen")

        pages = [browser.get(address).text for address in self.PAGES]

        assert [page for page in pages if "<script>" in page or "<img src=x" in page] == []
        assert "&lt;script&gt;alert(1)" in pages[4]

    def test_a_fault_nobody_foresaw_tells_nothing_of_the_inside(self, company):
        with company.layer.ledger.writing() as transaction:
            transaction.connection.exec_driver_sql("UPDATE notifications SET message = '{}'")
            transaction.connection.exec_driver_sql("UPDATE notifications SET message = '[1]'")

        page = company.visited_by("mia.chen").get("/messages")

        assert page.status_code == 500
        assert "Something is broken on our side" in text(page)
        assert "Traceback" not in page.text
        assert page.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]

    def test_a_ledger_out_of_reach_is_said_and_nothing_is_pretended(self, company, tmp_path):
        company.layer.ledger.close()
        for file in (tmp_path / "home").glob("ledger.db*"):
            file.unlink()
        browser = company.visited_by("mia.chen")

        answers = [browser.get("/"), browser.post("/cases/CSC-1/acknowledge")]
        health = browser.get("/healthz")

        assert [answer.status_code for answer in answers] == [503, 503]
        assert "Nothing was recorded" in text(answers[1])
        assert (health.status_code, health.json()["ok"]) == (503, False)

    def test_health_is_told_to_whoever_asks(self, quiet):
        health = quiet.visited_by().get("/healthz", Host="10.0.0.7:8484")

        assert (health.status_code, health.json()["ok"]) == (200, True)
        assert health.json()["late"] == []

    def test_health_is_bad_once_nobody_has_taken_up_what_is_due(self, company):
        company.clock.now += company.layer.settings.late_after + timedelta(days=3)

        health = company.visited_by().get("/healthz")

        assert (health.status_code, health.json()["late"]) == (503, ["steps"])
        assert company.visited_by().get("/livez").status_code == 200

    def test_figures_are_told_to_prometheus_without_a_name_in_them(self, company):
        figures = company.visited_by().get("/metrics", Host="10.0.0.7:8484").text

        assert 'followthrough_cases{state="open"} ' in figures
        assert 'followthrough_oldest_due_seconds{work="messages"} 0.0' in figures
        assert "mia.chen" not in figures


class TestForEverybody:
    ADDRESSES = ("/", "/?text=x", "/everybody", "/messages", "/cases", "/cases/CSC-1",
                 "/cases/CSC-2", "/runs", "/me", "/nowhere")  # fmt: skip

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_pages_are_whole_and_every_field_has_a_label(self, quiet, address):
        outline = Outline(quiet.visited_by("mia.chen").get(address).text)

        fields = [found for found in outline.all("input", "select", "textarea")
                  if found.get("type") != "hidden"]  # fmt: skip
        labelled = {label.get("for") for label in outline.all("label")}
        ids = [found["id"] for _, found in outline.tags if "id" in found]
        assert outline.unclosed == []
        assert len(ids) == len(set(ids))
        fields = [found for found in fields if found not in outline.labelled_inside]
        assert [found for found in fields if found.get("id") not in labelled] == []
        assert outline.all("html") == [{"lang": "en"}]

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_headings_begin_with_one_and_leave_no_step_out(self, quiet, address):
        outline = Outline(quiet.visited_by("mia.chen").get(address).text)

        steps = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]

        assert (steps[0], steps.count(1)) == (1, 1)
        assert [pair for pair in pairwise(steps) if pair[1] - pair[0] > 1] == []

    def test_every_link_leads_somewhere(self, company):
        company.forward(hours=5)
        browser = company.visited_by("mia.chen")
        seen, ahead = set(), ["/"]
        while ahead:
            address = ahead.pop()
            page = browser.get(address)
            assert page.status_code == 200, address
            seen.add(address)
            found = {str(link["href"]) for link in Outline(page.text).all("a", "link")}
            ahead = [*{*ahead, *(each for each in found if each.startswith("/"))} - seen]
        assert "/cases/CSC-2" in seen

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(
        ("ink", "paper"),
        [
            ("ink", "paper"), ("ink", "sheet"), ("ink", "sunken"), ("quiet", "paper"),
            ("quiet", "sheet"), ("quiet", "sunken"), ("accent", "paper"), ("accent", "sheet"),
            ("on-accent", "accent"), ("late", "paper"), ("late", "sheet"), ("late", "late-soft"),
            ("warn", "warn-soft"), ("good", "good-soft"), ("accent", "accent-soft"),
            ("sheet", "late"), ("on-slack", "slack"),
        ],
    )  # fmt: skip
    def test_every_text_stands_out_from_what_it_stands_on(self, scheme, ink, paper):
        colours = declared_colours(scheme)

        assert contrast(colours[ink], colours[paper]) >= 4.5

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("paper", ["paper", "sheet"])
    def test_every_field_has_an_edge_that_can_be_seen(self, scheme, paper):
        colours = declared_colours(scheme)

        assert contrast(colours["edge"], colours[paper]) >= 3


def declared_colours(scheme: str) -> dict[str, str]:
    sheet = (STATIC / "inbox.css").read_text()
    light, dark = (block.partition("}")[0] for block in sheet.split(":root {")[1:3])
    declared = light if scheme == "light" else light + dark
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", declared))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2, 1 to 21."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
