"""Kills processes at every point, under every fault, and counts what was lost or told twice.

What Slack was told is read from the pretended Slack's own list, never from the ledger alone.
"""

import signal
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy import select

from connectors.testing import FakeSlack
from connectors.testing.control import Control, RemoteSlack
from decisions.ledger import Ledger
from decisions.ledger.records import Answer, Case, Notification
from tests.faults.clock import SharedClock
from tests.faults.crew import FORK, Worker
from tests.faults.place import ASSIGNEES, PEOPLE, TOKEN
from tests.faults.points import POINTS

FAULTS = {
    "none": None,
    "429": ("refuse", {"code": "ratelimited", "status": 429, "retry_after": 30}),
    "cut": ("cut_before_accept", {}),
    "cut, taken": ("cut_after_accept", {}),
    "taken late": ("accept_late", {"seconds": 20}),
    "502": ("answer_html", {"accepted": False}),
    "502, taken": ("answer_html", {"accepted": True}),
    "fatal": ("refuse", {"code": "fatal_error"}),
    "fatal, taken": ("refuse_after_accept", {"code": "fatal_error"}),
}
"""What the pretended Slack does to two calls of a trial."""

METHODS = {"amend": "chat.update", "look": "conversations.history"}
"""The calls that a trial's fault meets, by what the killed process is at; else posts."""

ROUNDS = 12
"""Sweeps after which everything must have come to its end; each is a minute and a half later."""


@dataclass
class Result:
    """What came of the trials of one cell.

    Attributes:
        kills: Processes that were killed there.
        lost: Messages that nobody was sent, and answers that did not count.
        doubled: Messages that somebody was sent twice, or sooner than Slack allows.
        words: What was wrong, in words.
    """

    kills: int = 0
    lost: int = 0
    doubled: int = 0
    words: list[str] = field(default_factory=list)

    def add(self, other):
        """Count another's with this one's."""
        self.kills += other.kills
        self.lost += other.lost
        self.doubled += other.doubled
        self.words += other.words


def cells(seed):
    """Yield pairs of point and fault without end: every point once, each time another fault."""
    faults = list(FAULTS)
    for turn in count(seed):
        for place, point in enumerate(POINTS):
            yield point, faults[(turn + place) % len(faults)]


@contextmanager
def pretended_slack(clock):
    """Yield a Slack in a process of its own."""
    mine, theirs = FORK.Pipe()
    process = FORK.Process(target=_serve, args=(theirs, clock), daemon=True)
    process.start()
    try:
        assert mine.poll(60), "the pretended Slack does not start"
        slack = RemoteSlack(mine.recv())
        for user, person in PEOPLE.people.items():
            name = person.slack or f"U0{user.upper().replace('.', '')[:10]}"
            slack.do("add_person", user=name, email=person.email, name=person.name)
        yield slack
    finally:
        process.kill()
        process.join()


def _serve(answers, clock):
    with FakeSlack(token=TOKEN, clock=clock) as slack:
        Control(slack, clock)
        answers.send(slack.url.removesuffix("/api/"))
        while True:
            answers.recv()


