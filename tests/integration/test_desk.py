from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from decisions.desk import Author
from decisions.errors import LifecycleError, NotEntitled, UnknownPerson
from decisions.ledger import Filter
from tests.room import Room
from tests.samples import MONDAY, action

COVER = [
    {"of": "mia.chen", "by": "ben.okafor", "from": "2026-11-16", "until": "2026-11-20",
     "because": "leave"}
]  # fmt: skip


@pytest.fixture
def room(ledger_url):
    opened = Room(ledger_url)
    yield opened
    assert opened.ledger.verified().breach is None
    opened.ledger.close()


def test_acknowledging_stops_escalation_and_starts_the_time_to_complete(room):
    reply = room.desk.acknowledge("CSC-1", room.author("mia.chen"))

    assert reply.text == "CSC-1 is yours; complete it by Wed 18 Nov, 09:00 (UTC)"
    assert room.case.due_at == room.case.complete_by == MONDAY + timedelta(days=2)


def test_an_unanswered_case_climbs_one_person_at_a_time_and_then_closes(room):
    assert room.heard() == [("mia.chen", "asked")]

    room.forward(hours=4)
    assert room.heard() == [("omar.haddad", "escalated")]
    room.forward(hours=4)
    assert room.heard() == []
    room.forward(hours=4)
    assert room.heard() == [("dana.reyes", "escalated")]
    room.forward(hours=4)
    assert room.heard() == []
    assert room.case.state == "unanswered"


def test_an_outage_tells_one_person_and_gives_them_their_full_time(room):
    room.heard()

    room.forward(days=5)
    assert room.heard() == [("omar.haddad", "escalated")]
    room.forward(hours=7)
    assert room.heard() == []


def test_escalation_stops_when_somebody_answers(room):
    room.forward(hours=4)
    room.desk.override(
        "CSC-1", room.author("omar.haddad"), reason="data is wrong", note="They renewed in May."
    )
    room.heard()

    room.forward(days=3)

    assert room.heard() == []
    assert room.case.state == "overridden"


def test_an_acknowledged_and_forgotten_case_reminds_and_then_climbs(room):
    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    room.heard()

    room.forward(days=2)
    assert room.heard() == [("mia.chen", "reminded")]
    room.forward(hours=4)
    assert room.heard() == [("omar.haddad", "escalated")]
    room.forward(hours=8)
    assert room.heard() == [("dana.reyes", "escalated")]
    room.forward(days=30)
    assert room.heard() == []
    assert room.case.state == "acknowledged"


def test_whoever_acknowledges_holds_the_case_from_then_on(room):
    room.desk.acknowledge("CSC-1", room.author("sam.ortiz"))
    room.heard()

    room.forward(days=2)

    assert room.case.assignee == "sam.ortiz"
    assert room.heard() == [("sam.ortiz", "reminded")]


def test_the_first_answer_wins_and_the_late_one_is_recorded_and_told(room):
    room.desk.done("CSC-1", room.author("mia.chen"), what="Called, they stay.")

    with pytest.raises(LifecycleError, match="already completed by Mia Chen on Mon 16 Nov, 09:00"):
        room.desk.acknowledge("CSC-1", room.author("dana.reyes"))

    answers = room.dossier.answers
    assert [(answer.by, answer.accepted) for answer in answers] == [
        ("mia.chen", True),
        ("dana.reyes", False),
    ]


def test_whoever_takes_what_is_theirs_already_is_told_so_and_nothing_is_late(room):
    first = room.desk.acknowledge("CSC-1", room.author("mia.chen"))

    again = room.desk.acknowledge("CSC-1", room.author("mia.chen"))

    assert again.text == first.text
    assert again.text.startswith("CSC-1 is yours")
    assert (again.state, again.repeated) == ("acknowledged", True)
    assert len(room.dossier.answers) == 1
    with pytest.raises(LifecycleError, match="recorded as late"):
        room.desk.acknowledge("CSC-1", room.author("dana.reyes"))


def test_one_click_counts_once(room):
    first = room.desk.acknowledge("CSC-1", room.author("mia.chen", "the same click"))
    again = room.desk.acknowledge("CSC-1", room.author("mia.chen", "the same click"))

    assert (first.repeated, again.repeated) == (False, True)
    assert len(room.dossier.answers) == 1


