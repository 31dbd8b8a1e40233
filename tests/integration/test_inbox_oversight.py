"""The pages of owners and of whoever asks why: decisions, portfolio, ledger, explain."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from decisions.desk import Author
from decisions.ledger import Filter
from decisions.release import Placing
from flows import sweep
from flows.single import decide_one
from inbox.app import create_app
from inbox.inspecting import Inspecting
from inbox.rendering import Renderer
from tests.browsing import ACCOUNTS, Browser, Company, company_of, text
from tests.company import CHURN_SAVE_CALL, DECISION, PEOPLE, score, write_scores

PAGE = f"/decisions/{DECISION}"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    found = company_of(tmp_path, *ACCOUNTS)
    yield found
    found.layer.ledger.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The same for tests that only look, with nearly everybody left alone."""
    rows = ({"account_id": f"a{n:02}"} for n in range(20))
    found = company_of(tmp_path_factory.mktemp("quiet"), *rows, holdout="90%")
    yield found
    found.layer.ledger.close()


@pytest.fixture(scope="module")
def held_out(quiet: Company) -> str:
    """The key of a case that is held out."""
    return quiet.layer.ledger.cases.found(Filter(states=("held_out",)))[0].key


class TestPortfolio:
    def test_shows_every_decision_with_what_is_open(self, company):
        company.forward(hours=5)

        page = text(company.visited_by("mia.chen").get("/decisions"))

        assert "Should the account manager call this account this week?" in page
        assert "waiting 3 overdue 1 outcome awaited 3" in page
        assert "Whether it helps was not published yet." in page
        assert "Accountable: Dana Reyes Review by 2027-06-30" in page

    def test_says_when_its_owners_should_have_looked_at_it(self, company):
        company.clock.now += timedelta(days=400)

        assert "review overdue" in text(company.visited_by("mia.chen").get("/decisions"))

    def test_names_owners_nobody_can_reach(self, tmp_path):
        company = company_of(tmp_path, *ACCOUNTS)
        people = PEOPLE.replace("name: Dana Reyes,", "name: Dana Reyes, last_day: 2026-11-01,")
        (tmp_path / "people.yaml").write_text(people)
        again = company_of(tmp_path, settings={"home": tmp_path / "other"}, people=people)

        assert "Business owner: Dana Reyes has left." in text(
            again.visited_by("mia.chen").get("/decisions")
        )
        for each in (company, again):
            each.layer.ledger.close()


