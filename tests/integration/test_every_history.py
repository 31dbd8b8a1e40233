"""Whatever happens to cases, in whatever order, what is promised of them holds after each step."""

import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from decisions.desk import Author, Desk
from decisions.errors import LifecycleError, PermanentFailure, TemporaryFailure, UnknownOutcome
from decisions.ledger import Filter
from decisions.ports import Kind, Receipt
from tests.room import Room
from tests.samples import MONDAY

PERSONS = ("mia.chen", "ben.okafor", "omar.haddad", "dana.reyes")
SPANS = (timedelta(seconds=31), timedelta(minutes=5), timedelta(hours=4), timedelta(days=2))


class Slack:
    """A channel that takes, refuses, or takes and says nothing; it remembers what it took."""

    name = "slack"

    def __init__(self, clock):
        self._clock = clock
        self.mood = "ok"
        self.taken = []
        self.heard = []
        self.leads = []
        self.failure = self.silence = None

    def deliver(self, message):
        if self.mood == "refused":
            raise PermanentFailure("user_disabled", connector=self.name)
        if self.mood == "wait":
            raise TemporaryFailure("429", connector=self.name, retry_after=timedelta(minutes=1))
        if self.mood != "cut":
            self.taken.append(message.key)
        if self.mood in {"cut", "silent"}:
            raise UnknownOutcome("no answer", connector=self.name)
        return Receipt(reference=message.key, accepted_at=self._clock())

    def find(self, message):
        if message.key in self.taken:
            return Receipt(reference=message.key, accepted_at=self._clock())
        return None


class EveryHistory(RuleBasedStateMachine):
    """Opens, tells, answers, waits, halts: the promises are asked after every step."""

    @initialize()
    def begin(self):
        self.folder = tempfile.mkdtemp(prefix="history")
        self.room = Room(f"sqlite:///{Path(self.folder) / 'ledger.db'}")
        self.room.channel = Slack(self.room.clock)
        self.subjects = 1
        self.steps = {}
        self.halted = False

    def teardown(self):
        if hasattr(self, "room"):
            assert self.room.ledger.verified().breach is None
            self.room.ledger.close()
            shutil.rmtree(self.folder)

    @rule(count=st.integers(1, 2))
    @precondition(lambda self: not self.halted)
    def opens(self, count):
        names = [f"s{self.subjects + n}" for n in range(count)]
        self.subjects += count
        self.room.decide(*names)

    @rule()
    @precondition(lambda self: not self.halted)
    def runs_again(self):
        before = len(self.cases())
        self.room.decide(*(f"s{n}" for n in range(1, self.subjects)))
        assert len(self.cases()) >= before

    @rule(mood=st.sampled_from(["ok", "refused", "wait", "cut", "silent"]))
    def delivers(self, mood):
        self.room.channel.mood = mood
        self.room.deliver()

    @rule(span=st.sampled_from(SPANS))
    def time_passes(self, span):
        self.room.clock.now += span
        self.escalates()

    @rule()
    def escalates(self):
        for key in self.room.ledger.cases.due(self.room.clock()):
            self.room.pursuit.take_step(key)

    @rule()
    @precondition(lambda self: self.room.clock.now > MONDAY + timedelta(minutes=1))
    def the_clock_is_set_back(self):
        self.room.clock.now -= timedelta(minutes=1)
        before = {case.key: case.step for case in self.cases()}
        self.escalates()
        later = {case.key: case.step for case in self.cases()}
        assert all(later[key] <= step + 1 for key, step in before.items())

    @rule(
        place=st.integers(0, 20),
        person=st.sampled_from(PERSONS),
        move=st.sampled_from(["acknowledge", "override", "done", "snooze", "reassign"]),
        twice=st.booleans(),
    )
    def somebody_answers(self, place, person, move, twice):
        case = self.cases()[place % len(self.cases())]
        author = self.room.author(person)
        before = Counter(a.accepted for a in self.answers(case.key))
        for _ in range(2 if twice else 1):
            with suppress(LifecycleError):
                self.answer(case.key, author, move)
        after = Counter(a.accepted for a in self.answers(case.key))
        assert sum(after.values()) - sum(before.values()) <= 1
        state = self.room.ledger.cases.named(case.key).state
        if case.state in {"completed", "overridden", "unanswered"}:
            assert (state, after[True]) == (case.state, before[True])

    def answer(self, key, author: Author, move):
        desk: Desk = self.room.desk
        match move:
            case "acknowledge":
                desk.acknowledge(key, author)
            case "override":
                desk.override(key, author, reason="data is wrong", note="It is.")
            case "done":
                desk.done(key, author, what="Called them.")
            case "snooze":
                desk.snooze(key, author, until=self.room.clock() + timedelta(hours=1))
            case "reassign":
                desk.reassign(key, author, to="ben.okafor", note="She is away.")

    @rule()
    def an_owner_halts_or_resumes(self):
        if self.halted:
            self.room.resume()
        else:
            self.room.halt()
        self.halted = not self.halted

    @rule()
    def amends(self):
        for outdated in self.room.ledger.amendments.claim(most=5):
            self.room.ledger.amendments.settle(outdated, again_at=None)

    @rule()
    @precondition(lambda self: not self.halted)
    def nothing_passes_while_halted(self):
        self.room.halt()
        before = list(self.room.channel.taken)
        self.room.channel.mood = "ok"
        self.room.deliver()
        told = [key for key in self.room.channel.taken if key not in before]
        assert [key for key in told if f":{Kind.HALTED}" not in key] == []
        self.room.resume()

    def cases(self):
        return sorted(
            self.room.ledger.cases.found(Filter(states=None), most=500), key=lambda case: case.id
        )

    def answers(self, key):
        return self.room.ledger.cases.dossier(key).answers

    @invariant()
    def nobody_is_told_twice(self):
        if hasattr(self, "room"):
            taken = Counter(self.room.channel.taken)
            assert [key for key, times in taken.items() if times > 1] == []

    @invariant()
    def what_is_promised_holds(self):
        if not hasattr(self, "room"):
            return
        broken = [
            (promise.name, promise.examples)
            for promise in self.room.ledger.audited(self.room.people)
            if promise.breaches and not promise.name.startswith("No message waits")
        ]
        assert broken == []

    @invariant()
    def steps_are_taken_one_at_a_time(self):
        if not hasattr(self, "room"):
            return
        for case in self.cases():
            cycle, step = self.steps.get(case.key, (case.cycle, 0))
            assert case.cycle > cycle or case.step <= step + 1
            self.steps[case.key] = case.cycle, case.step


EveryHistory.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestEveryHistory = EveryHistory.TestCase
