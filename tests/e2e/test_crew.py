"""Processes side by side on one ledger: they race, stop past their leases, and are terminated."""

import signal
from collections import Counter
from contextlib import ExitStack

import pytest

from connectors.testing.clock import ShiftedClock
from decisions.ledger import Ledger
from decisions.ports import MachineClock
from tests.faults.clock import SharedClock
from tests.faults.crew import Worker
from tests.faults.matrix import killed, pretended_slack
from tests.faults.place import ASSIGNEES


class Yard:
    """A ledger and a pretended Slack, and as many workers as are asked for."""

    def __init__(self, url, stack, clock=None):
        self.clock = clock or SharedClock()
        slack = pretended_slack(ShiftedClock() if clock else self.clock)
        self.slack = stack.enter_context(slack)
        self.ledger = Ledger(url, self.clock)
        stack.callback(self.ledger.close)
        self._place = (url, self.slack.url, self.clock)
        self._stack = stack

    def worker(self, point=None, by=signal.SIGKILL):
        worker = Worker(self._place, point, by)
        self._stack.callback(worker.stop)
        return worker

    def at_once(self, *orders):
        """Give each worker its order, and wait for all of them."""
        for worker, command, *args in orders:
            worker.start(command, *args)
        for worker, *_ in orders:
            assert worker.ended()

    def posted(self):
        return Counter(each.key for each in self.slack.messages)

    def notes(self, key):
        return self.ledger.cases.dossier(key).notifications


@pytest.fixture
def yard(ledger_url):
    with ExitStack() as stack:
        yield Yard(ledger_url, stack)


@pytest.mark.parametrize(
    "point", ["claim after commit", "post in flight", "post after answer", "settle before commit"]
)
def test_a_worker_that_slept_past_its_lease_changes_nothing_when_it_wakes(yard, point):
    sleeper, other = yard.worker(point, signal.SIGSTOP), yard.worker()
    other.does("ingest", 1)
    sleeper.start("deliver")
    if point == "settle before commit":
        # It holds the database's write lock while it sleeps: nobody can go on without it.
        sleeper.sleeps()
    else:
        sleeper.sleeps()
        for _ in range(4):
            yard.clock.forward(91)
            other.does("deliver")
    assert sleeper.wakes()
    for _ in range(3):
        yard.clock.forward(91)
        other.does("deliver")

    assert sorted(yard.posted().values()) == [1] * len(ASSIGNEES)
    assert {note.state for n in (1, 2, 3) for note in yard.notes(f"CSC-{n}")} == {"sent"}
    assert yard.ledger.verified().breach is None


def test_three_processes_together_post_no_more_than_once_a_second_to_one_person(ledger_url):
    with ExitStack() as stack:
        there = Yard(ledger_url, stack, MachineClock())
        crew = [there.worker() for _ in range(3)]
        for trial in range(3):
            crew[0].does("ingest", trial)

        there.at_once(*((worker, "deliver") for worker in crew))

        assert sorted(there.posted().values()) == [1] * 9
        assert there.slack.breaches == []


def test_two_processes_sweep_and_each_step_is_taken_once(yard):
    crew = [yard.worker(), yard.worker()]
    for trial in range(4):
        crew[0].does("ingest", trial)
    yard.at_once(*((worker, "deliver") for worker in crew))
    yard.clock.forward(4 * 3600)

    yard.at_once(*((worker, "escalate") for worker in crew))
    yard.at_once(*((worker, "deliver") for worker in crew))

    steps = [yard.ledger.cases.named(f"CSC-{n}").step for n in range(1, 13)]
    kinds = [[note.kind for note in yard.notes(f"CSC-{n}")] for n in range(1, 13)]
    assert steps == [1] * 12
    assert kinds == [["asked", "escalated"]] * 12
    assert max(yard.posted().values()) == 1


def test_of_a_hundred_who_answer_at_once_from_two_processes_exactly_one_wins(yard):
    crew = [yard.worker(), yard.worker()]
    crew[0].does("ingest", 1)
    crew[0].does("deliver")

    yard.at_once(*((worker, "answer_at_once", "CSC-1", 50, f"w{n}")
                   for n, worker in enumerate(crew)))  # fmt: skip

    answers = yard.ledger.cases.dossier("CSC-1").answers
    closing = [each for each in answers if each.accepted and each.kind != "acknowledge"]
    said = Counter(each.kind for each in answers)
    assert (said["done"], said["override"]) == (34, 32)
    assert said["acknowledge"] <= 34  # to take what one holds already is no answer
    assert len(closing) == 1
    assert sum(each.accepted for each in answers) <= 2  # somebody may have said "I have it" before
    assert all("by Dana Reyes on" in each.told for each in answers if not each.accepted)


def test_an_answer_that_races_a_sweep_leaves_no_card_that_asks_in_vain(yard):
    crew = [yard.worker(), yard.worker()]
    for trial in range(4):
        crew[0].does("ingest", trial)
    yard.at_once(*((worker, "deliver") for worker in crew))
    yard.clock.forward(4 * 3600)

    for n in range(1, 13):
        answer = (crew[0], "answer", f"CSC-{n}", "dana.reyes", f"click {n}")
        yard.at_once(answer, (crew[1], ("escalate", "deliver")[n % 2]))
    for _ in range(4):
        yard.clock.forward(91)
        crew[1].does("deliver")

    shown = {each.key: str(each.blocks) for each in yard.slack.messages}
    for n in range(1, 13):
        assert yard.ledger.cases.named(f"CSC-{n}").state == "acknowledged"
        for note in yard.notes(f"CSC-{n}"):
            told = note.key in shown
            assert told == (note.state == "sent"), note.key
            assert not told or "Acknowledged by Dana Reyes" in shown[note.key], note.key


def test_workers_that_are_terminated_leave_what_the_next_one_resolves(ledger_url):
    found, broken = killed(ledger_url, 10, 3, by=signal.SIGTERM)

    assert broken == []
    assert [words for result in found.values() for words in result.words] == []