class TestDecision:
    def test_says_what_it_is_for_who_answers_and_how_it_does(self, company):
        page = text(company.visited_by("mia.chen").get(PAGE))

        assert "Measured by share of accounts that renew." in page
        assert "Accountable Dana Reyes" in page
        assert "What 1 run said opened 3" in page
        assert "Gate passed run 1" in page
        assert "Delivery 3 sent" in page
        assert "What it may do Who is told" in page
        assert "v1" in page

    def test_offers_the_brake_to_owners_alone(self, company):
        owner, other = (company.visited_by(each).get(PAGE) for each in ("sam.ortiz", "mia.chen"))

        assert f'action="{PAGE}/halt"' in owner.text
        assert f'action="{PAGE}/halt"' not in other.text

    def test_an_owner_halts_and_resumes_it_with_a_reason(self, company):
        browser = company.visited_by("dana.reyes")

        halted = browser.post(f"{PAGE}/halt", because="The scores are wrong.")
        page = text(browser.get(PAGE))
        resumed = browser.post(f"{PAGE}/resume", because="They are right again.")

        assert (halted.status_code, resumed.status_code) == (303, 303)
        assert "Halted by Dana Reyes" in page
        assert "The scores are wrong." in page
        assert company.layer.ledger.releases.halts() == []

    def test_nobody_but_its_signers_signs_and_that_they_tried_is_entered(self, tmp_path):
        signed = CHURN_SAVE_CALL + "sign_off: {by: [business]}\n"
        company = company_of(tmp_path, *ACCOUNTS, definition=signed, is_run=False)
        layer = company.layer
        layer.board.release(
            layer.definition(DECISION), Author("lee.park", "api", "1"), because="First"
        )

        found = company.visited_by("mia.chen").post(f"{PAGE}/sign", version="1")

        assert found.status_code == 403
        refused = [each for each in layer.ledger.entries_of(DECISION) if "refused" in each.act]
        refused += [
            each for each in layer.ledger.entries_of(f"{DECISION} v1") if "refused" in each.act
        ]
        assert [(each.actor, each.act) for each in refused] == [("mia.chen", "sign refused")]
        layer.ledger.close()

    @pytest.mark.parametrize("act", ["halt", "resume"])
    def test_nobody_else_does_and_that_they_tried_is_entered(self, company, act):
        if act == "resume":
            company.visited_by("dana.reyes").post(f"{PAGE}/halt", because="Wrong.")
        before = company.layer.ledger.releases.standing(DECISION).id

        found = company.visited_by("mia.chen").post(f"{PAGE}/{act}", because="I want to.")

        assert found.status_code == 403
        assert company.layer.ledger.releases.standing(DECISION).id == before
        last = company.layer.ledger.entries_of(DECISION)[-1]
        assert (last.actor, last.act) == ("mia.chen", f"{act} refused")

    def test_a_halt_without_a_reason_is_none(self, company):
        found = company.visited_by("dana.reyes").post(f"{PAGE}/halt", because=" ")

        assert found.status_code == 409
        assert "say in a sentence why" in text(found).lower()
        assert company.layer.ledger.releases.halts() == []

    def test_its_owners_see_what_a_version_changes_and_sign_it(self, tmp_path):
        signed = CHURN_SAVE_CALL + "sign_off: {by: [business]}\n"
        company = company_of(tmp_path, *ACCOUNTS, definition=signed, is_run=False)
        layer = company.layer
        layer.board.release(
            layer.definition(DECISION), Author("lee.park", "api", "1"), because="First"
        )
        browser = company.visited_by("dana.reyes")

        before = browser.get(PAGE)
        done = browser.post(f"{PAGE}/sign", version="1")

        assert "Released by Lee Park: First." in text(before)
        assert "Sign v1" in text(before)
        assert "Sign v1" not in text(company.visited_by("mia.chen").get(PAGE))
        assert done.status_code == 303
        assert "Signed by Dana Reyes" in text(browser.get(PAGE))
        layer.ledger.close()

    def test_a_signature_names_the_version_that_was_read(self, tmp_path):
        signed = CHURN_SAVE_CALL + "sign_off: {by: [business]}\n"
        company = company_of(tmp_path, *ACCOUNTS, definition=signed, is_run=False)
        layer = company.layer
        layer.board.release(
            layer.definition(DECISION), Author("lee.park", "api", "1"), because="First"
        )

        found = company.visited_by("dana.reyes").post(f"{PAGE}/sign")

        assert found.status_code == 422
        assert "name the version that you have read" in text(found)
        assert [each.signatures for each in layer.ledger.releases.accounts(DECISION)] == [[]]
        layer.ledger.close()

    def test_says_that_a_subject_counts_once_in_each_run(self, company):
        sweep.decide(company.layer, DECISION)

        page = text(company.visited_by("dana.reyes").get(PAGE))

        assert "What 2 runs said evaluated 6" in page
        assert "A subject counts once in each run." in page

    def test_counts_what_is_held_out_before_its_owners_alone(self, quiet):
        owner, other = (
            text(quiet.visited_by(each).get(PAGE)).split("This month")[1].split("Health")[0]
            for each in ("dana.reyes", "mia.chen")
        )

        assert owner.count("held out") == 2
        assert "evaluated 20" in owner
        assert "held out" not in other
        assert "evaluated" not in other

    def test_leaves_out_what_ran_in_shadow(self, tmp_path):
        signed = CHURN_SAVE_CALL + "sign_off: {by: [business]}\n"
        company = company_of(tmp_path, *ACCOUNTS, definition=signed, is_run=False)
        layer = company.layer
        layer.board.release(
            layer.definition(DECISION), Author("lee.park", "api", "1"), because="First"
        )
        layer.board.sign(DECISION, Author("dana.reyes", "api", "2"), number=1)
        layer.board.stage(DECISION, Placing.parse("shadow"), Author("dana.reyes", "api", "3"))
        sweep.decide(layer, DECISION)

        page = text(company.visited_by("dana.reyes").get(PAGE))

        assert "What 0 runs said" in page
        assert "Runs in shadow, which act on nobody, are left out: 1." in page
        layer.ledger.close()

    def test_that_does_not_exist_is_not_found(self, company):
        assert company.visited_by("mia.chen").get("/decisions/other").status_code == 404


