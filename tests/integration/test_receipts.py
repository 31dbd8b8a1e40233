"""Proof that other systems send: what counts, what is kept, and what is turned away."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.webhook.receipts import ReceiptSource
from connectors.webhook.signing import Secrets
from decisions.ledger import Filter
from decisions.ledger.evidence import gather
from decisions.ports import Condition
from flows import doctor, sweep
from inbox.app import create_app
from inbox.receipts import LARGEST_BODY
from tests.browsing import ACCOUNTS, HERE, Company, text
from tests.company import CHURN_SAVE_CALL, DECISION, assembled, write_scores, write_workspace
from tests.integration.test_webhook import OLDER, SECRET
from tests.samples import MovableClock

TAKES_RECEIPTS = CHURN_SAVE_CALL + "intervention: {receipts: crm}\n"


class Crm:
    """Another system that sends receipts to the inbox."""

    def __init__(self, company, secret=SECRET):
        self._app = create_app(company.layer)
        self._clock = company.clock
        self._secrets = Secrets(secret)

    def says(self, id_="evt_1", **data):
        said = {"decision": DECISION, "acted_at": self._clock().isoformat()} | data
        return self.sends(json.dumps({"type": "call.completed", "data": said}).encode(), id_)

    def sends(self, body, id_="evt_1", *, to="crm", signed_at=None, **headers):
        signed = self._secrets.headers(body, id_=id_, at=signed_at or self._clock())
        return asyncio.run(self._over(body, f"/receipts/{to}", signed | headers))

    async def _over(self, body, path, headers):
        wire = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=wire, base_url=HERE) as client:
            return await client.post(path, content=body, headers=headers)


@pytest.fixture
def make_company(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_SECRET", f"{SECRET} {OLDER}")
    made = []

    def make(definition=TAKES_RECEIPTS, holdout=None):
        clock = MovableClock()
        write_workspace(tmp_path, definition=definition, holdout=holdout)
        with (tmp_path / "connections.yaml").open("a") as connections:
            connections.write('crm: {type: receipts, secret: "${CRM_SECRET}"}\n')
        write_scores(tmp_path, ACCOUNTS, scored_at=clock() - timedelta(hours=1))
        layer = assembled(tmp_path, clock)
        sweep.decide(layer, DECISION)
        sweep.dispatch(layer)
        made.append(Company(layer, clock))
        return made[-1]

    yield make
    for each in made:
        assert each.layer.ledger.verified().breach is None
        each.layer.ledger.close()


@pytest.fixture
def company(make_company):
    return make_company()


@pytest.fixture
def crm(company):
    return Crm(company)


def key_of(company, subject):
    everything = Filter(states=("open", "acknowledged", "completed", "held_out"))
    [key] = [
        case.key for case in company.layer.ledger.cases.found(everything) if case.subject == subject
    ]
    return key


def proofs(company, subject="acme"):
    done = company.layer.ledger.cases.dossier(key_of(company, subject)).interventions
    return [(one.source, one.what, one.acted_at) for one in done]


class TestWhatCounts:
    def test_a_receipt_is_proof_of_what_was_done_and_when(self, company, crm):
        company.clock.now += timedelta(hours=2)
        at = company.clock() - timedelta(minutes=15)

        answer = crm.says(subject="acme", acted_at=at.isoformat(), what="A call of 12 minutes.")

        assert (answer.status_code, answer.json()) == (
            200,
            {"ok": True, "case": key_of(company, "acme"), "repeated": False},
        )
        assert proofs(company) == [("proven", "a receipt of crm: A call of 12 minutes.", at)]

    def test_a_case_may_be_named_by_its_key_in_any_case(self, company, crm):
        assert crm.says(case=key_of(company, "acme").lower()).status_code == 200
        assert len(proofs(company)) == 1

    def test_proof_and_report_are_kept_apart_and_shown_apart(self, company, crm):
        crm.says(subject="acme", what="A call of 12 minutes.")
        holder = company.layer.ledger.cases.named(key_of(company, "acme")).assignee
        browser = company.visited_by(holder)
        browser.post(f"/cases/{key_of(company, 'acme')}/done", note="Called, they stay.")

        assert [source for source, *_ in proofs(company)] == ["proven", "reported"]
        page = text(browser.get(f"/cases/{key_of(company, 'acme')}"))
        assert "What was done is proven" in page
        assert "a receipt of crm: A call of 12 minutes." in page

    def test_the_report_holds_what_was_said_against_what_receipts_prove(self, company, crm):
        for subject, note in (("acme", "Called, they stay."), ("brook", "Called, too.")):
            key = key_of(company, subject)
            holder = company.layer.ledger.cases.named(key).assignee
            form = {"note": note, "number": f"a-form-of-its-own-{subject}"}
            company.visited_by(holder).post(f"/cases/{key}/done", **form)
        for subject in ("acme", "calder"):
            assert crm.says(f"evt_{subject}", subject=subject).status_code == 200

        with company.layer.ledger.counting() as connection:
            definition = company.layer.definition(DECISION)
            adoption = gather(connection, definition, as_of=company.clock()).adoption

        found = adoption.agreement.model_dump()
        assert found == {
            "both": 1, "reported": 1, "proven": 1, "contradicted": 0, "neither": 0,
        }  # fmt: skip

    def test_the_first_proof_stands(self, company, crm):
        crm.says("evt_1", subject="acme", what="First.")
        assert crm.says("evt_2", subject="acme", what="Second.").status_code == 200
        assert [what for _, what, _ in proofs(company)] == ["a receipt of crm: First."]

    def test_what_was_done_for_somebody_left_alone_is_proof_too(self, make_company):
        company = make_company(holdout="99%")

        answer = Crm(company).says(subject="acme")

        assert answer.status_code == 200
        assert company.state(answer.json()["case"]) == "held_out"
        assert len(proofs(company)) == 1

    def test_each_secret_counts_while_one_replaces_another(self, company):
        assert Crm(company, OLDER).says(subject="acme").status_code == 200


class TestOnce:
    def test_the_same_receipt_again_gets_the_same_answer_and_changes_nothing(self, company, crm):
        first = crm.says(subject="acme")
        before = company.layer.ledger.cases.dossier(key_of(company, "acme"))

        again = crm.says(subject="acme")

        assert again.json() == first.json() | {"repeated": True}
        assert company.layer.ledger.cases.dossier(key_of(company, "acme")) == before

    def test_an_id_used_for_something_else_is_refused(self, company, crm):
        crm.says("evt_1", subject="acme")
        answer = crm.says("evt_1", subject="brook")

        assert answer.status_code == 422
        assert "was used for another receipt" in answer.json()["error"]
        assert proofs(company, "brook") == []

    @pytest.mark.fault("F31")
    def test_f31_a_replay_after_five_minutes_is_turned_away(self, company, crm):
        body = json.dumps(
            {"data": {"decision": DECISION, "subject": "acme",
                      "acted_at": company.clock().isoformat()}}
        ).encode()  # fmt: skip
        sent_at = company.clock()
        assert crm.sends(body, signed_at=sent_at).status_code == 200

        company.clock.now += timedelta(minutes=4, seconds=59)
        assert crm.sends(body, signed_at=sent_at).json()["repeated"]
        company.clock.now += timedelta(seconds=2)
        assert crm.sends(body, signed_at=sent_at).status_code == 401

        assert len(proofs(company)) == 1


class TestWhatFitsNoCase:
    def test_an_unknown_subject_is_said_to_be_and_its_receipt_kept(self, company, crm):
        answer = crm.says(subject="nobody", what="A call.")

        assert answer.status_code == 404
        assert answer.json()["kept"]
        assert "churn-save-call has no case of 'nobody'" in answer.json()["error"]
        [kept] = company.layer.ledger.receipts.unfit()
        assert (kept.source, kept.subject, kept.what) == ("crm", "nobody", "A call.")

    def test_sent_again_once_there_is_a_case_it_counts(self, company, crm):
        company.clock.now += timedelta(days=1)
        at = (company.clock() + timedelta(minutes=4)).isoformat()
        assert crm.says(subject="dale", acted_at=at).status_code == 404
        write_scores(
            company.layer.settings.workspace, [{"account_id": "dale"}], scored_at=company.clock()
        )
        sweep.decide(company.layer, DECISION)

        assert crm.says(subject="dale", acted_at=at).status_code == 200

        assert len(proofs(company, "dale")) == 1
        assert company.layer.ledger.receipts.unfit() == []

    @pytest.mark.parametrize(
        ("apart", "status"),
        [
            pytest.param(timedelta(seconds=-1), 404, id="before-it-was-opened"),
            pytest.param(timedelta(), 200, id="as-it-was-opened"),
            pytest.param(timedelta(days=60, seconds=-1), 200, id="in-the-last-second"),
            pytest.param(timedelta(days=60), 404, id="as-the-window-closed"),
        ],
    )
    def test_only_what_was_done_within_the_window_counts(self, company, crm, apart, status):
        opened = company.layer.ledger.cases.named(key_of(company, "acme")).opened_at
        company.clock.now += timedelta(days=70)

        answer = crm.says(subject="acme", acted_at=(opened + apart).isoformat())

        assert answer.status_code == status

    def test_a_definition_that_names_no_receipts_takes_none(self, make_company):
        answer = Crm(make_company(CHURN_SAVE_CALL)).says(subject="acme")

        assert answer.status_code == 404
        assert "name it under intervention.receipts" in answer.json()["error"]

    def test_a_system_proves_nothing_for_a_decision_that_names_another(self, company):
        other = ReceiptSource("dialler", SECRET, clock=company.clock)
        company.layer = replace(company.layer, provers={"dialler": other})
        crm = Crm(company)
        body = {"decision": DECISION, "subject": "acme", "acted_at": company.clock().isoformat()}

        answer = crm.sends(json.dumps({"data": body}).encode(), to="dialler")

        assert answer.status_code == 404
        assert proofs(company) == []

    def test_doctor_counts_what_fits_no_case(self, company, crm):
        crm.says(subject="nobody")

        found = {one.about: one for one in doctor.examined(company.layer.settings, company.clock)}

        assert found["receipts"].condition is Condition.DOUBTFUL
        assert found["receipts"].found == "1 fits no case"


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            pytest.param({}, "give either case or subject", id="nobody"),
            pytest.param({"case": "A", "subject": "a"}, "give either", id="both"),
            pytest.param({"subject": "acme", "acted_at": "soon"}, "data.acted_at", id="no-instant"),
            pytest.param({"subject": "acme", "acted_at": "2026-11-16T10:00:00"}, "data.acted_at",
                         id="no-zone"),
            pytest.param({"subject": "acme", "acted_at": "2199-01-01T00:00:00Z"}, "still to come",
                         id="to-come"),
            pytest.param({"subject": "acme", "wat": 1}, "data.wat", id="unknown-key"),
            pytest.param({"subject": "acme", "what": "x" * 2_001}, "data.what", id="too-long"),
        ],
    )  # fmt: skip
    def test_a_signed_receipt_of_another_form_is_told_what_is_wrong(self, company, crm, data, said):
        answer = crm.says(**data)

        assert answer.status_code == 422
        assert said in answer.json()["error"]
        assert not answer.json()["kept"]
        assert proofs(company) == []

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"data": 1}'])
    def test_nor_is_what_is_no_receipt_at_all(self, crm, body):
        assert crm.sends(body).status_code == 422


class TestWhoMaySend:
    def test_nobody_else_may_and_nobody_learns_what_there_is(self, company, crm, caplog):
        good = {"decision": DECISION, "subject": "acme", "acted_at": company.clock().isoformat()}
        body = json.dumps({"data": good}).encode()
        stranger = Crm(company, "whsec_" + "c3RyYW5nZXI" * 4)

        refused = [
            stranger.sends(body),
            stranger.sends(body, to="nowhere"),
            crm.sends(body, to="nowhere"),
            crm.sends(body, **{"webhook-timestamp": "yesterday"}),
            crm.sends(body, **{"webhook-signature": ""}),
            crm.sends(body, signed_at=datetime(2020, 1, 1, tzinfo=UTC)),
        ]

        assert {(answer.status_code, answer.content) for answer in refused} == {(401, b"")}
        assert len(caplog.records) == len(refused)
        assert "acme" not in caplog.text
        assert proofs(company) == []

    def test_more_than_a_receipt_can_be_is_not_read(self, crm):
        assert crm.sends(b"x" * (LARGEST_BODY + 1)).status_code == 413


class TestWhileTheLedgerIsAway:
    @pytest.mark.fault("F35")
    def test_f35_nothing_is_said_to_be_taken_that_is_not_stored(self, company, crm):
        with company.layer.ledger.writing():
            refused = crm.says(subject="acme")

        assert refused.status_code == 503
        assert refused.json() == {
            "ok": False,
            "error": "the ledger is out of reach; send it again",
            "kept": False,
        }
        assert proofs(company) == []
        assert crm.says(subject="acme").json()["repeated"] is False
