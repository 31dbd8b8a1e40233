import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from decisions.canonical import canonical_json, sha256
from decisions.deciding.gate import Batch, ExampleKey
from decisions.definition import Definition
from decisions.errors import LedgerError, LifecycleError
from decisions.ledger import Filter, Ledger, migrations
from decisions.ledger.records import Case, Record
from decisions.ledger.standings import record_version
from decisions.ledger.store import Store
from decisions.ledger.versions import pinned
from decisions.workspace.yaml_text import read_yaml
from tests.samples import MONDAY, MovableClock, batch, definition, matches, people

TELCO = Path(__file__).parents[2] / "examples/telco/telco-save-call.yaml"
HOLDOUT = {"share": "30%", "salt": "q4"}
SUBJECTS = [{"subject": f"a{n:03}"} for n in range(200)]


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def ledger(ledger_url, clock):
    opened = Ledger(ledger_url, clock)
    yield opened
    opened.close()


def record(ledger, *rows, **changes):
    selected = matches(*rows)
    return ledger.runs.record(definition(**changes), batch(500), selected, people())


def test_the_migrations_lead_from_nothing_to_the_models(ledger, ledger_url, clock):
    store = Store(ledger_url, clock)
    with store.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Record.metadata) == []
        assert context.get_current_revision() == migrations.HEAD
    store.close()


def test_head_is_the_newest_migration():
    scripts = ScriptDirectory(str(migrations.__path__[0]))

    assert scripts.get_current_head() == migrations.HEAD


def test_a_ledger_of_a_newer_program_is_refused(ledger, ledger_url, clock):
    with ledger.writing() as transaction:
        transaction.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(LedgerError, match="has schema 9999, this program knows"):
        Ledger(ledger_url, clock)


def test_verdicts_add_up_to_the_batch(ledger):
    run = record(ledger, *SUBJECTS, holdout=HOLDOUT, limits={"per_run": 100})

    counts = run.counts
    assert counts["opened"] + counts["held_out"] == 100
    assert counts["suppressed"] == {"per_run: 100": 100}
    assert counts["not_met"] == 300
    assert 15 <= counts["held_out"] <= 45


def test_the_same_batch_recorded_twice_opens_nothing_twice(ledger):
    record(ledger, *SUBJECTS, holdout=HOLDOUT)

    again = record(ledger, *SUBJECTS, holdout=HOLDOUT)

    assert (again.counts["opened"], again.counts["held_out"]) == (0, 0)
    assert again.counts["suppressed"] == {"already open": 200}


def test_an_old_signal_does_not_reopen_a_closed_case(ledger, clock):
    record(ledger, {"subject": "acme"})
    close(ledger, "CSC-1")

    again = record(ledger, {"subject": "acme"})

    assert again.counts["suppressed"] == {"already decided": 1}


def test_a_newer_signal_opens_a_second_case_once_the_cooldown_is_over(ledger, clock):
    limits = {"per_subject": "1 per 30d"}
    record(ledger, {"subject": "acme"}, limits=limits)
    close(ledger, "CSC-1")
    found = []

    for days in (29, 31):
        clock.now = MONDAY + timedelta(days=days)
        newer = {"subject": "acme", "scored_at": clock.now}
        found.append(record(ledger, newer, limits=limits).counts)

    assert found[0]["suppressed"] == {"per_subject: 1 per 30 days": 1}
    assert found[1]["opened"] == 1


def close(ledger, key):
    with ledger.writing() as transaction:
        transaction.change(transaction.case(key), state="completed", due_at=None)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("a,b;c", id="separators"),
        pytest.param('say "no"', id="quotes"),
        pytest.param("back\\slash \\N", id="backslashes"),
        pytest.param("two\nlines\r\nor three", id="lines"),
        pytest.param("before\n\\.\nafter", id="what-ends-a-copy"),
        pytest.param("", id="nothing"),
        pytest.param("Ærøskøbing 東京 🧾", id="unicode"),
    ],
)
def test_any_text_comes_out_of_the_ledger_as_it_went_in(ledger, subject):
    record(ledger, {"subject": subject, "facts": f'{{"risk": 0.9, "arr": {len(subject)}}}'})

    case = ledger.cases.named("CSC-1")
    assert (case.subject, case.facts["arr"]) == (subject, len(subject))
    assert ledger.verified().breach is None


