"""Messages that meet trouble on their way, and are told after all or given up in the open."""

from datetime import timedelta
from itertools import pairwise

import pytest

from decisions.brake import Brake
from decisions.delivery import REPEATED, Attempt
from decisions.desk import Author
from decisions.errors import OutOfOrder, TemporaryFailure, UnknownOutcome
from decisions.ports import Message
from flows.messages import addressee, message_for
from flows.sending import deliver
from tests.posting import Company

CUT = UnknownOutcome("cut", connector="slack")
SILENT = UnknownOutcome("cannot be asked", connector="slack")
BUSY = TemporaryFailure("busy", connector="slack")
REVOKED = OutOfOrder("token_revoked", connector="slack", retry_after=timedelta(minutes=5))


@pytest.fixture
def company(tmp_path):
    made = []

    def make(**changes):
        made.append(Company(f"sqlite:///{tmp_path / f'{len(made)}.db'}", **changes))
        return made[-1]

    yield make
    for each in made:
        assert each.ledger.verified().breach is None
        each.ledger.close()


def report(there):
    message = Message(
        key="report:1:mia.chen",
        kind="reported",
        to=addressee("mia.chen", there.people),
        decision="churn-save-call",
        title="It helped",
        why="by 3 points",
        owner="Dana Reyes",
    )
    there.ledger.outbox.announce(1, {"owner": message})
    return message


def written(claim, there):
    return message_for(claim, there.people, "http://127.0.0.1:8484")


def tried(there, claim, **changes):
    channels, now = there.layer.channels, there.clock()
    return Attempt(claim, written(claim, there), channels, there.people, now, **changes).made()


def held(there):
    """Claim what is due and find that it may not leave just now."""
    [claim] = there.ledger.outbox.claim(most=1)
    there.ledger.outbox.settle(claim, tried(there, claim, is_held=lambda: True))


def test_a_report_that_is_held_is_told_as_it_was_written(company):
    there = company()
    there.opens(1, "mia.chen")
    deliver(there.layer)
    report(there)
    there.clock.forward(1)

    held(there)
    there.forward(seconds=1)

    assert [title for *_, title in there.slack.taken][1:] == ["It helped"]


def note(there, place=0, case="CSC-1"):
    return there.ledger.cases.dossier(case).notifications[place]


