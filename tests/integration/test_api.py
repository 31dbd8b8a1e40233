import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from decisions.ledger import Filter
from decisions.permission import Scope
from flows.reporting import report_now
from inbox.app import create_app
from tests.browsing import ACCOUNTS, HERE, Company, company_of
from tests.company import CHURN_SAVE_CALL, DECISION, score

EVERY = tuple(Scope)
PROVEN = CHURN_SAVE_CALL + (
    "intervention: {proof: {from: warehouse, table: calls, on: account_id, at: called_at}}\n"
)


@dataclass
class Program:
    """A program with a token."""

    app: Any
    token: str | None

    def get(self, address: str, **headers: str) -> httpx.Response:
        return self.asked("GET", address, headers)

    def post(self, address: str, content: object, key: str = "one") -> httpx.Response:
        return self.asked("POST", address, {"Idempotency-Key": key}, content)

    def asked(
        self, method: str, address: str, headers: dict[str, str], content: object = None
    ) -> httpx.Response:
        known = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return asyncio.run(self._over(method, f"/api/v1{address}", known | headers, content))

    async def _over(self, method, address, headers, content):
        wire = httpx.ASGITransport(
            self.app, raise_app_exceptions=False, client=("10.0.0.7", 50_000)
        )
        async with httpx.AsyncClient(transport=wire, base_url=HERE) as client:
            return await client.request(method, address, headers=headers, json=content)


def program(company: Company, person: str, *scopes: Scope, life: int = 30) -> Program:
    _, text = company.layer.ledger.tokens.give(
        "a test", person, scopes or EVERY, life=timedelta(days=life)
    )
    return Program(create_app(company.layer), text)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    found = company_of(tmp_path, *ACCOUNTS, definition=PROVEN)
    yield found
    found.layer.ledger.close()


def record(account_id: str, **changes: Any) -> dict[str, Any]:
    return score(account_id, **changes) | {"scored_at": "2026-11-16T08:30:00+00:00"}


def is_problem(response: httpx.Response, status: int) -> bool:
    told = response.json()
    return (
        response.status_code == told["status"] == status
        and response.headers["content-type"] == "application/problem+json"
        and bool(told["title"] and told["detail"])
    )


class TestTokens:
    def test_nobody_is_let_in_without_one(self, company):
        found = Program(create_app(company.layer), None).get("/cases")

        assert is_problem(found, 401)
        assert found.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(
        "text",
        ["", "ft_1_", "ft_1_" + "a" * 43, "ft_99_" + "a" * 43, "x" * 9_000],
    )
    def test_what_is_no_token_of_ours_counts_for_nothing(self, company, text):
        program(company, "lee.park")

        assert is_problem(Program(create_app(company.layer), text).get("/cases"), 401)

    def test_one_is_kept_as_a_hash_alone(self, company):
        given = program(company, "lee.park")
        with company.layer.ledger.reading() as connection:
            held = connection.exec_driver_sql("SELECT * FROM tokens").all()
            told = connection.exec_driver_sql("SELECT body FROM entries").all()

        assert given.token.split("_", 2)[2] not in f"{held}{told}"

    @pytest.mark.parametrize(
        ("days", "status"), [pytest.param(29, 200, id="alive"), pytest.param(30, 401, id="over")]
    )
    def test_one_ends_by_itself(self, company, days, status):
        given = program(company, "lee.park", life=30)

        company.clock.now += timedelta(days=days)

        assert given.get("/cases").status_code == status

    def test_one_ends_when_it_is_revoked(self, company):
        given = program(company, "lee.park")

        company.layer.ledger.tokens.revoke(1, by="lee.park")

        assert is_problem(given.get("/cases"), 401)

    def test_one_ends_with_its_person(self, company):
        assert is_problem(program(company, "gone.long-ago").get("/cases"), 403)

    def test_who_guesses_has_to_wait(self, company):
        guessing = Program(create_app(company.layer), "ft_1_" + "a" * 43)

        found = [guessing.get("/cases").status_code for _ in range(21)]

        assert (set(found[:20]), found[20]) == ({401}, 429)

    @pytest.mark.parametrize("scope", Scope)
    def test_one_may_what_its_scopes_name_and_no_more(self, company, scope):
        asked = program(company, "lee.park", scope)
        done = {
            Scope.READ: asked.get("/cases"),
            Scope.DECIDE: asked.post(f"/decisions/{DECISION}/records", record("delta")),
            Scope.RECORD: asked.post(
                "/interventions",
                {"case": "CSC-1", "acted_at": company.clock().isoformat(), "what": "CRM 17"},
            ),
        }

        assert {each for each, found in done.items() if found.status_code == 200} == {scope} - {
            Scope.ANSWER
        }
        assert {found.status_code for each, found in done.items() if each != scope} == {403}

    @pytest.mark.parametrize(("person", "status"), [("lee.park", 200), ("mia.chen", 403)])
    def test_one_may_no_more_than_its_person(self, company, person, status):
        asked = program(company, person)

        found = asked.post(f"/decisions/{DECISION}/records", record("delta"))

        assert found.status_code == status
        if status == 403:
            entries = company.layer.ledger.entries_of(DECISION)
            assert [(each.actor, each.act) for each in entries][-1] == (person, "decide refused")