def test_a_refused_click_is_refused_again_in_the_same_words(room):
    for _ in range(2):
        with pytest.raises(LifecycleError, match="Ben Okafor may not answer CSC-1"):
            room.desk.acknowledge("CSC-1", room.author("ben.okafor", "the same click"))

    assert [answer.accepted for answer in room.dossier.answers] == [False]


@pytest.mark.parametrize(
    "person",
    [
        pytest.param("mia.chen", id="assignee"),
        pytest.param("dana.reyes", id="business-owner"),
        pytest.param("lee.park", id="technical-owner"),
        pytest.param("sam.ortiz", id="backup-owner"),
    ],
)
def test_who_may_answer(room, person):
    assert room.desk.acknowledge("CSC-1", room.author(person)).state == "acknowledged"


def test_the_manager_may_answer_once_told(room):
    with pytest.raises(NotEntitled):
        room.desk.acknowledge("CSC-1", room.author("omar.haddad"))

    room.forward(hours=4)

    assert room.desk.acknowledge("CSC-1", room.author("omar.haddad")).state == "acknowledged"


def test_cover_gets_the_case_and_may_answer_it(make_room):
    room = make_room(cover=COVER)

    assert room.case.assignee == "ben.okafor"
    assert room.dossier.assignments[0].in_place_of == "mia.chen"
    assert room.desk.acknowledge("CSC-1", room.author("ben.okafor")).state == "acknowledged"


def test_nobody_answers_a_held_out_case(make_room):
    room = make_room(holdout={"share": "99.9%", "salt": "q4"})

    with pytest.raises(NotEntitled, match="held out on purpose"):
        room.desk.acknowledge("CSC-1", room.author("dana.reyes"))


def test_a_person_nobody_knows_is_refused(room):
    with pytest.raises(UnknownPerson, match=r"'mia\.chan'"):
        room.desk.acknowledge("CSC-1", room.author("mia.chan"))


def test_an_override_takes_a_listed_reason_and_a_sentence(room):
    author = room.author("mia.chen")

    with pytest.raises(LifecycleError, match="allowed: 'already in contact', 'data is wrong'"):
        room.desk.override("CSC-1", author, reason="no", note="I would rather not.")
    with pytest.raises(LifecycleError, match="say in a sentence why"):
        room.desk.override("CSC-1", author, reason="data is wrong", note=" ")

    assert room.case.state == "open"


def test_a_snoozed_case_wakes_up_and_asks_anew(room):
    until = MONDAY + timedelta(days=1)
    room.desk.snooze("CSC-1", room.author("mia.chen"), until=until)
    room.heard()

    room.forward(hours=23)
    assert room.heard() == []
    room.forward(hours=1)
    assert room.heard() == [("mia.chen", "asked")]
    assert room.case.respond_by == until + timedelta(hours=4)
    room.forward(hours=4)
    assert room.heard() == [("omar.haddad", "escalated")]


def test_a_snoozed_acknowledged_case_reminds_when_it_wakes(room):
    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    room.desk.snooze("CSC-1", room.author("mia.chen"), until=MONDAY + timedelta(days=3))
    room.heard()

    room.forward(days=3)

    assert room.heard() == [("mia.chen", "reminded")]
    assert room.case.state == "acknowledged"


@pytest.mark.parametrize(
    "until",
    [
        pytest.param(MONDAY, id="already-over"),
        pytest.param(MONDAY + timedelta(days=31), id="buried"),
    ],
)
def test_a_case_is_put_off_not_buried(room, until):
    with pytest.raises(LifecycleError, match="choose an instant to come, at most 30 days"):
        room.desk.snooze("CSC-1", room.author("mia.chen"), until=until)


def test_a_reassigned_case_asks_its_new_assignee_and_begins_anew(room):
    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    room.desk.reassign("CSC-1", room.author("mia.chen"), to="ben.okafor", note="Ben knows them.")
    room.heard()
    room.deliver()

    assert room.heard() == [("ben.okafor", "asked")]
    assert (room.case.state, room.case.assignee) == ("open", "ben.okafor")
    assert room.case.complete_by is None
    room.forward(hours=4)
    assert room.heard() == [("omar.haddad", "escalated")]