class Matrix:
    """One ledger, one Slack, two processes that live and, in each trial, one that dies.

    Args:
        url: The ledger's address; it is empty.
        slack: The pretended Slack.
        clock: The clock that all share.
        by: The signal that ends the one that dies.
    """

    def __init__(self, url, slack, clock, by=signal.SIGKILL):
        self._by = by
        self._slack = slack
        self._clock = clock
        self._bursts = 0
        self._place = (url, slack.url, clock)
        self._ledger = Ledger(url, clock)
        self._crew = [Worker(self._place) for _ in range(2)]

    def stop(self):
        """End the two that live."""
        for worker in self._crew:
            worker.stop()
        self._ledger.close()

    def trial(self, number, point, fault):
        """Kill one process, let the others end its work, and return what came of it."""
        doing, result = point.split()[0], Result()
        doomed = Worker(self._place, point, self._by)
        try:
            self._together(doomed, doing == "ingest", "ingest", number)
            method = METHODS.get(doing, "chat.postMessage")
            if doing == "look":
                self._slack.do("cut_after_accept", times=2)
            if doing != "amend":
                self._disturb(fault, method)
            self._until_quiet(doomed if doing not in {"step", "answer", "amend"} else None)
            keys = self._keys(number)
            click = (keys[0], ASSIGNEES[0], f"click {number}")
            self._together(doomed, doing == "answer", "answer", *click)
            if doing == "amend":
                self._disturb(fault, method)
            self._until_quiet(doomed if doing == "amend" else None)
            if doing == "step":
                self._clock.forward(4 * 3600)
                self._together(doomed, True, "escalate")
                self._until_quiet(None)
            result.kills = int(not doomed.process.is_alive())
        finally:
            doomed.stop()
            self._slack.do("clear_faults")
        self._crew[0].does("close_cases", *self._keys(number))
        self._until_quiet(None)
        self._judge(number, doing, fault, result)
        return result

    def _together(self, doomed, is_its_work, command, *args):
        """Let the doomed one begin, where it is its work, and the others with it or after it."""
        if is_its_work and doomed.process.is_alive():
            doomed.does(command, *args)
        for worker in self._crew:
            worker.start(command, *args)
        for worker in self._crew:
            worker.ended()

    def _disturb(self, fault, method):
        act = FAULTS[fault]
        if act is not None:
            name, asked = act
            self._slack.do(name, **asked, method=method, times=2)

    def _until_quiet(self, doomed):
        """Sweep, minute after minute, until nothing is left to do."""
        for _ in range(ROUNDS):
            crew = list(self._crew)
            if doomed is not None and doomed.process.is_alive():
                crew.insert(0, doomed)
            for worker in crew:
                worker.start("deliver")
            for worker in crew:
                worker.ended()
            if self._is_quiet():
                return
            self._clock.forward(31)

    def _is_quiet(self):
        table = Notification.__table__.c
        waits = select(table.id).where(table.next_at.is_not(None) | table.stale_at.is_not(None))
        return self._asked(waits.limit(1)) == []

    def _keys(self, number):
        table = Case.__table__.c
        these = table.subject.like(f"t{number:05}-%")
        return [key for (key,) in self._asked(select(table.key).where(these).order_by(table.id))]

    def _asked(self, query):
        with self._ledger.reading() as connection:
            return connection.execute(query).all()

    def _judge(self, number, doing, fault, result):
        keys, told, cases = self._keys(number), Notification.__table__.c, Case.__table__.c
        rows = self._asked(
            select(told.key, told.state, told.channel, told.reference)
            .join(Case.__table__, cases.id == told.case_id)
            .where(cases.key.in_(keys))
        )
        posted = [each for each in self._slack.messages if (each.key or "").split(":")[0] in keys]
        times = Counter(each.key for each in posted)
        references = {f"{each.channel}/{each.ts}" for each in posted}
        kinds = Counter(row.key.rsplit(":", 1)[1] for row in rows)
        lost = [f"{len(ASSIGNEES)} cases were to open, {len(keys)} did"] * (len(keys) != 3)
        lost += [f"nobody was asked of {3 - kinds['asked']} cases"] * (kinds["asked"] != 3)
        lost += [f"{row.key} is {row.state}" for row in rows if row.state != "sent"]
        lost += [f"{row.key} is not in Slack" for row in rows if not times[row.key]]
        lost += [f"{row.key} points elsewhere" for row in rows if row.reference not in references]
        lost += ["a step was not told"] * (doing == "step" and kinds["escalated"] != 2)
        answers = self._asked(
            select(Answer.__table__.c.id).where(Answer.__table__.c.interaction == f"click {number}")
        )
        lost += [f"the answer counts {len(answers)} times"] * (len(answers) != 1)
        doubled = [f"{key} is {n} times in Slack" for key, n in times.items() if n > 1]
        doubled += self._new_bursts(fault)
        result.lost, result.doubled = len(lost), len(doubled)
        result.words = [f"trial {number}: {each}" for each in lost + doubled]

    def _new_bursts(self, fault):
        """Return what came sooner than Slack allows, unless it was Slack that took its time."""
        found = self._slack.breaches[self._bursts :]
        self._bursts += len(found)
        if fault == "taken late":
            return []
        return [f"{each.channel} was posted to after {each.gap}" for each in found]

    def promises(self):
        """Return every promise of the ledger that was broken, in words."""
        return [
            f"{promise.name}: {', '.join(promise.examples)}"
            for promise in self._ledger.audited(PEOPLE)
            if promise.breaches
        ]


def killed(url, kills, seed, *, by=signal.SIGKILL, at_each=lambda *_: None):
    """Kill so many processes over one ledger; return the results by cell, and broken promises.

    Args:
        url: The ledger's address; it is empty.
        kills: How many; a trial whose process never comes to its point is none.
        seed: Which fault the first point begins with.
        by: The signal that they are killed by.
        at_each: Is told of every trial: point, fault, result.
    """
    found, clock = {}, SharedClock()
    with ExitStack() as stack:
        slack = stack.enter_context(pretended_slack(clock))
        matrix = Matrix(url, slack, clock, by)
        stack.callback(matrix.stop)
        trials = enumerate(cells(seed))
        while sum(result.kills for result in found.values()) < kills:
            number, (point, fault) = next(trials)
            result = matrix.trial(number, point, fault)
            found.setdefault((point, fault), Result()).add(result)
            at_each(point, fault, result)
        return found, matrix.promises()