class TestDeciding:
    def test_a_record_opens_a_case_and_queues_its_message(self, company):
        told = program(company, "lee.park").post(f"/decisions/{DECISION}/records", record("delta"))

        assert told.status_code == 200
        assert (told.json()["verdict"], told.json()["action"]) == ("opened", "call")
        (case,) = company.layer.ledger.cases.about(DECISION, "delta")
        queued = company.layer.ledger.cases.dossier(case.key).notifications
        assert [(each.recipient, each.state) for each in queued] == [("mia.chen", "pending")]

    def test_the_same_key_counts_once(self, company):
        asked = program(company, "lee.park")

        twice = [asked.post(f"/decisions/{DECISION}/records", record("delta")) for _ in range(2)]

        assert twice[0].json() == twice[1].json()
        assert len(company.layer.ledger.runs.latest(DECISION)) == 2

    @pytest.mark.parametrize(
        ("decision", "content", "status", "said"),
        [
            pytest.param("other", {"a": 1}, 404, "no decision 'other'", id="decision"),
            pytest.param(DECISION, {"account_id": "x"}, 422, "is missing", id="fields"),
            pytest.param(DECISION, record("x", arr="much"), 422, "arr", id="no-number"),
            pytest.param(DECISION, record("x", arr={"a": [1]}), 422, "arr", id="nested"),
            pytest.param(DECISION, record("x", arr=10**400), 422, "arr", id="huge"),
            pytest.param(DECISION, record("x") | {"account_id": None}, 422, "account", id="nobody"),
            pytest.param(DECISION, {}, 422, "not of its form", id="empty"),
            pytest.param(DECISION, [1], 422, "not of its form", id="list"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_decided_says_why(self, company, decision, content, status, said):
        found = program(company, "lee.park").post(f"/decisions/{decision}/records", content)

        assert is_problem(found, status)
        assert said in found.text

    @pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 101])
    def test_a_request_has_a_key_of_its_own(self, company, key):
        asked = program(company, "lee.park")
        address = f"/decisions/{DECISION}/records"

        found = asked.asked("POST", address, {"Idempotency-Key": key.encode()}, record("delta"))

        assert is_problem(found, 422)


class TestCases:
    def test_come_in_pages_newest_first_whatever_is_opened_meanwhile(self, company):
        asked = program(company, "lee.park")

        first = asked.get("/cases?limit=2").json()
        asked.post(f"/decisions/{DECISION}/records", record("delta"))
        second = asked.get(f"/cases?limit=2&cursor={first['next']}").json()

        keys = [[each["key"] for each in page["cases"]] for page in (first, second)]
        assert keys == [["CSC-3", "CSC-2"], ["CSC-1"]]
        assert second["next"] is None

    @pytest.mark.parametrize("cursor", ["x", "YmVmb3JlIC0x", "YWZ0ZXIgMQ", "%00", "ä" * 20])
    def test_a_cursor_of_somebody_elses_is_refused(self, company, cursor):
        assert is_problem(program(company, "lee.park").get(f"/cases?cursor={cursor}"), 422)

    def test_are_narrowed(self, company):
        found = program(company, "lee.park").get("/cases?assignee=sam.ortiz&state=open").json()

        assert [each["key"] for each in found["cases"]] == ["CSC-2"]

    def test_one_tells_everything_that_happened(self, company):
        asked = program(company, "mia.chen")
        asked.post("/cases/CSC-1/answers", {"move": "done", "note": "Called them"})

        found = asked.get("/cases/CSC-1").json()

        assert (found["state"], found["title"]) == ("completed", "Call Acme Ltd before 3 Jan 2027")
        assert [(each["move"], each["by"], each["via"]) for each in found["answers"]] == [
            ("done", "mia.chen", "api")
        ]
        assert [each["source"] for each in found["interventions"]] == ["reported"]

    def test_that_is_not_there_is_not_found(self, company):
        assert is_problem(program(company, "mia.chen").get("/cases/CSC-99"), 404)

    def test_idor_held_out_ones_are_the_owners_alone(self, tmp_path):
        rows = ({"account_id": f"a{n:02}"} for n in range(20))
        company = company_of(tmp_path / "held", *rows, holdout="90%")
        key = company.layer.ledger.cases.found(Filter(states=("held_out",)))[0].key
        mia, dana = program(company, "mia.chen"), program(company, "dana.reyes")
        listing = f"/cases?state=held_out&decision={DECISION}"

        assert is_problem(mia.get(f"/cases/{key}"), 403)
        assert is_problem(mia.get(listing), 403)
        assert key not in mia.get("/cases?limit=500").text
        assert dana.get(f"/cases/{key}").status_code == 200
        assert key in dana.get(listing).text
        company.layer.ledger.close()


class TestAnswers:
    def test_a_token_that_may_answer_and_no_more_does(self, company):
        asked = program(company, "mia.chen", Scope.ANSWER)

        assert asked.post("/cases/CSC-1/answers", {"move": "acknowledge"}).status_code == 200
        assert is_problem(asked.get("/cases/CSC-1"), 403)

    @pytest.mark.parametrize(
        ("content", "state"),
        [
            pytest.param({"move": "acknowledge"}, "acknowledged", id="acknowledge"),
            pytest.param({"move": "done", "note": "Called"}, "completed", id="done"),
            pytest.param({"move": "override", "reason": "data is wrong", "note": "They left"},
                         "overridden", id="override"),
            pytest.param({"move": "snooze", "until": "2026-11-17T09:00:00Z"}, "open", id="snooze"),
            pytest.param({"move": "reassign", "to": "sam.ortiz", "note": "Sam knows them"},
                         "open", id="reassign"),
        ],
    )  # fmt: skip
    def test_every_move_is_carried_to_the_desk(self, company, content, state):
        found = program(company, "mia.chen").post("/cases/CSC-1/answers", content)

        assert (found.status_code, found.json()["state"]) == (200, state)
        assert company.state("CSC-1") == state

    def test_the_same_key_counts_once(self, company):
        asked = program(company, "mia.chen")

        twice = [asked.post("/cases/CSC-1/answers", {"move": "acknowledge"}) for _ in range(2)]

        assert [found.json()["repeated"] for found in twice] == [False, True]
        assert len(company.answers("CSC-1")) == 1

    @pytest.mark.parametrize(
        ("person", "content", "status"),
        [
            pytest.param("omar.haddad", {"move": "acknowledge"}, 403, id="not-entitled"),
            pytest.param("mia.chen", {"move": "delete"}, 422, id="no-move"),
            pytest.param("mia.chen", {"move": "done", "notes": "x"}, 422, id="unknown-key"),
            pytest.param("mia.chen", {"move": "done"}, 409, id="no-sentence"),
            pytest.param("mia.chen", {"move": "snooze"}, 422, id="no-instant"),
            pytest.param("mia.chen", {"move": "snooze", "until": "2026-11-17T09:00:00"}, 422,
                         id="no-zone"),
            pytest.param("mia.chen", {"move": "reassign", "to": "eve", "note": "Eve knows"}, 422,
                         id="nobody"),
        ],
    )  # fmt: skip
    def test_what_does_not_count_says_why(self, company, person, content, status):
        found = program(company, person).post("/cases/CSC-1/answers", content)

        assert is_problem(found, status)
        assert company.state("CSC-1") == "open"

    def test_a_late_one_is_told_who_came_first(self, company):
        program(company, "dana.reyes").post("/cases/CSC-1/answers", {"move": "done", "note": "Yes"})

        found = program(company, "mia.chen").post("/cases/CSC-1/answers", {"move": "acknowledge"})

        assert is_problem(found, 409)
        assert "already completed by Dana Reyes" in found.json()["detail"]


class TestEvidence:
    def test_the_first_proof_stands(self, company):
        asked = program(company, "lee.park")
        proof = {"case": "CSC-1", "acted_at": company.clock().isoformat(), "what": "CRM call 17"}

        found = [asked.post("/interventions", proof).json()["recorded"] for _ in range(2)]

        assert found == [True, False]
        (kept,) = company.layer.ledger.cases.dossier("CSC-1").interventions
        assert (kept.source, kept.what) == ("proven", "CRM call 17")

    def test_proof_is_entered_with_who_handed_it_in_and_how(self, company):
        proof = {"case": "CSC-1", "acted_at": company.clock().isoformat(), "what": "CRM call 17"}

        program(company, "lee.park").post("/interventions", proof)

        entry = company.layer.ledger.entries_of("CSC-1")[-1]
        assert (entry.act, entry.actor) == ("proven", "lee.park")
        told = json.loads(entry.body)
        assert (told["via"], told["token"]) == ("api", 1)

    def test_proof_where_none_is_declared_is_refused(self, tmp_path):
        company = company_of(tmp_path / "other", *ACCOUNTS)
        proof = {"case": "CSC-1", "acted_at": company.clock().isoformat(), "what": "CRM call 17"}

        found = program(company, "lee.park").post("/interventions", proof)

        assert is_problem(found, 409)
        assert "knows no proof" in found.json()["detail"]
        assert company.layer.ledger.cases.dossier("CSC-1").interventions == []
        company.layer.ledger.close()

    @pytest.mark.parametrize(
        ("days", "status"),
        [pytest.param(60, 409, id="over"), pytest.param(59.99, 200, id="still-open")],
    )
    def test_proof_counts_within_the_window_alone(self, company, days, status):
        at = company.clock() + timedelta(days=days)
        company.clock.now += timedelta(days=61)
        proof = {"case": "CSC-1", "acted_at": at.isoformat(), "what": "CRM call 17"}
        asked = program(company, "lee.park")

        assert asked.post("/interventions", proof).status_code == status

    def test_whether_a_case_is_held_out_shows_nowhere_where_proof_is_handed_in(self, tmp_path):
        rows = ({"account_id": f"a{n:02}"} for n in range(20))
        company = company_of(tmp_path / "held", *rows, definition=PROVEN, holdout="50%")
        keys = [
            company.layer.ledger.cases.found(Filter(states=(state,)))[0].key
            for state in ("held_out", "open")
        ]
        proof = {"acted_at": company.clock().isoformat(), "what": "CRM call 17"}
        told = [
            [asked.post("/interventions", proof | {"case": key}) for key in keys]
            for asked in (
                program(company, "lee.park", Scope.RECORD),
                program(company, "mia.chen", Scope.RECORD),
                program(company, "lee.park", Scope.READ),
            )
        ]

        assert [[each.status_code for each in pair] for pair in told] == [[200] * 2] + [
            [403] * 2
        ] * 2
        assert all(
            pair[0].text.replace(keys[0], "it") == pair[1].text.replace(keys[1], "it")
            for pair in told
        )
        company.layer.ledger.close()

    def test_who_handed_in_outcomes_and_how_is_entered(self, company):
        company.clock.now += timedelta(days=100)
        sent = {"decision": DECISION, "source": "billing"}
        sent |= {"outcomes": [{"case": "CSC-1", "value": 1}]}
        asked = program(company, "lee.park")

        for _ in range(2):
            asked.post("/outcomes", sent)

        (entry,) = (
            each
            for each in company.layer.ledger.entries_of(DECISION)
            if each.act == "outcomes handed in"
        )
        told = json.loads(entry.body)
        assert entry.actor == "lee.park"
        assert (told["via"], told["token"], told["new"]) == ("api", 1, 1)

    @pytest.mark.parametrize("days", [-1, 1])
    def test_proof_from_before_the_case_or_from_the_time_to_come_is_none(self, company, days):
        at = company.clock() + timedelta(days=days)
        proof = {"case": "CSC-1", "acted_at": at.isoformat(), "what": "CRM call 17"}

        assert is_problem(program(company, "lee.park").post("/interventions", proof), 409)

    def test_outcomes_are_taken_once_their_window_is_over(self, company):
        asked = program(company, "lee.park")
        sent = {
            "decision": DECISION,
            "source": "billing",
            "outcomes": [{"case": "CSC-1", "value": 1}, {"subject": "nobody", "value": 0}],
        }

        early = asked.post("/outcomes", sent).json()
        company.clock.now += timedelta(days=100)
        asked = program(company, "lee.park")
        taken = asked.post("/outcomes", sent).json()

        assert (early["new"], early["early"], early["unknown"]) == (0, 1, 1)
        assert (taken["new"], taken["unknown"], taken["lines"]) == (1, 1, {"unknown": [2]})
        assert [each.value for each in company.layer.ledger.cases.dossier("CSC-1").outcomes] == [1]

    @pytest.mark.parametrize(
        ("outcome", "said"),
        [
            ({"value": 1}, "names no case and no subject"),
            ({"case": "CSC-1"}, "one of both"),
            ({"case": "CSC-1", "value": 1, "censored": "moved"}, "one of both"),
            ({"case": "CSC-1", "value": 1, "at": "2027-11-16T09:00:00Z"}, "still to come"),
        ],
    )
    def test_an_outcome_that_says_too_little_or_too_much_is_refused(self, company, outcome, said):
        sent = {"decision": DECISION, "source": "billing", "outcomes": [outcome]}

        found = program(company, "lee.park").post("/outcomes", sent)

        assert is_problem(found, 422)
        assert said in found.json()["detail"]


def test_a_request_larger_than_anything_sensible_is_refused(company):
    outcome = {"case": "CSC-1", "censored": "x" * 1_900}
    sent = {"decision": DECISION, "source": "billing", "outcomes": [outcome] * 2_500}

    assert is_problem(program(company, "lee.park").post("/outcomes", sent), 413)


def test_as_many_outcomes_as_a_request_may_hold_are_not_too_large(company):
    outcomes = [{"case": f"CSC-{n:0100}", "value": 1.0} for n in range(1, 10_001)]
    sent = {"decision": DECISION, "source": "billing", "outcomes": outcomes}

    assert program(company, "lee.park").post("/outcomes", sent).status_code == 200


def test_decisions_are_listed_with_what_waits(company):
    (found,) = program(company, "mia.chen").get("/decisions").json()

    assert (found["decision"], found["waiting"], found["halted"]) == (DECISION, 3, False)


def test_the_report_written_last_is_given(company):
    asked = program(company, "mia.chen")

    before = asked.get(f"/decisions/{DECISION}/report")
    report_now(company.layer, [DECISION])
    after = asked.get(f"/decisions/{DECISION}/report")

    assert is_problem(before, 404)
    assert after.json()["about"]["decision"] == DECISION


def test_health_is_told_to_whoever_asks(company):
    found = Program(create_app(company.layer), None).get("/health")

    assert (found.status_code, found.json()["ok"]) == (200, True)


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/cases", 405), ("GET", "/cases/", 404)],
)
def test_what_is_not_there_is_a_problem_too(company, method, address, status):
    assert is_problem(program(company, "lee.park").asked(method, address, {}), status)


def test_the_document_is_openapi_3_1_and_describes_every_answer(company):
    found = Program(create_app(company.layer), None).get("/openapi.json").json()

    assert found["openapi"].startswith("3.1")
    assert "Problem" in found["components"]["schemas"]
    operations = [each for path in found["paths"].values() for each in path.values()]
    assert [each["summary"] for each in operations if not each.get("description")] == []
    assert "HTTPValidationError" not in json.dumps(found)


def test_a_ledger_out_of_reach_is_said(company, tmp_path):
    asked = program(company, "lee.park")
    company.layer.ledger.close()
    for file in (tmp_path / "home").glob("ledger.db*"):
        file.unlink()

    assert is_problem(asked.get("/cases"), 503)
