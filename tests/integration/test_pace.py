"""Messages leave at the pace their channel takes them, through storms and repairs."""

import os
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import event

from decisions.errors import OutOfOrder, PermanentFailure, TemporaryFailure, UnknownOutcome
from decisions.ledger import Ledger
from decisions.ports import Receipt
from flows.sending import deliver
from flows.settings import Settings
from tests.posting import PACE, SECOND, Company, Post
from tests.samples import MovableClock


@pytest.fixture
def company(ledger_url):
    made = []

    def make(**changes):
        made.append(Company(ledger_url, **changes))
        return made[-1]

    yield make
    for each in made:
        assert each.ledger.verified().breach is None
        each.ledger.close()


def gaps(instants):
    return [later - earlier for earlier, later in pairwise(instants)]


def test_one_person_hears_no_more_than_once_a_second(company):
    there = company()
    there.opens(6, "mia.chen")

    deliver(there.layer)

    assert gaps([at for at, *_ in there.slack.taken]) == [SECOND] * 5


def test_all_people_together_hear_no_more_than_the_channel_takes(company):
    there = company()
    there.opens(12, "mia.chen", "ben.okafor", "omar.haddad", "dana.reyes")

    deliver(there.layer)

    assert gaps([at for at, *_ in there.slack.taken]) == [SECOND / 4] * 11


def test_a_channel_that_takes_whatever_comes_is_not_waited_for(company):
    there = company(through=("mail",))
    there.opens(6, "mia.chen")

    deliver(there.layer)

    assert {at for at, *_ in there.mail.taken} == {there.clock()}


def test_a_sweep_ends_before_the_next_begins_and_says_what_waits(company):
    there = company()
    there.opens(80, "mia.chen")

    first = deliver(there.layer)

    assert (first.sent, first.waiting) == (51, 29)


def test_two_senders_keep_one_pace(company, ledger_url):
    there = company()
    there.opens(2, "mia.chen")
    other = Ledger(ledger_url, there.clock)

    mine = there.ledger.outbox.claim(most=1, paces=lambda _name: there.slack.pace)
    theirs = other.outbox.claim(most=1, paces=lambda _name: there.slack.pace)
    other.close()

    assert (len(mine), len(theirs)) == (1, 0)


def test_a_sender_that_looks_for_long_before_it_posts_makes_no_burst(company):
    there = company()
    there.opens(2, "mia.chen")
    outbox, pace = there.ledger.outbox, there.slack.pace
    [slow] = outbox.claim(most=1, paces=lambda _name: pace)

    there.clock.now += 5 * SECOND
    [quick] = outbox.claim(most=1, paces=lambda _name: pace)

    assert outbox.is_held(slow)
    assert not outbox.is_held(quick)


def test_what_a_channel_asks_to_wait_keeps_its_order_and_makes_no_burst(company):
    there = company()
    there.opens(8, "mia.chen", "ben.okafor")
    there.slack.failure = TemporaryFailure(
        "429", connector="slack", retry_after=timedelta(minutes=5)
    )
    deliver(there.layer)
    assert len(there.slack.tries) == 1
    there.slack.failure = None

    there.forward(minutes=4)
    assert there.slack.taken == []
    there.forward(minutes=1)

    assert [case for _, _, case, _ in there.slack.taken] == [f"CSC-{n}" for n in range(1, 9)]
    assert min(gaps([at for at, *_ in there.slack.taken])) == SECOND / 4


def test_the_next_route_is_taken_where_a_destination_is_unreachable(company):
    there = company(through=("slack", "mail"))
    there.slack.failure = PermanentFailure("channel_not_found", connector="slack")
    there.opens(1, "mia.chen")

    deliver(there.layer)

    [note] = there.ledger.cases.dossier("CSC-1").notifications
    assert [(person, case) for _, person, case, _ in there.mail.taken] == [("mia.chen", "CSC-1")]
    assert (note.state, note.channel) == ("sent", "mail")


def test_whoever_can_be_told_by_no_route_makes_the_next_step_due_and_alarms(company):
    there = company(through=("slack", "mail"))
    there.slack.unknown = there.mail.unknown = {"mia.chen"}
    there.opens(2, "mia.chen")

    deliver(there.layer)

    dossier = there.ledger.cases.dossier("CSC-1")
    assert [note.state for note in dossier.notifications] == ["unreachable"]
    assert dossier.notifications[0].failure == ("slack: knows no mia.chen; mail: knows no mia.chen")
    assert dossier.case.due_at <= there.clock()
    assert [(person, title) for _, person, _, title in there.slack.taken] == [
        ("lee.park", "churn-save-call: messages do not arrive")
    ]


