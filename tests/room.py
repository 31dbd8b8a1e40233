"""A desk, a ledger and a channel around open cases, without Prefect and without a workspace."""

from datetime import timedelta
from functools import partial

from decisions.brake import Brake
from decisions.delivery import Attempt, has_lost_its_point
from decisions.desk import Author, Desk
from decisions.ledger import Ledger
from decisions.ports import Addressee, Kind, Message, Receipt
from decisions.pursuit import Pursuit
from tests.samples import MovableClock, batch, definition, matches, people


class Listening:
    """A channel that takes every message, unless it is told to fail."""

    name = "slack"

    def __init__(self, clock):
        self.heard = []
        self.failure = None
        self.silence = None
        self.leads = []
        self._clock = clock

    def deliver(self, message):
        if self.failure is not None:
            raise self.failure
        self.leads.append(message.lead)
        self.heard.append((message.to.person, message.kind))
        return Receipt(reference=message.key, accepted_at=self._clock())

    def find(self, message):
        if self.silence is not None:
            raise self.silence


class Room:
    """A desk, a ledger and a channel around one open case, CSC-1, which mia holds."""

    def __init__(self, url, *, cover=(), failure=None, **changes):
        self.clock = MovableClock()
        self.url = url
        self.people = people(cover=list(cover))
        self.ledger = Ledger(url, self.clock)
        self.desk = Desk(self.ledger, self.people)
        self.pursuit = Pursuit(self.ledger, self.people)
        self.brake = Brake(self.ledger, self.people)
        self.definition = definition(**changes)
        self.channel = Listening(self.clock)
        self.channel.failure = failure
        self.clicks = 0
        self.decide("acme")
        self.deliver()

    def author(self, person, interaction=None):
        self.clicks += 1
        return Author(person, "inbox", interaction or f"click-{self.clicks}")

    def decide(self, *subjects):
        found = matches(*({"subject": subject} for subject in subjects))
        return self.ledger.runs.record(self.definition, batch(len(subjects)), found, self.people)

    def halt(self):
        return self.brake.halt(
            self.definition, self.author("dana.reyes"), because="The scores are wrong."
        )

    def resume(self):
        return self.brake.resume(self.definition, self.author("lee.park"))

    def deliver(self):
        while claims := self.ledger.outbox.claim(most=1):
            claim = claims[0]
            if has_lost_its_point(claim):
                self.ledger.outbox.drop(claim)
                continue
            person = claim.notification.recipient
            message = Message(
                key=claim.notification.key,
                kind=Kind(claim.notification.kind),
                to=Addressee(person=person, name=person, email="x@y.z", zone="UTC"),
                decision="churn-save-call",
                title="Call acme",
                why="it may leave",
                owner="Dana Reyes",
            )
            is_held = partial(self.ledger.outbox.is_held, claim)
            channels = {"slack": self.channel}
            attempt = Attempt(claim, message, channels, self.people, self.clock(), is_held)
            self.ledger.outbox.settle(claim, attempt.made())

    def forward(self, **span):
        self.clock.now += timedelta(**span)
        for key in self.ledger.cases.due(self.clock()):
            self.pursuit.take_step(key)
        self.deliver()

    @property
    def case(self):
        return self.ledger.cases.named("CSC-1")

    @property
    def dossier(self):
        return self.ledger.cases.dossier("CSC-1")

    def heard(self):
        said, self.channel.heard = self.channel.heard, []
        return said

    def forget(self, person):
        """Take somebody out of people.yaml, roles and cover left as they are."""
        known = self.people.people
        left = {key: who for key, who in known.items() if key != person}
        self.people = self.people.model_copy(update={"people": left})
        self.desk = Desk(self.ledger, self.people)
        self.pursuit = Pursuit(self.ledger, self.people)