def test_the_database_itself_refuses_a_second_open_case(ledger):
    record(ledger, {"subject": "acme"})
    twin = dict(ledger.cases.named("CSC-1")) | {"id": 99, "key": "CSC-99", "number": 99}

    with pytest.raises(IntegrityError), ledger.writing() as transaction:
        transaction.connection.execute(insert(Case.__table__).values(**twin))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"decision": "retention-call"}, id="renamed"),
        pytest.param({"decision": "cancelled-seat-credit"}, id="another-with-its-initials"),
    ],
)
def test_case_numbers_go_on_per_prefix_whatever_the_decision_is_called(ledger, changes):
    record(ledger, {"subject": "acme"}, {"subject": "bolt"})

    for subject in ("cord", "dune"):
        record(ledger, {"subject": subject}, case_prefix="CSC", **changes)

    assert ledger.cases.named("CSC-3").subject == "cord"
    assert ledger.cases.named("CSC-4").decision == changes["decision"]


def test_case_numbers_begin_anew_under_a_new_prefix_and_go_on_under_the_old(ledger):
    for subject, prefix in (("acme", "CSC"), ("bolt", "CS"), ("cord", "CSC"), ("dune", "CS")):
        record(ledger, {"subject": subject}, case_prefix=prefix)

    found = {case.key: case.subject for case in ledger.cases.found(Filter())}
    assert found == {"CSC-1": "acme", "CS-1": "bolt", "CSC-2": "cord", "CS-2": "dune"}


def test_a_case_without_a_priority_comes_after_those_with_one(ledger):
    record(ledger, {"subject": "acme"}, {"subject": "bolt"})
    with ledger.writing() as transaction:
        transaction.change(transaction.case("CSC-1"), priority=None)

    assert [case.key for case in ledger.cases.found(Filter())] == ["CSC-2", "CSC-1"]


def test_arms_are_kept_from_version_to_version(ledger, clock):
    record(ledger, *SUBJECTS, holdout=HOLDOUT)
    before = held_out(ledger)
    with ledger.writing() as transaction:
        transaction.connection.execute(
            text(
                "UPDATE cases SET state = "
                "CASE arm WHEN 'control' THEN 'released' ELSE 'completed' END"
            )
        )
    clock.now += timedelta(days=7)

    newer = [row | {"scored_at": clock.now} for row in SUBJECTS]
    record(ledger, *newer, holdout=HOLDOUT, review_by="2030-01-01")

    assert held_out(ledger) == before


def held_out(ledger):
    found = ledger.cases.found(Filter(states=("held_out", "released")), most=1_000)
    return {case.subject for case in found}


def test_a_held_out_subject_has_a_case_and_nobody_is_told(ledger):
    record(ledger, *SUBJECTS, holdout=HOLDOUT)
    hidden = ledger.cases.found(Filter(states=("held_out",)), most=1)[0]

    dossier = ledger.cases.dossier(hidden.key)

    assert dossier.case.respond_by is None
    assert (dossier.assignments, dossier.notifications) == ([], [])
    assert [entry.act for entry in dossier.entries] == ["held out"]


def test_an_unknown_account_manager_leaves_the_case_with_the_business_owner(ledger):
    record(ledger, {"subject": "acme", "assign": "nobody.known"})

    dossier = ledger.cases.dossier("CSC-1")

    assert dossier.case.assignee == "dana.reyes"
    assert "'nobody.known', who is not in people.yaml" in dossier.assignments[0].because


def test_a_case_keeps_the_version_it_was_opened_under(ledger, clock):
    record(ledger, {"subject": "acme"})
    record(ledger, {"subject": "bolt"}, limits={"per_run": 5})

    first, second = ledger.cases.dossier("CSC-1"), ledger.cases.dossier("CSC-2")

    assert (first.version.number, second.version.number) == (1, 2)
    assert first.definition.limits.per_run is None


def test_a_version_writes_its_defaults_out_under_the_hash_of_its_canonical_form(ledger):
    declared = definition(holdout=HOLDOUT)
    record(ledger, {"subject": "acme"}, holdout=HOLDOUT)

    dossier = ledger.cases.dossier("CSC-1")

    assert dossier.version.definition == declared.model_dump(mode="json", by_alias=True)
    assert dossier.version.definition["limits"].keys() == type(declared.limits).model_fields.keys()
    assert dossier.version.sha256 == declared.sha256 == dossier.definition.sha256
    assert dossier.definition == declared


def test_a_definition_comes_out_of_the_ledger_as_it_went_in(ledger):
    declared = Definition.model_validate(read_yaml(TELCO, TELCO.name).content)

    with ledger.writing() as transaction:
        version = record_version(transaction, declared)

    assert pinned(version) == declared
    assert pinned(version).sha256 == declared.sha256


