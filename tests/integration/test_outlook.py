"""What is foretold of a case is what then happens to it."""

from datetime import timedelta

import pytest

from decisions.outlook import Event, outlook
from tests.samples import MONDAY, action

COVER = [
    {
        "of": "omar.haddad",
        "by": "dana.reyes",
        "from": "2026-11-16",
        "until": "2026-11-17",
        "because": "leave",
    }
]


def ahead(room):
    found = room.dossier
    return outlook(
        found.case, found.definition, found.notifications, people=room.people, now=room.clock()
    )


def told(coming):
    return [(one.at, one.to) for one in coming if one.event in {Event.TOLD, Event.ASKED}]


def happens(room, *, hours):
    """Let the hours pass, one at a time, and return who was told when."""
    heard = []
    room.heard()
    for _ in range(hours):
        room.forward(hours=1)
        heard += [(room.clock(), person) for person, _ in room.heard()]
    return heard


POLICIES = {
    "elapsed": {},
    "working-time": {
        "respond_within": "2 working hours",
        "escalate": [
            {"after": "1 working day", "to": "assignee.manager"},
            {"after": "6 working hours", "to": "business"},
        ],
    },
    "no-steps": {"escalate": []},
    "kept-open": {"unanswered": "keep open"},
}


@pytest.mark.parametrize("cover", [[], COVER], ids=["all-there", "manager-away"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_of_an_open_case_everything_comes_as_foretold(make_room, policy, cover):
    room = make_room(actions={"call": action(**policy)}, cover=cover)
    foretold = ahead(room)

    assert happens(room, hours=24 * 5) == told(foretold)
    closes = [one.at for one in foretold if one.event is Event.CLOSED]
    assert [room.case.closed_at] == (closes or [None])


def test_of_an_acknowledged_case_the_reminder_and_the_climb_are_foretold(make_room):
    room = make_room()
    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    foretold = ahead(room)

    assert [one.to for one in foretold if one.to] == ["mia.chen", "omar.haddad", "dana.reyes"]
    assert happens(room, hours=24 * 4) == told(foretold)


@pytest.mark.parametrize("acknowledged", [False, True], ids=["open", "acknowledged"])
def test_of_a_snoozed_case_its_waking_is_foretold(make_room, acknowledged):
    room = make_room()
    if acknowledged:
        room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    until = MONDAY + timedelta(hours=30)
    room.desk.snooze("CSC-1", room.author("mia.chen"), until=until)
    foretold = ahead(room)

    assert foretold[0].at == until
    assert happens(room, hours=24 * 5) == told(foretold)


def test_what_is_overdue_comes_now_and_one_step_at_a_time(make_room):
    room = make_room()
    room.clock.now += timedelta(days=10)
    foretold = ahead(room)

    assert foretold[0].at == room.clock()
    assert foretold[1].at == room.clock() + timedelta(hours=8)


def test_of_a_case_that_is_done_nothing_is_to_come(make_room):
    room = make_room()
    room.desk.done("CSC-1", room.author("mia.chen"), what="Called them.")

    assert ahead(room) == []
