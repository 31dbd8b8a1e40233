"""Answers over Socket Mode: recorded before they are acknowledged, never lost without a word."""

import sqlite3
from contextlib import closing

import pytest

from connectors.slack.channel import SlackChannel
from connectors.slack.socket import SlackSocket
from decisions.errors import TemporaryFailure
from inbox.slack_socket import slack_sockets
from tests.slack_room import MIA, Room


@pytest.fixture
def room(tmp_path, larkfield, slack_clock):
    room = Room(tmp_path, larkfield, slack_clock)
    with slack_sockets(room.layer) as listening:
        assert listening == ["slack"]
        yield room
    room.layer.ledger.close()


def test_a_press_is_recorded_and_then_acknowledged(room):
    answer = room.slack.press(room.card, "acknowledge")

    assert answer.status == 200
    assert room.state == "acknowledged"
    assert room.told().startswith("CSC-1 is yours; complete it by ")
    assert room.last_line().startswith("Acknowledged by Mia Chen")


def test_a_form_is_answered_in_the_form(room):
    form = room.answer("override", reason="data is wrong")
    assert form.errors["note"].startswith("say in a sentence")

    room.slack.submit(form, {"reason": "data is wrong", "note": "They renewed."})

    assert form.closed
    assert room.state == "overridden"


def test_whoever_opens_the_home_sees_what_waits(room):
    room.slack.open_home(MIA)

    room.settle(lambda: MIA in room.slack.homes)


def test_what_cannot_be_recorded_is_not_acknowledged(room, tmp_path):
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = room.slack.press(room.card, "acknowledge")
        other.execute("ROLLBACK")

    assert answer.status == 504
    assert room.slack.unacknowledged == 1
    assert room.dossier.answers == []


def test_what_was_sent_to_another_app_is_not_acknowledged(room):
    room.slack.press(room.card, "acknowledge")
    room.told()

    content = {"type": "app_home_opened", "user": MIA, "tab": "home"}
    told = {"type": "event_callback", "event": content, "team_id": "T0", "api_app_id": "A0OTHER"}

    assert room.slack.tell(told).status == 504


def test_after_slack_closes_the_connection_another_is_opened(room):
    room.slack.press(room.card, "acknowledge")

    room.slack.disconnect()
    room.settle(lambda: room.slack.connections == 1)

    assert room.answer("done").closed
    assert room.state == "completed"


def test_without_access_the_failure_says_so_and_the_rest_goes_on(room, larkfield, caplog):
    larkfield.refuse("invalid_auth", method="apps.connections.open")

    with slack_sockets(room.layer) as listening:
        assert listening == []
    assert "slack: nobody listens to its buttons" in caplog.text


def test_a_slack_that_does_not_answer_is_a_failure_that_passes(larkfield):
    larkfield.answer_html(method="apps.connections.open")
    socket = SlackSocket("slack", larkfield.app_token, larkfield.url, timeout=5)

    with pytest.raises(TemporaryFailure):
        socket.open(lambda kind, content: None)


def test_without_an_app_token_there_is_no_socket(larkfield):
    assert SlackChannel("slack", larkfield.token, larkfield.url).socket is None