def test_a_withheld_batch_opens_nothing_and_tells_the_technical_owner_once(ledger):
    faulty = batch(0).__class__(rows=500, fingerprint="f" * 64, faults=("risk: out of range",))

    for _ in range(2):
        run = ledger.runs.withhold(definition(), faulty, people())

    claims = ledger.outbox.claim()
    assert run.state == "withheld"
    assert [claim.notification.recipient for claim in claims] == ["lee.park"]
    assert ledger.runs.earlier_counts("churn-save-call") == []


def test_the_keys_at_fault_lie_beside_the_chain(ledger):
    example = ExampleKey(fault=0, subject="acme", value="1.5")
    faulty = Batch(500, "f" * 64, ("risk: out of range",), (example,))

    run = ledger.runs.withhold(definition(), faulty, people())

    (kept,) = ledger.runs.latest()
    (entry,) = ledger.entries_of(f"run {run.id}")
    assert kept.examples == [{"fault": 0, "subject": "acme", "value": "1.5"}]
    assert "acme" not in entry.body
    assert f'"examples":"{sha256(canonical_json(kept.examples))}"' in entry.body


def test_the_chain_holds_over_everything_that_was_recorded(ledger):
    for rows in (SUBJECTS[:50], SUBJECTS):
        record(ledger, *rows, holdout=HOLDOUT)

    verification = ledger.verified()

    assert verification.breach is None
    assert (verification.seals, verification.entries) == (2, 204)


@pytest.mark.parametrize("act", ["UPDATE {0} SET at = at", "DELETE FROM {0}"])
@pytest.mark.parametrize("table", ["entries", "seals"])
def test_the_database_refuses_to_rewrite_history(ledger, act, table):
    record(ledger, {"subject": "acme"})

    with pytest.raises(DatabaseError, match="append-only"), ledger.writing() as transaction:
        transaction.connection.execute(text(act.format(table)))


@pytest.fixture
def tampered(ledger):
    """Run a statement as somebody would who owns the whole database."""
    record(ledger, *SUBJECTS[:5])
    record(ledger, *SUBJECTS[:9])

    def run(statement):
        with ledger.writing() as transaction:
            if transaction.connection.dialect.name == "sqlite":
                for table in ("entries", "seals"):
                    for event in ("update", "delete"):
                        transaction.connection.execute(text(f"DROP TRIGGER {table}_refuse_{event}"))
            else:
                for table in ("entries", "seals"):
                    transaction.connection.execute(text(f"DROP TRIGGER {table}_refuse ON {table}"))
            for part in statement.split("; "):
                transaction.connection.execute(text(part))
        return ledger.verified().breach

    return run


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(
            "UPDATE entries SET body = replace(body, '0.9', '0.8') WHERE id = 4",
            "entry 4 (opened CSC-2, 2026-11-16T09:00:00.000000Z) does not match its hash",
            id="one-byte-of-an-entry",
        ),
        pytest.param(
            "UPDATE entries SET sha256 = replace(sha256, '0', '1') WHERE id = 4",
            "entry 4 ",
            id="an-entrys-hash",
        ),
        pytest.param("DELETE FROM entries WHERE id = 4", "seal 1 ", id="a-missing-entry"),
        pytest.param("DELETE FROM entries WHERE seal = 2", "seal 2 ", id="all-of-a-seals-entries"),
        pytest.param(
            "UPDATE seals SET root = 'x' WHERE id = 1",
            "does not match the entries it covers",
            id="a-root",
        ),
        pytest.param(
            "UPDATE seals SET previous = 'x' WHERE id = 2",
            "does not point at the seal before it",
            id="a-link",
        ),
        pytest.param(
            "DELETE FROM entries WHERE seal = 1; DELETE FROM seals WHERE id = 1",
            "seal 1 is missing",
            id="a-missing-seal",
        ),
    ],
)
def test_verification_names_what_was_tampered_with(tampered, statement, expected):
    assert expected in tampered(statement)


def test_a_transaction_that_fails_leaves_nothing_behind(ledger):
    def fail_half_way():
        with ledger.writing() as transaction:
            transaction.enter("did", "something", {})
            transaction.case("CSC-404")

    with pytest.raises(LifecycleError):
        fail_half_way()

    assert ledger.verified().entries == 0


def test_a_file_that_is_no_database_is_refused(tmp_path, clock):
    (tmp_path / "ledger.db").write_text("these are notes, not a database " * 100)

    with pytest.raises(LedgerError, match="is not a ledger or is damaged"):
        Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock)


