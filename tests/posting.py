"""A ledger with two pretended channels, whose messages leave at their pace."""

from datetime import timedelta
from types import SimpleNamespace

from decisions.errors import PermanentFailure
from decisions.ledger import Ledger
from decisions.links import Links
from decisions.ports import Pace, Receipt
from flows.sending import deliver
from flows.settings import Settings
from tests.samples import MovableClock, action, batch, definition, matches, people

SECOND = timedelta(seconds=1)
PACE = Pace(each=SECOND, all=SECOND / 4)


class Post:
    """A channel that notes when it was asked for what, and may be made to refuse."""

    def __init__(self, name, clock, pace=None):
        self.name = name
        self.clock = clock
        self.taken = []
        self.tries = []
        self.failure = None
        self.silence = None
        self.unknown = set()
        if pace is not None:
            self.pace = pace

    def deliver(self, message):
        self.tries.append(self.clock())
        if self.failure is not None:
            raise self.failure
        if message.to.person in self.unknown:
            raise PermanentFailure(f"knows no {message.to.person}", connector=self.name)
        self.taken.append((self.clock(), message.to.person, message.case, message.title))
        return Receipt(reference=f"{message.key}", accepted_at=self.clock())

    def find(self, message):
        if self.silence is not None:
            raise self.silence


class Company:
    """A ledger with its channels and nothing else of a layer."""

    def __init__(self, url, *, through=("slack",), pace=PACE):
        self.clock = MovableClock()
        self.ledger = Ledger(url, self.clock)
        self.slack = Post("slack", self.clock, pace)
        self.mail = Post("mail", self.clock)
        self.people = people()
        self.definition = definition(actions={"call": action(through=list(through))})
        self.layer = SimpleNamespace(
            ledger=self.ledger,
            clock=self.clock,
            links=Links("k" * 40),
            channels={"slack": self.slack, "mail": self.mail},
            workspace=SimpleNamespace(people=self.people),
            settings=Settings(),
        )

    def opens(self, count, *assignees):
        rows = [
            {"subject": f"a{n:05}", "assign": assignees[n % len(assignees)]} for n in range(count)
        ]
        self.ledger.runs.record(self.definition, batch(count), matches(*rows), self.people)

    def forward(self, **span):
        self.clock.now += timedelta(**span)
        return deliver(self.layer)
