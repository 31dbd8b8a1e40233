"""What happens to cases while channels fail, people leave and data is odd."""

from datetime import timedelta

import pytest

from decisions.errors import LifecycleError, PermanentFailure, TemporaryFailure, UnknownOutcome
from tests.samples import MONDAY, action, batch, definition, matches, people

AWAY = TemporaryFailure("429", connector="slack")
GONE = PermanentFailure("token_revoked", connector="slack")
NO_WORD = UnknownOutcome("the history cannot be read", connector="slack")


def states(room):
    return [note.state for note in room.dossier.notifications]


def test_an_outage_of_hours_loses_no_message_and_burns_no_step(make_room):
    room = make_room(failure=AWAY)
    for _ in range(40):
        room.forward(minutes=15)
    room.channel.failure = None

    room.forward(minutes=30)

    assert room.heard() == [("mia.chen", "asked")]
    assert room.case.step == 0


def test_waits_between_tries_grow_and_are_bounded(make_room):
    room = make_room(failure=AWAY)
    tries = [room.dossier.notifications[0].attempts]

    for _ in range(8):
        room.forward(hours=1)
        tries.append(room.dossier.notifications[0].attempts)

    assert tries == list(range(1, 10))


def test_after_a_day_without_a_channel_the_next_person_is_tried(make_room):
    room = make_room(failure=AWAY)

    for _ in range(26):
        room.forward(hours=1)

    assert states(room)[0] == "dead"
    assert room.dossier.notifications[1].recipient == "omar.haddad"


def test_a_case_nobody_could_be_told_of_is_never_closed_as_unanswered(make_room):
    room = make_room(failure=GONE)
    for _ in range(10):
        room.forward(minutes=1)
    assert room.case.state == "open"
    room.channel.failure = None

    room.forward(hours=12)

    assert room.heard() == [("mia.chen", "asked")]
    assert "nobody told" in [entry.act for entry in room.dossier.entries]


def test_a_message_certainly_not_taken_is_sent_again_without_a_look(make_room):
    room = make_room(failure=AWAY)
    room.channel.failure, room.channel.silence = None, NO_WORD

    room.forward(minutes=1)

    assert room.heard() == [("mia.chen", "asked")]


def test_a_doubtful_message_that_cannot_be_looked_up_is_repeated_and_says_so(make_room):
    room = make_room(failure=NO_WORD)
    room.channel.failure, room.channel.silence = None, NO_WORD

    for _ in range(4):
        room.forward(seconds=30)

    assert room.heard() == [("mia.chen", "asked")]
    assert room.channel.leads == ["Repeat: the first message could not be confirmed"]


def test_the_next_step_is_taken_although_the_assignee_is_known_no_more(make_room):
    room = make_room()
    room.forget("mia.chen")
    room.heard()

    room.forward(hours=4)
    room.forward(hours=8)

    assert room.heard() == [("dana.reyes", "escalated"), ("dana.reyes", "escalated")]


def test_somebody_may_answer_for_an_assignee_who_is_known_no_more(make_room):
    room = make_room()
    room.forget("mia.chen")

    with pytest.raises(LifecycleError, match=r"it is with mia\.chen"):
        room.desk.acknowledge("CSC-1", room.author("ben.okafor"))
    assert room.desk.acknowledge("CSC-1", room.author("dana.reyes")).state == "acknowledged"


def test_a_case_snoozed_after_acknowledging_is_reminded_of_only_when_it_is_late(make_room):
    room = make_room()
    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    room.desk.snooze("CSC-1", room.author("mia.chen"), until=MONDAY + timedelta(hours=1))
    room.heard()

    room.forward(hours=1)
    assert room.heard() == [("mia.chen", "asked")]
    room.forward(hours=46)
    assert room.heard() == []
    room.forward(hours=1)
    assert room.heard() == [("mia.chen", "reminded")]


def test_a_message_on_its_way_when_the_case_is_snoozed_is_not_sent(make_room):
    room = make_room(failure=AWAY)
    room.desk.snooze("CSC-1", room.author("dana.reyes"), until=MONDAY + timedelta(days=2))
    room.channel.failure = None

    room.forward(minutes=5)
    assert room.heard() == []
    room.forward(days=2)
    assert room.heard() == [("mia.chen", "asked")]