def test_a_locked_ledger_says_so_and_writes_nothing(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("decisions.ledger.store.LONGEST", timedelta(seconds=0.1))
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerError, match="was locked by another program"):
        record(ledger, {"subject": "acme"})

    holder.execute("ROLLBACK")
    holder.close()
    assert ledger.cases.count(Filter(states=None)) == 0
    ledger.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("mysql://localhost/x", "cannot be kept in 'mysql'", id="unsupported"),
        pytest.param("ledger.db", "write it like 'sqlite:///ledger.db'", id="not-a-url"),
        pytest.param(
            "postgresql://me:hunter2@127.0.0.1:1/x", "cannot be used", id="nobody-answers"
        ),
    ],
)
def test_an_unusable_address_is_refused_without_its_password(url, expected, clock):
    with pytest.raises(LedgerError, match=expected) as caught:
        Ledger(url, clock)

    assert "hunter2" not in str(caught.value)


COSTLY = {"cost": {"of": "arr", "at_most": "300 USD per month", "warn_at": "80%"}}


def costing(*amounts):
    return [
        {"subject": f"s{amount}", "facts": f'{{"account_id":"s{amount}","arr":{amount}}}'}
        for amount in amounts
    ]


def warned(ledger):
    """Return who is to be told what of money that runs out, once for each message."""
    claims = ledger.outbox.claim(most=100)
    about = [
        (claim.notification.recipient, each["about"])
        for claim in claims
        if claim.notification.kind == "warned"
        for each in claim.run.warnings
        if claim.notification.recipient in each["told"]
    ]
    return sorted(about)


def spend(ledger, *amounts, at=MONDAY, **changes):
    rows = [
        row | {"scored_at": at, "priority": float(amount)}
        for row, amount in zip(costing(*amounts), amounts, strict=True)
    ]
    return record(ledger, *rows, limits=COSTLY, **changes)


def test_a_day_of_an_assignee_ends_at_their_own_midnight(ledger, clock):
    limits = {"per_assignee": "1 per day"}
    zones = {"mia.chen": "Pacific/Auckland", "ben.okafor": "Europe/London"}
    there = people()
    moved = {
        key: who.model_copy(update={"zone": zones.get(key, "UTC")})
        for key, who in there.people.items()
    }
    there = there.model_copy(update={"people": moved})

    def opened(*subjects):
        rows = [
            {"subject": f"{who}-{subject}", "assign": who} for subject in subjects for who in zones
        ]
        run = ledger.runs.record(definition(limits=limits), batch(500), matches(*rows), there)
        return run.counts["opened"], run.counts["suppressed"]

    assert opened("a", "b") == (2, {"per_assignee: 1 per day": 2})
    clock.now += timedelta(hours=2)  # 11:00 in London, midnight in Auckland
    assert opened("c") == (1, {"per_assignee: 1 per day": 1})


class TestCost:
    NEARLY = "cost: 80% of 300 USD per month used"
    WHOLLY = "cost: 300 USD per month used up"

    def test_the_owners_are_warned_once_a_month_before_the_money_is_used_up(self, ledger):
        runs = [spend(ledger, amount) for amount in (200, 39.99, 0.01, 50)]

        assert [len(run.warnings) for run in runs] == [0, 0, 1, 1]
        assert runs[2].warnings[0]["text"] == (
            "240.00 of 300 USD per month are used in November 2026, 80%; beyond it nobody is "
            "taken on until next month"
        )
        assert warned(ledger) == [("dana.reyes", self.NEARLY), ("lee.park", self.NEARLY)]

    def test_what_would_cost_more_than_is_left_waits_for_next_month(self, ledger, clock):
        first = spend(ledger, 290, 20)

        later = [spend(ledger, amount) for amount in (15, 10)]

        assert first.counts["suppressed"] == {"cost: 300 USD per month": 1}
        assert [run.counts["opened"] for run in later] == [0, 1]
        assert "290.00 of 300 USD per month are used" in first.warnings[0]["text"]
        assert "; 1 subject was left out" in first.warnings[0]["text"]
        assert warned(ledger).count(("lee.park", self.WHOLLY)) == 1
        clock.now += timedelta(days=15)
        assert spend(ledger, 299, at=clock.now).counts["opened"] == 1

    def test_held_out_subjects_take_their_share_so_that_the_arms_stay_comparable(self, ledger):
        run = spend(ledger, *range(1, 21), holdout=HOLDOUT)

        assert run.counts["held_out"] > 0
        assert run.cost == sum(range(1, 21))
        assert run.cost_unit == "USD"

    def test_the_month_begins_in_the_zone_of_the_schedule(self, ledger, clock):
        clock.now = MONDAY.replace(month=12, day=1, hour=4)  # still November in New York
        schedule = {"cron": "0 6 * * *", "zone": "America/New_York"}
        assert spend(ledger, 200, at=clock.now, schedule=schedule).counts["opened"] == 1

        clock.now += timedelta(hours=2)

        assert spend(ledger, 299, at=clock.now, schedule=schedule).counts["opened"] == 1

    def test_money_of_another_unit_is_not_summed(self, ledger):
        spend(ledger, 290)
        other = {"cost": {"of": "arr", "at_most": "300 EUR per month"}}

        run = record(ledger, *costing(280), limits=other)

        assert (run.counts["opened"], run.cost_unit) == (1, "EUR")