def test_reassigning_to_somebody_away_reaches_their_cover(make_room):
    cover = [COVER[0] | {"of": "ben.okafor", "by": "sam.ortiz"}]
    room = make_room(cover=cover)

    room.desk.reassign("CSC-1", room.author("mia.chen"), to="ben.okafor", note="Ben knows them.")

    assert room.case.assignee == "sam.ortiz"


def test_what_was_not_handed_over_yet_is_taken_back_by_an_answer(ledger_url):
    room = Room(ledger_url)
    room.clock.now += timedelta(hours=4)
    room.pursuit.take_step("CSC-1")

    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    room.heard()
    room.deliver()

    assert room.heard() == []
    assert [note.state for note in room.dossier.notifications] == ["sent", "superseded"]
    room.ledger.close()


def test_done_records_what_was_reported_and_when(room):
    acted_at = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
    room.clock.now += timedelta(hours=1)

    room.desk.done("CSC-1", room.author("mia.chen"), what="Called them.", acted_at=acted_at)

    reported = room.dossier.interventions[0]
    assert (reported.source, reported.what, reported.acted_at) == (
        "reported",
        "Called them.",
        acted_at,
    )


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(1, "in the time to come", id="still-to-come"),
        pytest.param(-1, "what was done before is no answer", id="before-it-was-opened"),
    ],
)
def test_what_is_reported_was_done_between_opening_and_now(room, hours, expected):
    acted_at = MONDAY + timedelta(hours=hours)

    with pytest.raises(LifecycleError, match=expected):
        room.desk.done("CSC-1", room.author("mia.chen"), what="Called.", acted_at=acted_at)


def test_a_case_kept_open_stays_open_when_the_policy_ends(make_room):
    room = make_room(actions={"call": action(unanswered="keep open", escalate=[])})

    room.forward(hours=4)

    assert (room.case.state, room.case.due_at) == ("open", None)
    assert room.desk.acknowledge("CSC-1", room.author("mia.chen")).state == "acknowledged"


def test_of_many_who_answer_at_once_exactly_one_wins(room):
    def answer(number):
        person = ("mia.chen", "dana.reyes")[number % 2]
        try:
            room.desk.done("CSC-1", Author(person, "api", f"race-{number}"), what="Done it.")
        except LifecycleError as error:
            return str(error)
        return "won"

    with ThreadPoolExecutor(max_workers=8) as threads:
        ends = list(threads.map(answer, range(24)))

    assert ends.count("won") == 1
    assert all("already completed by" in end for end in ends if end != "won")
    assert len(room.dossier.answers) == 24


def test_sweeps_at_once_take_a_step_once(room):
    room.heard()
    room.clock.now += timedelta(hours=4)

    with ThreadPoolExecutor(max_workers=4) as threads:
        taken = list(threads.map(lambda _: room.pursuit.take_step("CSC-1"), range(4)))

    assert sum(step is not None for step in taken) == 1
    assert room.case.step == 1


def test_every_change_has_an_entry_with_its_author(room):
    room.desk.acknowledge("CSC-1", room.author("sam.ortiz"))

    entry = room.dossier.entries[-1]
    assert (entry.act, entry.actor, entry.in_place_of) == ("acknowledged", "sam.ortiz", "mia.chen")
    assert room.ledger.cases.count(Filter(decision="churn-save-call")) == 1


def test_a_case_is_overdue_by_what_it_waits_for_now(room):
    def overdue():
        wanted = Filter(overdue_at=room.clock())
        return [case.key for case in room.ledger.cases.found(wanted)]

    found = {}
    room.clock.now = MONDAY + timedelta(hours=5)
    found["unanswered"] = overdue()
    room.desk.snooze("CSC-1", room.author("mia.chen"), until=MONDAY + timedelta(hours=9))
    found["snoozed"] = overdue()
    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    found["acknowledged"] = overdue()
    room.clock.now = MONDAY + timedelta(days=3)
    found["forgotten"] = overdue()

    assert found == {
        "unanswered": ["CSC-1"],
        "snoozed": [],
        "acknowledged": [],
        "forgotten": ["CSC-1"],
    }
