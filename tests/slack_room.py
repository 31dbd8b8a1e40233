"""A ledger with one open case, a pretended Slack, and the inbox between them."""

import socket
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import uvicorn
from fastapi import FastAPI

from connectors.slack.channel import SlackChannel
from decisions.board import Board
from decisions.brake import Brake
from decisions.deciding.archive import VerdictArchive
from decisions.delivery import Attempt
from decisions.desk import Desk
from decisions.ledger import Ledger
from decisions.pursuit import Pursuit
from decisions.workspace import Workspace
from flows import sending
from flows.messages import message_for
from flows.settings import Settings
from flows.wiring import Layer
from inbox.slack import slack_router
from tests.samples import batch, definition, matches, people

MIA, BEN, OMAR = "U01MIA", "U01BEN", "U01OMAR"


class Room:
    """A ledger with one open case, CSC-1, which mia holds; she has been told of it in Slack."""

    def __init__(self, folder, slack, clock, *, url=None):
        self.slack, self.clock = slack, clock
        self.people = people()
        ledger = Ledger(url or f"sqlite:///{folder / 'ledger.db'}", clock)
        asked = definition()
        self.layer = Layer(
            settings=Settings(workspace=folder, home=folder),
            workspace=Workspace(
                folder=folder,
                people=self.people,
                connections={},
                decisions={asked.decision: asked},
                warnings=(),
            ),
            ledger=ledger,
            archive=VerdictArchive(folder / "archive"),
            desk=Desk(ledger, self.people),
            board=Board(ledger, self.people),
            brake=Brake(ledger, self.people),
            pursuit=Pursuit(ledger, self.people),
            warehouses={},
            channels={"slack": self._channel(slack, ledger)},
            clock=clock,
        )
        ledger.runs.record(asked, batch(1), matches({"subject": "acme"}), self.people)
        self.deliver()

    def deliver(self):
        outbox = self.layer.ledger.outbox
        for claim in outbox.claim():
            message = message_for(claim, self.people, "http://127.0.0.1:8484")
            attempt = Attempt(claim, message, self.layer.channels, self.people, self.clock())
            outbox.settle(claim, attempt.made())

    def _channel(self, slack, ledger):
        channel = SlackChannel(
            "slack",
            slack.token,
            slack.url,
            signing_secret=slack.signing_secret,
            app_token=slack.app_token,
            clock=self.clock,
        )
        channel.origin = ledger.installations.origin
        return channel

    def through(self, slack):
        """Return the layer with another Slack."""
        return replace(self.layer, channels={"slack": self._channel(slack, self.layer.ledger)})

    def ask(self, *subjects):
        """Have cases opened for more subjects, and told of at Slack's pace."""
        found = matches(*({"subject": each} for each in subjects))
        self.layer.ledger.runs.record(definition(), batch(len(subjects)), found, self.people)
        for _ in subjects:
            self.clock.now += timedelta(seconds=1)
            self.deliver()

    def hire(self, people):
        """Have other people in people.yaml from now on."""
        self.people = people
        workspace = replace(self.layer.workspace, people=people)
        desk = Desk(self.layer.ledger, people)
        self.layer = replace(self.layer, workspace=workspace, desk=desk)

    def answer(self, action, message=None, by=None, **values):
        """Press a button that opens a form, and submit the form."""
        self.slack.press(message or self.card, action, by=by)
        form = self.slack.forms[-1]
        self.slack.submit(form, values)
        return form

    def done(self):
        return self.answer("done")

    @property
    def card(self):
        return self.slack.messages_to(MIA)[0]

    @property
    def dossier(self):
        return self.layer.ledger.cases.dossier("CSC-1")

    @property
    def state(self):
        return self.dossier.case.state

    def last_line(self, user=MIA, place=0):
        """Return how the card closes, once nothing is outdated any more."""
        until = time.monotonic() + 5
        while sending.amend(self.layer) or self.outdated:
            assert time.monotonic() < until, f"{self.outdated} messages stay outdated"
            time.sleep(0.01)
        return self.slack.messages_to(user)[place].blocks[-1]["elements"][-1]["text"]

    def settle(self, holds):
        """Wait until what follows an answer has happened."""
        until = time.monotonic() + 5
        while not holds():
            assert time.monotonic() < until, "it did not come to that"
            time.sleep(0.01)

    @property
    def outdated(self):
        return sum(note.stale_at is not None for note in self.dossier.notifications)

    def told(self, user=MIA, count=1):
        """Return the last private reply, once so many have arrived after the answer itself."""
        until = time.monotonic() + 5
        while len(replies := self.slack.private_replies_to(user)) < count:
            assert time.monotonic() < until, f"{len(replies)} of {count} replies came"
            time.sleep(0.01)
        return replies[-1]


@contextmanager
def served(room):
    """Serve the inbox of a room to its Slack."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        app = FastAPI()
        app.include_router(slack_router(lambda: room.layer))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", ws="none", lifespan="off")
        )
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        room.slack.interactions_to = f"http://127.0.0.1:{port}/slack/interactions"
        room.slack.events_to = f"http://127.0.0.1:{port}/slack/events"
        yield room
        server.should_exit = True
        thread.join()
