"""Fixtures that several integration tests share."""

import pytest

from tests.room import Room


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
