"""Fixtures that several integration tests share."""

import pytest

from connectors.testing import FakeSlack
from tests.room import Room
from tests.samples import MovableClock
from tests.slack_room import BEN, MIA, OMAR, served
from tests.slack_room import Room as SlackRoom


@pytest.fixture
def make_room(tmp_path):
    rooms = []

    def make(**changes):
        rooms.append(Room(f"sqlite:///{tmp_path / f'{len(rooms)}.db'}", **changes))
        return rooms[-1]

    yield make
    for each in rooms:
        assert each.ledger.verified().breach is None
        each.ledger.close()


@pytest.fixture
def slack_clock():
    return MovableClock()


@pytest.fixture
def larkfield(slack_clock):
    """A pretended Slack with the people of the samples in it, and a guest."""
    with FakeSlack(clock=slack_clock) as slack:
        slack.add_person(MIA, email="mia@larkfield.example", name="Mia Chen")
        slack.add_person(BEN, email="Ben@larkfield.example", name="Ben Okafor")
        slack.add_person(OMAR, email="omar@larkfield.example", name="Omar Haddad")
        slack.add_person("U09GUEST", email="guest@elsewhere.example")
        yield slack


@pytest.fixture
def slack_room(tmp_path, larkfield, slack_clock):
    """One open case that mia was told of in Slack, whose answers reach the inbox."""
    room = SlackRoom(tmp_path, larkfield, slack_clock)
    with served(room):
        yield room
    room.layer.ledger.close()