def again(*rows, days=1):
    """Return later signals of subjects, scored some days after the first."""
    at = MONDAY + timedelta(days=days)
    return [
        {"scored_at": at, "facts": f'{{"account_id":"{row["subject"]}","risk":0.97}}'} | row
        for row in rows
    ]


class TestLaterSignals:
    def test_a_newer_signal_of_an_open_case_is_kept_beside_it(self, ledger):
        record(ledger, {"subject": "acme", "score": 0.9, "priority": 0.9})

        record(ledger, *again({"subject": "acme", "score": 0.97, "priority": 0.97}))

        dossier = ledger.cases.dossier("CSC-1")
        (later,) = dossier.later_signals
        assert (later.run_id, later.score, later.facts["risk"]) == (2, 0.97, 0.97)
        assert later.scored_at == MONDAY + timedelta(days=1)
        assert (dossier.case.score, dossier.case.facts["risk"]) == (0.9, 0.9)
        assert (dossier.case.priority, dossier.case.revision) == (0.97, 0)

    @pytest.mark.parametrize(
        ("first", "later", "expected"),
        [
            pytest.param(0.9, 0.5, 0.9, id="lower"),
            pytest.param(0.9, None, 0.9, id="none"),
            pytest.param(None, 0.1, 0.1, id="the-first"),
        ],
    )
    def test_a_priority_only_rises(self, ledger, first, later, expected):
        record(ledger, {"subject": "acme", "priority": first}, {"subject": "bolt"})

        record(ledger, *again({"subject": "acme", "priority": later}))

        (acme,) = ledger.cases.found(Filter(text="acme"))
        (bolt,) = ledger.cases.found(Filter(text="bolt"))
        assert (acme.priority, bolt.priority) == (expected, 0.9)

    def test_the_same_signal_is_kept_once(self, ledger):
        record(ledger, {"subject": "acme"})
        for days in (1, 1, 0, 2):
            record(ledger, *again({"subject": "acme"}, days=days))

        kept = ledger.cases.dossier("CSC-1").later_signals

        assert [each.run_id for each in kept] == [2, 5]

    def test_a_held_out_subject_keeps_its_signals_as_well(self, ledger):
        record(ledger, *SUBJECTS[:50], holdout=HOLDOUT)

        record(ledger, *again(*SUBJECTS[:50]), holdout=HOLDOUT)

        kept = [len(ledger.cases.dossier(f"CSC-{n}").later_signals) for n in range(1, 51)]
        assert kept == [1] * 50

    def test_what_belongs_to_a_finished_case_opens_a_new_one(self, ledger):
        record(ledger, {"subject": "acme"})
        with ledger.writing() as transaction:
            transaction.change(transaction.case("CSC-1"), state="completed", outcome_due_at=None)

        run = record(ledger, *again({"subject": "acme"}))

        assert run.counts["opened"] == 1
        assert ledger.cases.dossier("CSC-1").later_signals == []

    def test_one_entry_pins_them_all(self, ledger):
        record(ledger, *SUBJECTS)

        run = record(ledger, *again(*SUBJECTS))

        entries = ledger.entries_of(f"run {run.id}")
        assert [entry.act for entry in entries] == ["recorded", "signalled again"]
        assert '"cases":200' in entries[1].body
        assert ledger.verified().breach is None

    def test_an_answer_given_meanwhile_is_not_disturbed(self, ledger):
        record(ledger, {"subject": "acme"})
        with ledger.writing() as transaction:
            before = transaction.case("CSC-1")

        record(ledger, *again({"subject": "acme", "priority": 0.99}))

        with ledger.writing() as transaction:
            assert transaction.change(before, state="acknowledged").state == "acknowledged"