class TestLedger:
    def test_shows_owners_what_was_done_newest_first(self, company):
        company.layer.desk.acknowledge("CSC-1", Author("mia.chen", "api", "1"))

        page = text(company.visited_by("lee.park").get("/ledger"))

        assert page.index("acknowledged CSC-1 by Mia Chen") < page.index("opened CSC-1 by")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("about=CSC-1", True), ("about=CSC-2", False), ("actor=mia.chen", True),
            ("actor=dana.reyes", False), ("act=acknowledged", True), ("act=halted", False),
            ("about=CSC%25", False), ("before=1", False), ("about=%00", False),
        ],
    )  # fmt: skip
    def test_is_searched_by_what_who_and_act(self, company, query, found):
        company.layer.desk.acknowledge("CSC-1", Author("mia.chen", "api", "1"))

        page = text(company.visited_by("lee.park").get(f"/ledger?{query}"))

        assert ("acknowledged CSC-1 by Mia Chen" in page) is found

    def test_is_verified_as_a_whole(self, company):
        page = company.visited_by("lee.park").post("/ledger/verify")

        assert "The history holds" in text(page)

    def test_says_where_it_does_not_hold(self, company):
        with company.layer.ledger.writing() as transaction:
            for sql in ("DROP TRIGGER entries_refuse_update", "UPDATE entries SET actor = 'eve'"):
                transaction.connection.exec_driver_sql(sql)

        page = company.visited_by("lee.park").post("/ledger/verify")

        assert "The history does not hold." in text(page)

    @pytest.mark.parametrize("path", ["/ledger", "/ledger/export"])
    def test_is_not_for_everybody_and_that_they_asked_is_entered(self, company, path):
        found = company.visited_by("mia.chen").get(path)

        assert found.status_code == 403
        last = company.layer.ledger.entries_of("the ledger")[-1]
        assert (last.actor, last.act.endswith("the ledger refused")) == ("mia.chen", True)

    def test_is_exported_by_operators_alone_a_document_a_line(self, tmp_path):
        company = company_of(tmp_path, *ACCOUNTS, people=PEOPLE + "operators: [omar.haddad]\n")

        found = company.visited_by("omar.haddad").get("/ledger/export")
        rows = [json.loads(line) for line in found.text.splitlines()]

        assert company.visited_by("dana.reyes").get("/ledger/export").status_code == 403
        assert {row["table"] for row in rows} == {"seals", "entries"}
        assert sum(row["count"] for row in rows if row["table"] == "seals") == sum(
            row["table"] == "entries" for row in rows
        )
        company.layer.ledger.close()

    def test_an_export_is_entered_and_ends_with_its_own_entry(self, tmp_path):
        company = company_of(tmp_path, *ACCOUNTS, people=PEOPLE + "operators: [omar.haddad]\n")
        overview = company.layer.ledger.overview

        until = overview.begin_export("omar.haddad", "inbox")
        rows = overview.exported(until)
        first = next(rows)
        company.layer.desk.acknowledge("CSC-1", Author("mia.chen", "api", "1"))
        entries = [row for row in rows if row["table"] == "entries"]
        found = company.visited_by("omar.haddad").get("/ledger/export").text.splitlines()

        assert first["table"] == "seals"
        assert (entries[-1]["act"], entries[-1]["actor"]) == ("exported", "omar.haddad")
        assert {row["seal"] for row in entries} == set(range(1, until + 1))
        assert json.loads(found[-1])["act"] == "exported"
        assert company.layer.ledger.verified().breach is None
        company.layer.ledger.close()

    def test_is_verified_by_one_at_a_time(self, company):
        begun, found = Barrier(2), []

        class Slow:
            """A ledger that takes until somebody else has asked as well."""

            def verified(self):
                begun.wait(5)
                begun.wait(5)
                return company.layer.ledger.verified()

            def __getattr__(self, name):
                return getattr(company.layer.ledger, name)

        inspecting = Inspecting(Renderer(replace(company.layer, ledger=Slow())))
        app = create_app(company.layer)
        app.router.routes[:0] = inspecting.router().routes
        browser = Browser(app, {"followthrough_person": "lee.park"})
        first = Thread(target=lambda: found.append(browser.post("/ledger/verify")))
        first.start()
        begun.wait(5)
        second = browser.post("/ledger/verify")
        begun.wait(5)
        first.join()

        assert (found[0].status_code, second.status_code) == (200, 409)
        assert "being verified already" in text(second)

    def test_what_is_held_out_is_hidden_from_operators_as_well(self, tmp_path):
        rows = ({"account_id": f"a{n:02}"} for n in range(20))
        company = company_of(
            tmp_path, *rows, holdout="90%", people=PEOPLE + "operators: [omar.haddad]\n"
        )
        pages = [
            text(company.visited_by(each).get("/ledger?act=held+out"))
            for each in ("dana.reyes", "omar.haddad")
        ]

        assert ["held out CSC-" in page for page in pages] == [True, False]
        company.layer.ledger.close()

    def test_what_is_held_out_is_the_owners_alone(self, quiet, held_out, tmp_path):
        other = CHURN_SAVE_CALL.replace(DECISION, "another-call").replace(
            "business: dana.reyes, technical: lee.park, backup: sam.ortiz",
            "business: omar.haddad, technical: omar.haddad",
        )
        (quiet.layer.workspace.folder / "another-call.yaml").write_text(
            other.replace("churn-save-call", "another-call")
        )
        again = company_of(quiet.layer.workspace.folder, is_run=False, holdout="90%")

        shown = [
            held_out in text(again.visited_by(each).get(f"/ledger?about={held_out}&act=held+out"))
            for each in ("dana.reyes", "omar.haddad")
        ]

        assert shown == [True, False]
        again.layer.ledger.close()


