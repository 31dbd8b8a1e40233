"""What every process has: a ledger, a channel to the pretended Slack, people, a clock."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace

from connectors.slack.channel import SlackChannel
from decisions.desk import Author, Desk
from decisions.errors import LifecycleError
from decisions.ledger import Ledger
from decisions.links import Links
from decisions.pursuit import Pursuit
from flows import sending, sweep
from flows.settings import Settings
from tests.samples import batch, definition, matches, people

ASSIGNEES = ("mia.chen", "ben.okafor", "omar.haddad")
TOKEN = "xoxb-larkfield-1"
PEOPLE = people()
DEFINITION = definition()


class Company:
    """The work of one process, as its commands call it.

    Args:
        url: The ledger.
        slack: The pretended Slack's API.
        clock: The clock that all processes share.
    """

    def __init__(self, url, slack, clock):
        self.clock = clock
        self.ledger = Ledger(url, clock)
        self.desk = Desk(self.ledger, PEOPLE)
        self.channel = SlackChannel("slack", TOKEN, slack, clock=clock)
        self.layer = SimpleNamespace(
            ledger=self.ledger,
            clock=clock,
            links=Links("k" * 40),
            channels={"slack": self.channel},
            pursuit=Pursuit(self.ledger, PEOPLE),
            workspace=SimpleNamespace(people=PEOPLE),
            settings=Settings(),
        )

    def ingest(self, trial):
        """Decide on one batch of three subjects."""
        subjects = [
            {"subject": f"t{trial:05}-{n}", "assign": who, "scored_at": self.clock()}
            for n, who in enumerate(ASSIGNEES)
        ]
        found = replace(batch(3), fingerprint=f"{trial:064x}")
        self.ledger.runs.record(DEFINITION, found, matches(*subjects), PEOPLE)

    def deliver(self):
        """Hand over what is due, and amend what is outdated."""
        sending.deliver(self.layer)

    def escalate(self):
        """Take the steps that are due."""
        sweep.escalate(self.layer)

    def answer(self, key, person, click):
        """Acknowledge a case."""
        self.desk.acknowledge(key, Author(person, "slack", click))

    def answer_at_once(self, key, how_many, clicks):
        """Answer one case in so many threads, by turns acknowledging, completing, overriding."""

        def answer(number):
            author = Author(
                "dana.reyes", ("slack", "api", "inbox")[number % 3], f"{clicks} {number}"
            )
            try:
                if number % 3 == 0:
                    self.desk.acknowledge(key, author)
                elif number % 3 == 1:
                    self.desk.done(key, author, what="Called them.")
                else:
                    self.desk.override(key, author, reason="data is wrong", note="It is.")
            except LifecycleError:
                return

        with ThreadPoolExecutor(how_many) as threads:
            list(threads.map(answer, range(how_many)))

    def close_cases(self, *keys):
        """Override cases, so that nothing of them is left to do."""
        for key in keys:
            author = Author("dana.reyes", "inbox", f"close {key}")
            self.desk.override(key, author, reason="data is wrong", note="end of trial")


def opened(url, slack, clock, stack: ExitStack):
    """Return a company whose ledger is closed with the stack."""
    company = Company(url, slack, clock)
    stack.callback(company.ledger.close)
    return company
