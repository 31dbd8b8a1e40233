"""A ledger, people and the pretended Slack around a clock that is moved: what sending needs."""

from types import SimpleNamespace

from connectors.slack.channel import SlackChannel
from connectors.testing import FakeSlack
from decisions.desk import Author, Desk
from decisions.ledger import Ledger
from decisions.links import Links
from decisions.pursuit import Pursuit
from flows.sending import deliver
from flows.settings import Settings
from flows.sweep import escalate
from tests.samples import MovableClock, batch, definition, matches, people

MIA = "U01MIA"


class Sending:
    """A team that is told of its cases through Slack, in time that passes on demand.

    Args:
        url: The ledger.
        changes: Top-level keys of the definition to replace.
    """

    def __init__(self, url, **changes):
        self.clock = MovableClock()
        self.people = people()
        self.slack = FakeSlack(clock=self.clock)
        for key, person in self.people.people.items():
            user = person.slack or f"U02{key.split('.')[0].upper()}"
            self.slack.add_person(user, email=person.email, name=person.name)
        self.slack.__enter__()
        self.ledger = Ledger(url, self.clock)
        self.channel = SlackChannel("slack", self.slack.token, self.slack.url, clock=self.clock)
        self.desk = Desk(self.ledger, self.people)
        self.definition = definition(**changes)
        self.layer = SimpleNamespace(
            ledger=self.ledger,
            clock=self.clock,
            links=Links("k" * 40),
            pursuit=Pursuit(self.ledger, self.people),
            channels={"slack": self.channel},
            workspace=SimpleNamespace(people=self.people),
            settings=Settings(),
        )

    def close(self):
        self.ledger.close()
        self.slack.__exit__()

    def opens(self, *subjects, assignee="mia.chen"):
        rows = [{"subject": name, "assign": assignee} for name in subjects]
        found = matches(*rows)
        return self.ledger.runs.record(self.definition, batch(len(rows)), found, self.people)

    def sweeps(self, times=1, *, seconds=0):
        """Take what is due and hand over, so many times, so much later each time."""
        for _ in range(times):
            self.clock.forward(seconds)
            escalate(self.layer)
            deliver(self.layer)

    def acknowledges(self, key="CSC-1", person="mia.chen"):
        return self.desk.acknowledge(key, Author(person, "slack", f"{key} {person}"))

    def finishes(self, key="CSC-1", person="mia.chen"):
        return self.desk.done(key, Author(person, "slack", f"{key} done"), what="Called them.")

    def notes(self, key="CSC-1"):
        return self.ledger.cases.dossier(key).notifications

    def posted(self):
        """Return how often each delivery stands in Slack."""
        return self.slack.deliveries
