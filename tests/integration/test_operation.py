"""What those who keep it running can ask, and what they are told when nobody works."""

import logging
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from pydantic import SecretStr

from decisions.ledger import Filter
from flows.heartbeat import beat
from flows.settings import Settings
from inbox.app import create_app
from tests.browsing import ACCOUNTS, Browser, company_of
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


@pytest.fixture
def company(tmp_path):
    made = company_of(tmp_path, *ACCOUNTS)
    yield made
    made.layer.ledger.close()


def figures(company):
    """Return every figure that Prometheus would read, by name and labels."""
    browser = company.visited_by("mia.chen")
    browser.get("/")
    browser.get("/nowhere/at/all")
    written = browser.get("/metrics").text
    found = [line.rpartition(" ") for line in written.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in found}


def test_prometheus_reads_depth_age_states_answers_and_latencies(company):
    key = company.layer.ledger.cases.found(Filter())[0].key
    holder = company.layer.ledger.cases.named(key).assignee
    company.visited_by(holder).post(f"/cases/{key}/acknowledge")
    company.layer.ledger.runs.record(
        company.layer.definition("churn-save-call"),
        batch(1),
        matches({"subject": "birch"}),
        company.layer.workspace.people,
    )
    company.clock.now += timedelta(seconds=90)

    found = figures(company)

    assert found['followthrough_due{work="messages"}'] == 1
    assert found['followthrough_oldest_due_seconds{work="messages"}'] == 90
    assert found['followthrough_messages{state="sent"}'] == 3
    assert found['followthrough_messages{state="pending"}'] == 1
    assert found['followthrough_answers_total{kind="acknowledge"}'] == 1
    assert found['followthrough_delivery_seconds{statistic="longest"}'] == 0


def test_answers_of_the_inbox_are_timed_by_route_and_no_address_is_kept(company):
    browser = company.visited_by("mia.chen")
    browser.get("/cases/CSC-1")
    browser.get("/nowhere/at/all")

    written = browser.get("/metrics").text

    assert (
        'followthrough_request_seconds_count{method="GET",route="/cases/{key}",status="200"} 1.0'
        in written
    )
    assert 'route="none",status="404"' in written
    assert "CSC-1" not in written
    assert "nowhere" not in written


def test_deliveries_are_timed_from_queued_to_sent_over_the_last_hour(room):
    room.ledger.runs.record(definition(), batch(1), matches({"subject": "birch"}), room.people)
    room.clock.now += timedelta(minutes=3)
    room.deliver()

    found = room.ledger.pulse.totals(room.clock())

    assert (found.delivered, found.longest_delivery) == (2, timedelta(minutes=3))
    assert found.mean_delivery == timedelta(minutes=1.5)
    assert room.ledger.pulse.totals(room.clock() + timedelta(minutes=58)).delivered == 1
    assert room.ledger.pulse.totals(room.clock() + timedelta(hours=1)).longest_delivery is None


def test_pages_and_the_api_are_told_apart_and_what_breaks_is_counted(company):
    app = create_app(company.layer)

    @app.get("/broken/{key}")
    def broken(key: str) -> None:
        raise RuntimeError(key)

    browser = Browser(app, {"followthrough_person": "mia.chen"})
    for path in ("/cases", "/api/v1/cases", "/broken/CSC-1"):
        browser.get(path)

    written = browser.get("/metrics").text

    for route, status in (("/cases", 200), ("/api/v1/cases", 401), ("/broken/{key}", 500)):
        line = f'_count{{method="GET",route="{route}",status="{status}"}} 1.0'
        assert line in written
