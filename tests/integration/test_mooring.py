"""F44: one ledger, one Slack app; a process does not start on an app that another ledger uses."""

from datetime import timedelta

import pytest

from connectors.testing import FakeSlack
from decisions.errors import PermanentFailure
from decisions.ports import Condition
from flows.mooring import examined, moor
from tests.samples import MovableClock
from tests.slack_room import MIA, Room


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def slack(clock):
    with FakeSlack(clock=clock) as slack:
        slack.add_person(MIA, email="mia@larkfield.example")
        yield slack


@pytest.fixture
def open_room(tmp_path, slack, clock):
    rooms = []

    def opened(name, **changes):
        clock.now += timedelta(seconds=2)
        folder = tmp_path / name
        folder.mkdir()
        rooms.append(Room(folder, changes.get("slack", slack), clock))
        return rooms[-1]

    yield opened
    for room in rooms:
        room.layer.ledger.close()


def known(room):
    found = room.layer.ledger.installations.of("slack")
    return found and (found.app, found.team)


def test_the_first_start_records_which_app_it_is(open_room):
    room = open_room("production")

    moor(room.layer)
    moor(room.layer)

    assert known(room) == ("A0FOLLOW", "T0LARKFIELD")
    assert len(room.layer.ledger.entries_of("connection slack")) == 1


@pytest.mark.parametrize(
    "other", [{"app": "A0OTHER"}, {"team": "T0OTHER"}], ids=["app", "workspace"]
)
def test_the_token_of_another_app_is_refused_and_both_are_named(open_room, clock, other):
    room = open_room("production")
    moor(room.layer)
    with FakeSlack(clock=clock, **other) as elsewhere:
        elsewhere.add_person(MIA, email="mia@larkfield.example")
        room.layer = room.through(elsewhere)

        with pytest.raises(PermanentFailure, match="this ledger speaks through app A0FOLLOW in"):
            moor(room.layer)
        moor(room.layer, take_over=True)
        moor(room.layer)

    assert known(room) == (other.get("app", "A0FOLLOW"), other.get("team", "T0LARKFIELD"))


def test_two_ledgers_on_one_app_are_refused_and_the_other_is_named(open_room):
    production = open_room("production")
    development = open_room("development")

    with pytest.raises(PermanentFailure, match=r"another ledger .* told Mia Chen something"):
        moor(development.layer)
    with pytest.raises(PermanentFailure, match="two processes on one app take each other's"):
        moor(production.layer)
    assert known(development) is None


@pytest.mark.parametrize(("hours", "is_refused"), [(24, True), (24.01, False)])
def test_a_ledger_that_has_been_silent_for_a_day_is_gone(open_room, clock, hours, is_refused):
    open_room("production")
    spoke_at = clock.now
    development = open_room("development")

    clock.now = spoke_at + timedelta(hours=hours)

    if is_refused:
        with pytest.raises(PermanentFailure):
            moor(development.layer)
    else:
        moor(development.layer)


def test_whoever_takes_over_is_refused_again_once_the_other_goes_on(open_room, clock):
    production, development = open_room("production"), open_room("development")
    moor(development.layer, take_over=True)
    moor(development.layer)

    clock.now += timedelta(hours=1)
    production.ask("birch")

    with pytest.raises(PermanentFailure, match="another ledger"):
        moor(development.layer)


def test_a_slack_that_does_not_answer_stops_nobody(open_room, slack, caplog):
    room = open_room("production")
    slack.answer_html(method="auth.test")

    moor(room.layer)

    assert "whose app it is was not found out" in caplog.text
    assert known(room) is None


def test_the_doctor_says_whose_app_it_is_and_records_nothing(open_room):
    alone = open_room("production")
    found = examined(alone.layer, alone.layer.channels["slack"])
    assert (found.about, found.found) == (
        "slack: app",
        "A0FOLLOW in T0LARKFIELD, this ledger's alone",
    )
    assert known(alone) is None

    second = open_room("development")

    found = examined(second.layer, second.layer.channels["slack"])
    assert found.condition is Condition.FAULTY
    assert found.advice.startswith("make an app of its own for each ledger")