def test_a_case_that_wakes_with_a_stand_in_says_who_holds_it(make_room):
    cover = [{"of": "mia.chen", "by": "ben.okafor", "from": "2026-11-17", "until": "2026-11-20",
              "because": "leave"}]  # fmt: skip
    room = make_room(cover=cover)
    room.desk.snooze("CSC-1", room.author("mia.chen"), until=MONDAY + timedelta(days=1))

    room.forward(days=1)

    assert room.case.assignee == "ben.okafor"
    last = room.dossier.assignments[-1]
    assert (last.assignee, last.in_place_of) == ("ben.okafor", "mia.chen")
    assert "covers Mia Chen (leave)" in last.because


def test_one_click_cannot_answer_two_cases(make_room):
    room = make_room()
    room.ledger.runs.record(definition(), batch(2), matches({"subject": "bolt"}), room.people)
    room.desk.acknowledge("CSC-1", room.author("mia.chen", "the same click"))

    with pytest.raises(LifecycleError, match="recorded for something else"):
        room.desk.acknowledge("CSC-2", room.author("mia.chen", "the same click"))


def test_many_cases_that_cannot_be_helped_keep_nobody_else_waiting(make_room):
    room = make_room()
    subjects = [{"subject": f"a{n}"} for n in range(7)]
    room.ledger.runs.record(definition(), batch(8), matches(*subjects), room.people)
    room.deliver()
    room.clock.now += timedelta(hours=4)

    due = list(room.ledger.cases.due(room.clock(), page=3))

    assert sorted(due) == [f"CSC-{n}" for n in range(1, 9)]


def test_a_batch_that_stays_withheld_is_told_once_and_again_after_a_good_one(make_room):
    room = make_room()
    empty = batch(0).__class__(rows=0, fingerprint="0" * 64, faults=("the batch is empty",))
    told = []

    for faulty in (True, True, False, True):
        if faulty:
            room.ledger.runs.withhold(definition(), empty, room.people)
        else:
            room.ledger.runs.record(definition(), batch(9), matches(), room.people)
        told.append(len(room.ledger.outbox.claim()))

    assert told == [1, 0, 0, 1]


def test_one_leaver_without_a_manager_stops_nobody_elses_cases(make_room):
    room = make_room()
    known = people().model_dump(by_alias=True, exclude_defaults=True)["people"]
    known["ben.okafor"] |= {"last_day": "2026-01-31", "manager": None}
    left = people(people=known)
    rows = [{"subject": "bolt", "assign": "ben.okafor"}, {"subject": "core"}]

    run = room.ledger.runs.record(definition(), batch(3), matches(*rows), left)

    assert run.counts["opened"] == 2
    assert room.ledger.cases.named("CSC-2").assignee == "dana.reyes"
    assert room.ledger.cases.named("CSC-3").assignee == "mia.chen"


def test_running_again_is_no_way_around_the_limit_of_a_run(make_room):
    room = make_room()
    rows = [{"subject": f"a{n}", "scored_at": MONDAY + timedelta(hours=1)} for n in range(6)]
    limited = definition(limits={"per_run": 4})

    found = [
        room.ledger.runs.record(limited, batch(6), matches(*rows), room.people).counts
        for _ in range(2)
    ]

    assert [counts["opened"] for counts in found] == [4, 0]
    assert found[1]["suppressed"] == {"already open": 4, "per_run: 4": 2}


def test_keep_open_is_kept_although_the_policy_has_ended(make_room):
    room = make_room(actions={"call": action(unanswered="keep open", escalate=[])})

    room.forward(hours=4)

    assert (room.case.state, room.case.due_at) == ("open", None)


def test_nobody_answers_a_case_before_it_was_opened(make_room):
    room = make_room()
    room.clock.now = MONDAY - timedelta(days=1)

    with pytest.raises(LifecycleError, match="nobody can have answered it before"):
        room.desk.acknowledge("CSC-1", room.author("mia.chen"))
