"""Every promise is asked of a sound ledger, and each way to break one shows as just that."""

from datetime import timedelta

import pyarrow as pa
import pytest
from sqlalchemy import text

from decisions.ledger import Ledger
from decisions.ledger.store import Store
from tests.room import Room
from tests.samples import MONDAY, batch, definition, matches

OUTCOME = {
    "measure": "renewed",
    "from": "warehouse",
    "table": "renewals",
    "on": "account_id",
    "at": "decided_at",
    "window": "60d",
    "better": "higher",
}


@pytest.fixture
def room(tmp_path):
    room = eventful(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield room
    room.ledger.close()


def eventful(url):
    """Return a ledger in which everything has happened once: answers, escalation, outcomes."""
    room = Room(url, holdout={"share": "50%", "salt": "2026"}, outcome=OUTCOME)
    subjects = [{"subject": f"a{n}"} for n in range(8)]
    asked = definition(holdout={"share": "50%", "salt": "2026"}, outcome=OUTCOME)
    room.ledger.runs.record(asked, batch(8), matches(*subjects), room.people)
    room.deliver()
    opened = [key for key in keys(room) if room.ledger.cases.named(key).state == "open"]
    room.desk.acknowledge(opened[0], room.author("mia.chen"))
    room.desk.done(opened[0], room.author("mia.chen"), what="Called them.")
    room.forward(hours=5)
    reason = "data is wrong"
    room.desk.override(opened[1], room.author("omar.haddad"), reason=reason, note="They have left.")
    room.forward(days=70)
    awaited = [cases for _, cases in room.ledger.results.awaiting_outcome(room.clock())]
    ids = [number for cases in awaited for number in cases.column("case_id").to_pylist()]
    room.ledger.results.record_outcomes(outcomes(ids))
    for _ in range(5):
        room.forward(days=1)
    return room


def keys(room):
    with room.ledger.reading() as connection:
        return list(connection.execute(text("SELECT key FROM cases ORDER BY id")).scalars())


def outcomes(ids):
    states = ["observed" if number % 2 else "missing" for number in ids]
    values = [1.0 if number % 2 else None for number in ids]
    seen = [MONDAY if number % 2 else None for number in ids]
    return pa.table(
        {
            "case_id": pa.array(ids, pa.int64()),
            "state": pa.array(states, pa.string()),
            "value": pa.array(values, pa.float64()),
            "observed_at": pa.array(seen, pa.timestamp("us", tz="UTC")),
        }
    )


def broken(room):
    return {one.name: one.examples for one in room.ledger.audited(room.people) if one.breaches}


def tamper(room, statement):
    store = Store(room.url, room.clock)
    with store.engine.begin() as connection:
        done = connection.execute(text(statement))
    store.close()
    assert done.rowcount > 0


def test_a_ledger_in_which_everything_has_happened_keeps_every_promise(ledger_url):
    room = eventful(ledger_url)

    found = list(room.ledger.audited(room.people))

    assert [one.examples for one in found if one.breaches] == []
    assert len(found) == 15
    room.ledger.close()


def test_an_empty_ledger_keeps_every_promise(tmp_path, room):
    ledger = Ledger(f"sqlite:///{tmp_path / 'empty.db'}", room.clock)

    assert all(one.breaches == 0 for one in ledger.audited(room.people))
    ledger.close()


FIRST = "(SELECT min(id) FROM cases WHERE state = 'completed')"
HELD = "(SELECT min(id) FROM cases WHERE arm = 'control')"
BREACHES = {
    "a-message-lost": (
        "UPDATE notifications SET state = 'pending' WHERE id = 1",
        "No message is lost",
        "is pending and nobody will look at it",
    ),
    "a-message-stuck": (
        "UPDATE notifications SET next_at = created_at WHERE id = 1",
        "No message waits",
        "has been due since",
    ),
    "a-case-forgotten": (
        f"UPDATE cases SET state = 'open' WHERE id = {FIRST}",
        "No open case is forgotten",
        "waits, and nothing is due",
    ),
    "a-message-doubled": (
        "UPDATE notifications SET reference = 'D1/1' WHERE state = 'sent'",
        "Nobody is told twice",
        "slack took D1/1 for",
    ),
    "an-early-escalation": (
        "UPDATE notifications SET created_at = '2020-01-01' WHERE kind = 'escalated'",
        "Escalation is never early",
        "was queued before the message before it was sent",
    ),
    "an-answer-of-another": (
        "UPDATE answers SET by = 'ben.okafor' WHERE kind = 'done'",
        "An answer shown",
        "the history lacks: ben.okafor completed",
    ),
    "an-answer-removed": (
        "DELETE FROM answers WHERE kind = 'override'",
        "A case that a person closed",
        "is overridden by 0 answers",
    ),
    "a-held-out-subject-told": (
        f"UPDATE notifications SET case_id = {HELD} WHERE id = 1",
        "Held-out subjects are left alone",
        "was told",
    ),
    "an-arm-redrawn": (
        "UPDATE allocations SET arm = 'control' WHERE arm = 'treatment'",
        "A subject keeps its arm",
        "drawn was control",
    ),
    "a-case-renamed": (
        f"UPDATE cases SET key = 'CSC-99' WHERE id = {FIRST}",
        "The history tells of every case",
        "the history lacks CSC-99",
    ),
    "evidence-beautified": (
        "UPDATE cases SET facts = '{\"risk\": 0.99}' WHERE id = 1",
        "The evidence of a case",
        "its evidence is not what was decided on",
    ),
    "an-outcome-beautified": (
        "UPDATE outcomes SET value = 1, state = 'observed' WHERE state = 'missing'",
        "Outcomes are what was recorded",
        "is not in the history",
    ),
    "a-stranger": (
        "UPDATE answers SET by = 'lee.park', in_place_of = 'mia.chen' WHERE kind = 'acknowledge'",
        "An answer shown",
        "lee.park acknowledged",
    ),
}


@pytest.mark.parametrize(("statement", "name", "example"), BREACHES.values(), ids=BREACHES)
def test_what_somebody_changed_in_the_tables_is_named(room, statement, name, example):
    tamper(room, statement)

    [(_, examples)] = [one for one in broken(room).items() if one[0].startswith(name)]
    assert any(example in each for each in examples)


def test_an_answer_by_somebody_who_never_heard_of_the_case_is_named(room):
    tamper(
        room,
        "UPDATE answers SET by = 'ben.okafor', in_place_of = 'mia.chen' WHERE kind = 'done'",
    )

    assert broken(room)["Only entitled people answer"][0].startswith("ben.okafor answered CSC-")


def test_only_the_first_breaches_are_named_and_all_are_counted(room):
    tamper(room, "UPDATE outcomes SET value = 7, state = 'observed'")

    [found] = [one for one in room.ledger.audited(room.people) if one.breaches]
    assert len(found.examples) == 5 < found.breaches


def test_a_message_that_is_due_for_a_minute_is_no_breach(room):
    tamper(room, "UPDATE notifications SET next_at = NULL WHERE id = 1")
    room.clock.now += timedelta(minutes=1)

    assert broken(room) == {}