def test_a_broken_installation_keeps_its_queue_alarms_elsewhere_and_goes_on_by_itself(company):
    there = company()
    there.slack.failure = OutOfOrder(
        "token_revoked", connector="slack", retry_after=timedelta(minutes=5)
    )
    there.opens(5, "mia.chen", "ben.okafor")

    for _ in range(20 * 60 // 5):
        there.forward(minutes=5)

    states = [there.ledger.cases.dossier(f"CSC-{n}").notifications[0].state for n in range(1, 6)]
    assert states == ["pending"] * 5
    assert [turn.name for turn in there.ledger.outbox.paused()] == ["slack"]
    assert [(person, title) for _, person, _, title in there.mail.taken] == [
        ("lee.park", "churn-save-call: messages do not arrive")
    ]

    there.slack.failure = None
    there.forward(minutes=5)

    assert [case for _, _, case, _ in there.slack.taken] == [f"CSC-{n}" for n in range(1, 6)]
    assert there.ledger.outbox.paused() == []


def test_a_message_in_doubt_is_looked_up_twice_before_it_is_sent_again(company):
    there = company()
    there.slack.failure = UnknownOutcome("cut", connector="slack")
    there.opens(1, "mia.chen")
    deliver(there.layer)
    there.slack.failure = None

    tries = []
    for _ in range(3):
        there.forward(seconds=30)
        tries.append(len(there.slack.tries))

    assert tries == [1, 2, 2]


def broken(there):
    return [each.name for each in there.ledger.audited(there.people) if each.breaches]


def test_audit_tells_a_queue_that_waits_for_its_turn_from_one_that_nobody_empties(company):
    there = company()
    there.slack.failure = TemporaryFailure(
        "429", connector="slack", retry_after=timedelta(minutes=5)
    )
    there.opens(2, "mia.chen")
    for _ in range(24):
        there.forward(minutes=5)
    waiting = broken(there)

    there.clock.now += timedelta(hours=2)

    assert waiting == []
    assert broken(there) == ["No message waits while somebody could send it"]


@pytest.mark.parametrize(
    ("policy", "expected"), [("resend", ["mia.chen"]), ("hold", [])], ids=["resent", "held"]
)
def test_what_cannot_be_looked_up_is_repeated_once_or_held(company, policy, expected):
    there = company()
    there.layer.settings = Settings(unconfirmed=policy)
    there.slack.failure = UnknownOutcome("cut", connector="slack")
    there.opens(1, "mia.chen")
    deliver(there.layer)

    def silent(_message):
        raise UnknownOutcome("the history cannot be read", connector="slack")

    there.slack.find = silent
    there.slack.failure = None
    for _ in range(40):
        there.forward(minutes=5)

    assert [person for _, person, *_ in there.slack.taken] == expected


class Strict(Post):
    """A channel that loses whatever comes faster than it takes, and is stormed for an hour."""

    def __init__(self, clock, storm):
        super().__init__("slack", clock, PACE)
        self._begins_at, self._ends_at = storm
        self._last = {}
        self.stormed = 0
        self.lost = []

    def deliver(self, message):
        now, person = self.clock(), message.to.person
        if self._begins_at <= now < self._ends_at:
            self.stormed += 1
            wait = timedelta(seconds=30)
            raise TemporaryFailure("429", connector=self.name, retry_after=wait)
        too_soon = now - self._last.get(person, now - SECOND) < SECOND
        too_many = now - self._last.get("", now - SECOND) < SECOND / 4
        self._last |= {person: now, "": now}
        if too_soon or too_many:
            self.lost.append(message.key)
        self.taken.append((now, person, message.case, message.key))
        return Receipt(reference=message.key, accepted_at=now)


def test_a_long_queue_leaves_at_the_pace_slack_allows_through_an_hour_of_429(tmp_path):
    count, began = int(os.environ.get("QUEUED", "1500")), MovableClock()()
    there = Company(f"sqlite:///{tmp_path / 'ledger.db'}")
    storm = (began + timedelta(minutes=2), began + timedelta(minutes=62))
    slack = there.layer.channels["slack"] = Strict(there.clock, storm)
    engine = there.ledger._store.engine
    engine.dispose()
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
    there.opens(count, *there.people.people)

    while deliver(there.layer).waiting:
        there.clock.wait(10 * SECOND)

    at = [instant for instant, *_ in slack.taken]
    seconds = (at[-1] - at[0]).total_seconds() - 3600
    assert sorted(key for *_, key in slack.taken) == sorted({key for *_, key in slack.taken})
    assert len(slack.taken) == count
    assert slack.lost == []
    assert slack.stormed <= 3600 / 30 + 1
    assert count / 4 <= seconds <= count / 4 * 1.25
    order = [int(case.removeprefix("CSC-")) for _, who, case, _ in slack.taken if who == "mia.chen"]
    assert order == sorted(order)
    there.ledger.close()
