"""The world of the stories: real flows on a real Prefect server, a real ledger, a movable clock."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

from decisions.desk import Author
from decisions.ports import Receipt
from decisions.release import Placing
from flows import wiring
from flows.settings import Settings
from tests.samples import MONDAY, MovableClock, definition, people


@pytest.fixture(scope="session")
def prefect_server():
    """One server and one event loop for all stories: Prefect keeps connections of both open."""
    quiet = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}
    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings(quiet),
        asyncio.Runner() as runner,
    ):
        yield runner


class Listening:
    """A channel that takes every message and remembers who heard what."""

    name = "slack"

    def __init__(self, clock):
        self._clock = clock
        self.messages = []

    def deliver(self, message):
        self.messages.append(message)
        return Receipt(reference=message.key, accepted_at=self._clock())

    def find(self, message):
        return None


class World:
    """A workspace with one decision, its warehouse, its people, and time that passes on demand."""

    def __init__(self, folder, runner):
        self.folder = folder
        self._runner = runner
        self.clock = MovableClock()
        self.channel = Listening(self.clock)
        self._clicks = 0
        self._write("people.yaml", people().model_dump(mode="json", exclude_defaults=True))
        connections = {
            "warehouse": {"type": "duckdb", "path": "warehouse.duckdb"},
            "slack": {"type": "slack", "token": "${FOLLOWTHROUGH_NO_SUCH_TOKEN}"},
        }
        self._write("connections.yaml", connections)
        self.warehouse("CREATE TABLE scores (account_id VARCHAR, risk DOUBLE, arr DOUBLE, "
                       "account_manager VARCHAR, scored_at TIMESTAMPTZ)")  # fmt: skip
        self.decides()

    def decides(self, **changes):
        """Write the decision with other keys, and read the workspace anew."""
        said = definition(**changes)
        self._write(
            "churn-save-call.yaml",
            said.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        )
        settings = Settings(workspace=self.folder, home=self.folder / "home")
        self.layer = replace(
            wiring.assemble(settings, self.clock), channels={"slack": self.channel}
        )

    def _write(self, name, content):
        (self.folder / name).write_text(json.dumps(content))

    def warehouse(self, *statements):
        """Write to the company's own database."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as engine:
            engine.execute("SET TimeZone = 'UTC'")
            for statement in statements:
                engine.execute(statement)

    def scores(self, *accounts, risk=0.9, manager="mia.chen"):
        """Replace the batch by one that scores these accounts now."""
        rows = ", ".join(
            f"('{account}', {risk}, 1000, '{manager}', TIMESTAMPTZ '{self.clock():%F %T}Z')"
            for account in accounts
        )
        self.warehouse("DELETE FROM scores", f"INSERT INTO scores VALUES {rows}")

    def releases(self, by="sam.ortiz", **told):
        """Put what the file says before its owners."""
        written = self.layer.definition("churn-save-call")
        return self.layer.board.release(written, self.says(by), **told)

    def signs(self, *persons):
        """Let people sign the version released last."""
        for person in persons:
            ruling = self.layer.board.sign("churn-save-call", self.says(person))
        return ruling

    def stages(self, placing, by="dana.reyes"):
        """Move the version signed last."""
        author = self.says(by)
        return self.layer.board.stage("churn-save-call", Placing.parse(placing), author)

    def halts(self, by="dana.reyes"):
        """Let an owner stop the decision."""
        written = self.layer.definition("churn-save-call")
        return self.layer.brake.halt(written, self.says(by), because="The scores are wrong.")

    def resumes(self, by="lee.park"):
        """Let the decision go on."""
        return self.layer.brake.resume(self.layer.definition("churn-save-call"), self.says(by))

    def runs(self, flow, *args):
        """Run a flow as Prefect would."""
        with wiring.using(self.layer):
            return self._runner.run(flow(*args))

    def opens(self, *accounts):
        """Score the accounts, decide, and tell."""
        from flows.decide import decide
        from flows.dispatch import dispatch

        self.scores(*accounts)
        decided = self.runs(decide, "churn-save-call")
        self.runs(dispatch)
        return decided

    def forward(self, **span):
        """Let time pass, then run the every-minute sweep once."""
        from flows.dispatch import dispatch

        self.clock.now += timedelta(**span)
        return self.runs(dispatch)

    def heard_by(self, person):
        """Return what a person heard since the last time this was asked."""
        mine = [message for message in self.channel.messages if message.to.person == person]
        self.channel.messages = [m for m in self.channel.messages if m not in mine]
        return [f"{message.lead}: {message.title}" if message.lead else message.title
                for message in mine]  # fmt: skip

    def says(self, person):
        """Return the author of an answer that this person is about to give."""
        self._clicks += 1
        return Author(person, "inbox", f"click-{self._clicks}")

    def state(self, key="CSC-1"):
        """Return where a case stands."""
        return self.layer.ledger.cases.named(key).state


@pytest.fixture
def world(tmp_path, prefect_server):
    made = World(tmp_path, prefect_server)
    made.clock.now = MONDAY
    yield made
    assert made.layer.ledger.verified().breach is None
    made.layer.ledger.close()
