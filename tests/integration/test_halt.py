"""Halt means halt: what a halted decision still does, which is nothing, and how it goes on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest

from decisions.errors import Halted, TemporaryFailure
from tests.room import Room
from tests.samples import MONDAY


@pytest.fixture
def room(ledger_url):
    opened = Room(ledger_url)
    opened.heard()
    yield opened
    assert opened.ledger.verified().breach is None
    opened.ledger.close()


def test_a_halted_decision_tells_its_other_owners_and_nobody_else(room):
    room.decide("acme", "bolt")
    room.halt()
    room.deliver()

    assert room.heard() == [("lee.park", "halted"), ("sam.ortiz", "halted")]


def test_messages_held_back_leave_once_it_goes_on(room):
    room.decide("acme", "bolt")
    room.halt()
    room.forward(days=3)
    room.heard()

    room.resume()
    room.deliver()

    assert room.heard() == [("mia.chen", "asked")]


def test_nobody_is_escalated_over_while_it_is_halted_and_nobody_for_it_afterwards(room):
    room.forward(hours=3)
    room.halt()
    room.forward(days=2)
    room.heard()
    resumed_at = room.clock.now

    room.resume()
    room.forward(hours=3)
    before = room.heard()
    room.forward(hours=1)

    assert before == []
    assert room.heard() == [("omar.haddad", "escalated")]
    assert room.case.respond_by == resumed_at + timedelta(hours=4)


def test_a_step_taken_before_the_halt_gives_the_next_person_their_full_wait_after_it(room):
    room.forward(hours=4)
    room.halt()
    room.forward(days=1)
    room.heard()

    room.resume()
    room.forward(hours=7)
    before = room.heard()
    room.forward(hours=1)

    assert before == []
    assert room.heard() == [("dana.reyes", "escalated")]


def test_the_time_to_complete_begins_anew_if_it_ran_out_meanwhile(room):
    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    room.forward(days=1)
    room.halt()
    room.forward(days=5)
    room.heard()
    room.resume()

    room.deliver()

    assert room.heard() == []
    assert room.case.complete_by == room.case.due_at == MONDAY + timedelta(days=8)


def test_a_wait_that_did_not_run_out_stays_as_it_was(room):
    room.halt()
    room.forward(hours=1)
    room.resume()

    assert room.case.due_at == room.case.respond_by == MONDAY + timedelta(hours=4)


def test_people_may_answer_while_it_is_halted(room):
    room.halt()

    reply = room.desk.done("CSC-1", room.author("mia.chen"), what="Called them.")

    assert reply.state == "completed"


def test_what_was_reassigned_while_halted_is_asked_when_it_goes_on(room):
    room.halt()
    room.desk.reassign("CSC-1", room.author("mia.chen"), to="ben.okafor", note="Ben knows them.")
    room.deliver()
    room.heard()

    room.resume()
    room.deliver()

    assert room.heard() == [("ben.okafor", "asked")]


def test_a_long_halt_costs_no_message_its_patience(room):
    room.decide("acme", "bolt")
    room.halt()
    room.forward(days=3)
    room.resume()
    room.channel.failure = TemporaryFailure("busy", connector="slack")

    room.deliver()

    assert room.dossier.case.state == "open"
    room.channel.failure = None
    room.heard()
    room.forward(hours=1)
    assert ("mia.chen", "asked") in room.heard()


def test_somebody_who_has_left_the_file_hinders_no_resumption(room):
    room.forward(hours=4)
    room.halt()
    room.forward(days=1)
    room.forget("mia.chen")
    room.brake._people = room.people

    room.resume()

    assert room.case.due_at > room.clock.now


def test_a_message_claimed_before_the_halt_does_not_leave_after_it(room):
    room.decide("acme", "bolt")
    (claim,) = room.ledger.outbox.claim(most=1)
    room.halt()

    assert room.ledger.outbox.is_held(claim)


def test_a_halt_in_the_midst_of_deliveries_lets_nothing_leave_afterwards(room):
    room.decide("acme", *(f"b{n}" for n in range(30)))
    taken, leaving, is_halted = room.channel.deliver, Event(), Event()

    def deliver(message):
        if message.kind == "asked":
            leaving.set()
            assert is_halted.wait(20)
        return taken(message)

    room.channel.deliver = deliver
    with ThreadPoolExecutor(2) as pool:
        senders = [pool.submit(room.deliver) for _ in range(2)]
        assert leaving.wait(20)
        room.halt()
        is_halted.set()
        for sender in senders:
            sender.result()

    asked = sum(kind == "asked" for _, kind in room.heard())
    assert asked in {1, 2}  # what was in a sender's hands already
    room.resume()
    room.deliver()
    assert asked + sum(kind == "asked" for _, kind in room.heard()) == 30


def test_a_halt_races_runs_and_none_is_recorded_after_it(room):
    def decides(number):
        try:
            return room.decide(f"c{number}").id
        except Halted:
            return None

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(decides, number) for number in range(12)]
        room.halt()
        recorded = [each.result() for each in running]

    with room.ledger.reading() as connection:
        rows = connection.exec_driver_sql("SELECT act, object FROM entries ORDER BY id").all()
    acts = [act for act, name in rows if act in {"recorded", "halted"} and "/v" not in name]
    assert acts[-1] == "halted"
    assert acts.count("recorded") == 1 + sum(number is not None for number in recorded)


def test_a_resumption_is_recorded_with_the_cases_it_gave_new_time(room):
    room.forward(hours=3)
    room.halt()
    room.forward(days=2)

    ruling = room.resume()

    acts = [entry.act for entry in room.ledger.entries_of("CSC-1")]
    assert "1 case whose time ran out" in ruling.text
    assert acts[-1] == "waits anew"