def passes(there, *, until, every):
    for _ in range(until // every):
        there.forward(seconds=every.total_seconds())


DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def test_where_nobody_can_be_asked_it_is_repeated_ever_more_seldom_for_a_day(company):
    there = company()
    there.slack.failure, there.slack.silence = CUT, SILENT
    there.opens(1, "mia.chen")

    passes(there, until=DAY + 14 * HOUR, every=MINUTE)

    waits = [later - earlier for earlier, later in pairwise(there.slack.tries[:8])]
    assert waits == sorted(waits)
    assert (waits[0] < 5 * MINUTE, waits[-1] > HOUR) == (True, True)
    assert 7 <= note(there).repeats <= 10
    assert note(there).state == "dead"


def test_where_nobody_can_be_asked_the_next_connection_is_taken_after_one_repeat(company):
    there = company(through=("slack", "mail"))
    there.slack.failure, there.slack.silence = CUT, SILENT
    there.opens(1, "mia.chen")

    passes(there, until=10 * MINUTE, every=timedelta(seconds=30))

    assert len(there.slack.tries) == 2
    assert len(there.mail.taken) == 1
    assert note(there).message["lead"] == REPEATED
    assert (note(there).state, note(there).channel) == ("sent", "mail")


def test_a_weekend_without_a_worker_costs_no_message_its_patience(company):
    there = company()
    there.opens(1, "mia.chen")
    there.slack.failure = BUSY

    there.forward(days=3)
    assert note(there).state == "pending"
    there.slack.failure = None
    there.forward(minutes=1)

    assert note(there).state == "sent"


def test_a_message_of_unknown_outcome_is_looked_up_before_it_counts_as_not_told(company):
    there = company()
    there.slack.failure = BUSY
    there.opens(1, "mia.chen")
    passes(there, until=DAY - HOUR, every=10 * MINUTE)
    there.slack.failure = CUT

    there.forward(hours=2)
    assert note(there).state == "unknown"
    there.forward(minutes=1)
    assert note(there).state == "unknown"
    there.forward(minutes=1)

    assert note(there).state == "dead"


def test_a_history_that_says_now_nothing_and_now_no_ends_in_a_repeat(company):
    there = company()
    there.slack.failure = CUT
    there.opens(1, "mia.chen")
    deliver(there.layer)
    there.slack.failure = None

    for silence in (None, SILENT, None):
        there.slack.silence = silence
        there.forward(minutes=1)

    assert (note(there).state, note(there).repeats) == ("sent", 1)


def test_a_repeat_that_has_to_wait_still_says_that_it_is_one(company):
    there = company()
    there.slack.failure = CUT
    there.opens(1, "mia.chen")
    deliver(there.layer)
    there.forward(seconds=30)
    there.slack.failure = BUSY
    there.forward(seconds=30)
    there.slack.failure = None

    there.forward(minutes=1)

    assert note(there).message["lead"] == REPEATED


def test_being_held_counts_as_no_failure(company):
    there = company()
    there.opens(1, "mia.chen")
    for _ in range(5):
        held(there)
    there.slack.failure = BUSY

    there.forward(seconds=1)

    assert (note(there).failures, note(there).next_at) == (1, there.slack.tries[-1] + MINUTE)


def test_being_held_forgets_nothing_of_what_an_earlier_connection_said(company):
    there = company(through=("slack", "mail"))
    there.slack.unknown = {"mia.chen"}
    there.opens(1, "mia.chen")
    [claim] = there.ledger.outbox.claim(most=1)
    there.ledger.outbox.settle(claim, tried(there, claim))

    held(there)

    assert "knows no mia.chen" in note(there).failure


class TestAChannelOutOfOrder:
    def test_the_next_connection_carries_everything_on_and_the_first_is_tried_now_and_then(
        self, company
    ):
        there = company(through=("slack", "mail"))
        there.slack.failure = REVOKED
        there.opens(6, "mia.chen", "ben.okafor")

        passes(there, until=MINUTE, every=timedelta(seconds=10))

        assert len(there.slack.tries) == 1
        assert sorted(case for *_, case, _ in there.mail.taken if case) == [
            f"CSC-{n}" for n in range(1, 7)
        ]
        there.slack.failure = None
        there.clock.forward(300)
        there.opens(8, "omar.haddad")
        there.forward(seconds=5)
        assert there.ledger.outbox.paused() == []

    def test_what_waited_for_its_turn_goes_by_the_next_connection_too(self, company):
        there = company(through=("slack", "mail"))
        there.opens(70, "mia.chen")
        deliver(there.layer)
        assert there.ledger.outbox.waiting() > 0
        there.slack.failure = REVOKED

        passes(there, until=MINUTE, every=timedelta(seconds=10))

        assert there.ledger.outbox.waiting() == 0

    def test_after_a_day_everything_that_waits_for_it_counts_as_not_told(self, company):
        there = company()
        there.slack.failure = REVOKED
        there.opens(5, "mia.chen", "ben.okafor")

        passes(there, until=DAY - HOUR, every=10 * MINUTE)
        assert {note(there, case=f"CSC-{n}").state for n in range(1, 6)} == {"pending"}
        passes(there, until=2 * HOUR, every=10 * MINUTE)

        assert {note(there, case=f"CSC-{n}").state for n in range(1, 6)} == {"dead"}
        dossier = there.ledger.cases.dossier("CSC-5")
        assert dossier.case.due_at <= there.clock()
        assert sorted({title for *_, title in there.mail.taken}) == [
            "churn-save-call: messages do not arrive"
        ]

    def test_it_is_alarmed_although_an_alarm_is_the_first_to_meet_it(self, company):
        there = company()
        there.opens(1, "mia.chen")
        there.slack.unknown = {"mia.chen"}
        [claim] = there.ledger.outbox.claim(most=1)
        there.ledger.outbox.settle(claim, tried(there, claim))
        there.slack.failure = REVOKED

        there.forward(seconds=1)

        assert [person for _, person, *_ in there.mail.taken] == ["lee.park"]

    def test_it_is_alarmed_although_word_of_a_halt_is_the_first_to_meet_it(self, company):
        there = company()
        there.opens(1, "mia.chen")
        deliver(there.layer)
        there.slack.failure = REVOKED
        author = Author("dana.reyes", "inbox", "1")
        Brake(there.ledger, there.people).halt(there.definition, author, because="Wrong scores.")

        there.forward(seconds=1)

        assert [title for *_, title in there.mail.taken] == [
            "churn-save-call: messages do not arrive"
        ]