class TestExplain:
    def test_says_why_a_case_was_opened_condition_by_condition(self, company):
        page = text(
            company.visited_by("mia.chen").get(f"/explain?decision={DECISION}&subject=acme")
        )

        assert "opened" in page
        assert "Open CSC-1" in page
        assert "churn probability is 0.91" in page

    def test_tells_the_assignee_of_their_case_whatever_ran_since(self, company):
        company.clock.now += timedelta(days=1)
        again = {"scored_at": company.clock()}
        write_scores(company.layer.workspace.folder, ACCOUNTS, **again)
        sweep.decide(company.layer, DECISION)
        decide_one(company.layer, DECISION, score("dot") | again, key="1")

        page = text(
            company.visited_by("mia.chen").get(f"/explain?decision={DECISION}&subject=acme")
        )

        assert "Open CSC-1" in page
        assert "churn probability is 0.91" in page

    def test_a_record_of_somebody_else_does_not_hide_why_not(self, company):
        decide_one(company.layer, DECISION, score("dot") | {"scored_at": company.clock()}, key="1")

        page = text(
            company.visited_by("dana.reyes").get(f"/explain?decision={DECISION}&subject=nobody")
        )

        assert "It was not among the 3 subjects of run 1." in page

    def test_says_why_not_to_owners(self, company):
        page = text(
            company.visited_by("dana.reyes").get(f"/explain?decision={DECISION}&subject=nobody")
        )

        assert "It was not among the 3 subjects of run 1." in page

    @pytest.mark.parametrize("subject", ["nobody", "held-out"])
    def test_nobody_else_can_tell_who_is_left_alone(self, quiet, held_out, subject):
        case = quiet.layer.ledger.cases.named(held_out)
        asked = case.subject if subject == "held-out" else subject

        page = text(
            quiet.visited_by("mia.chen").get(f"/explain?decision={DECISION}&subject={asked}")
        )

        assert "No case was opened for it by then" in page
        assert "Control" not in page
        assert "held out" not in page.lower()

    def test_knows_what_was_said_on_an_earlier_day(self, company):
        company.forward(days=3)
        address = f"/explain?decision={DECISION}&subject=acme&day=2026-11-01"

        page = text(company.visited_by("dana.reyes").get(address))

        assert "was not asked before" in page

    @pytest.mark.parametrize(
        ("query", "status"),
        [("", 200), ("decision=other&subject=x", 200), ("day=soon", 422),
         ("day=0001-01-01&decision=" + DECISION + "&subject=x", 200),
         ("day=9999-12-31&decision=" + DECISION + "&subject=x", 200)],
    )  # fmt: skip
    def test_odd_questions_break_nothing(self, company, query, status):
        assert company.visited_by("dana.reyes").get(f"/explain?{query}").status_code == status


@pytest.mark.parametrize("path", ["/decisions", PAGE, "/ledger", "/explain"])
def test_nothing_of_it_is_shown_to_nobody(company, path):
    page = Browser(create_app(company.layer)).get(path)

    assert "Who are you?" in text(page)
    assert "account manager" not in text(page)


def test_the_pages_hold_after_a_batch_that_the_gate_withheld(company):
    company.clock.now += timedelta(days=3)
    sweep.decide(company.layer, DECISION)

    assert company.visited_by("dana.reyes").get(PAGE).status_code == 200
