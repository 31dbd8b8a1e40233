"""What those who keep it running can ask, and what they are told when nobody works."""

import logging
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from pydantic import SecretStr

from flows.heartbeat import beat
from flows.settings import Settings
from tests.room import Room
from tests.samples import batch, definition, matches


@pytest.fixture
def monitor():
    asked = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(500 if "broken" in self.path else 200)
            self.end_headers()

        def log_message(self, *_said):
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def settings(address):
    return Settings(heartbeat=SecretStr(address))


def test_every_sweep_gives_a_sign_of_life(monitor):
    address, asked = monitor

    assert beat(settings(f"{address}/ping/s3cret"))
    assert asked == ["/ping/s3cret"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/s3cret", "nonsense://s3cret", "{}/broken"])
def test_a_monitor_that_is_away_stops_nothing_and_its_address_is_not_told(monitor, address, caplog):
    with caplog.at_level(logging.WARNING, "flows.heartbeat"):
        assert not beat(settings(address.format(monitor[0])))

    assert "heartbeat" in caplog.text
    assert "s3cret" not in caplog.text


def test_without_an_address_nothing_is_asked(caplog):
    assert not beat(Settings())
    assert caplog.text == ""


@pytest.fixture
def room(ledger_url):
    room = Room(ledger_url)
    yield room
    room.ledger.close()


def test_what_is_due_is_counted_and_how_long_it_has_been(room):
    room.ledger.runs.record(definition(), batch(1), matches({"subject": "birch"}), room.people)
    room.clock.now += timedelta(minutes=20)

    found = room.ledger.pulse.backlog(room.clock())

    assert (found["messages"].count, found["messages"].oldest) == (1, timedelta(minutes=20))
    assert (found["steps"].count, found["steps"].oldest) == (0, timedelta())


def test_totals_tell_how_everything_stands(room):
    room.desk.acknowledge("CSC-1", room.author("mia.chen"))
    room.desk.done("CSC-1", room.author("mia.chen"), what="Called them.")

    found = room.ledger.pulse.totals(room.clock())

    assert found.messages == {"sent": 1}
    assert found.cases == {"completed": 1}
    assert {kind: n for kind, n in found.answers.items() if n} == {"acknowledge": 1, "done": 1}
