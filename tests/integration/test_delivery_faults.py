"""What becomes of a message under every fault that the pretended Slack can put in its way."""

from collections import Counter
from datetime import timedelta

import pytest

from flows.recounting import recounted
from tests.sending import MIA, Sending

ASKED = "CSC-1:0:0:mia.chen:asked"
SECOND = timedelta(seconds=1)
REPEAT = "Repeat: the first message could not be confirmed"


@pytest.fixture
def sending(tmp_path):
    rooms = []

    def make(**changes):
        rooms.append(Sending(f"sqlite:///{tmp_path / f'{len(rooms)}.db'}", **changes))
        return rooms[-1]

    yield make
    for each in rooms:
        assert each.ledger.verified().breach is None
        each.close()


def only(room):
    [note] = room.notes()
    return note


@pytest.mark.parametrize(
    "disturb",
    [
        pytest.param(lambda slack: slack.cut_before_accept(), id="cut-before"),
        pytest.param(lambda slack: slack.cut_after_accept(), id="cut-after"),
        pytest.param(lambda slack: slack.answer_html(500), id="500"),
        pytest.param(lambda slack: slack.answer_html(502, accepted=True), id="502-taken"),
        pytest.param(lambda slack: slack.answer_html(503), id="503"),
        pytest.param(lambda slack: slack.answer_raw(b'{"ok": tr', length=40), id="truncated"),
        pytest.param(lambda slack: slack.answer_raw(b"<html>"), id="200-html"),
    ],
)
def test_an_answer_that_says_nothing_ends_in_exactly_one_message(sending, disturb):
    room = sending()
    disturb(room.slack)
    room.opens("acme")

    room.sweeps()
    assert only(room).state == "unknown"
    room.sweeps(3, seconds=30)

    assert only(room).state == "sent"
    assert room.posted() == Counter([ASKED])


@pytest.mark.parametrize("code", ["fatal_error", "internal_error"])
@pytest.mark.parametrize("is_taken", [True, False])
def test_an_inner_error_of_slacks_ends_in_exactly_one_message(sending, code, is_taken):
    room = sending()
    refuse = room.slack.refuse_after_accept if is_taken else room.slack.refuse
    refuse(code)
    room.opens("acme")

    room.sweeps()
    room.sweeps(3, seconds=30)

    assert only(room).state == "sent"
    assert room.posted() == Counter([ASKED])


@pytest.mark.parametrize("seconds", [1, 29, 59])
def test_what_slack_takes_within_a_minute_of_giving_up_is_not_repeated(sending, seconds):
    room = sending()
    room.slack.accept_late(seconds)
    room.opens("acme")

    room.sweeps()
    room.sweeps(4, seconds=30)

    assert only(room).state == "sent"
    assert room.posted() == Counter([ASKED])


def test_what_slack_takes_later_than_that_is_doubled_and_the_second_says_so(sending):
    room = sending()
    room.slack.accept_late(600)
    room.opens("acme")

    room.sweeps()
    room.sweeps(30, seconds=30)

    assert room.posted()[ASKED] == 2
    second, first = room.slack.messages_to(MIA)
    assert REPEAT in str(second.blocks) + second.text
    assert REPEAT not in str(first.blocks) + first.text


@pytest.mark.parametrize("code", ["channel_not_found", "is_archived", "not_in_channel"])
def test_a_destination_that_is_gone_makes_the_next_step_due_at_once(sending, code):
    room = sending()
    room.slack.refuse(code)
    room.opens("acme")

    room.sweeps(2)

    first, second = room.notes()
    assert (first.state, second.recipient, second.state) == ("unreachable", "omar.haddad", "sent")


def test_whoever_is_deactivated_before_it_is_sent_is_escalated_over_at_once(sending):
    room = sending()
    room.slack.deactivate(MIA)
    room.opens("acme")

    room.sweeps(2)

    first, second = room.notes()
    assert (first.state, second.recipient, second.state) == ("unreachable", "omar.haddad", "sent")
    assert "deactivated" in first.failure


def test_a_form_slack_refuses_goes_out_plain_and_the_queue_goes_on(sending):
    room = sending()
    room.slack.refuse("invalid_blocks")
    room.opens("acme", "bolt")

    room.sweeps()

    assert [room.notes(key)[0].state for key in ("CSC-1", "CSC-2")] == ["sent", "sent"]


def test_a_message_refused_in_every_form_is_escalated_and_the_queue_goes_on(sending):
    room = sending()
    room.slack.refuse("invalid_blocks", times=2)
    room.opens("acme", "bolt")

    room.sweeps(2)

    assert [note.state for note in room.notes("CSC-1")] == ["unreachable", "sent"]
    assert [note.state for note in room.notes("CSC-2")] == ["sent"]


def test_a_revoked_token_keeps_everything_until_it_is_good_again(sending):
    room = sending()
    good, room.slack.token = room.slack.token, "xoxb-another"
    room.opens("acme", "bolt")
    room.sweeps(12, seconds=300)
    assert room.posted() == Counter()
    assert [turn.name for turn in room.ledger.outbox.paused()] == ["slack"]

    room.slack.token = good
    room.sweeps(2, seconds=300)

    assert len(room.posted()) == 3  # both cases, and the alarm that could not leave either
    assert room.ledger.outbox.paused() == []


def test_a_storm_of_429_loses_nothing_and_starts_clocks_when_people_are_told(sending):
    room = sending()
    until = room.clock() + 3600 * SECOND
    room.slack.refuse("ratelimited", status=429, retry_after=60, times=None, until=until)
    room.opens(*(f"a{n}" for n in range(20)))

    room.sweeps(70, seconds=60)

    assert sorted(room.posted().values()) == [1] * 20
    assert room.slack.breaches == []
    sent = [room.notes(f"CSC-{n}")[0].sent_at for n in range(1, 21)]
    assert sent == sorted(sent)
    assert min(sent) >= until
    due = [room.ledger.cases.named(f"CSC-{n}").due_at for n in range(1, 21)]
    assert [later - at for later, at in zip(due, sent, strict=True)] == [4 * 3600 * SECOND] * 20


def test_a_card_that_was_deleted_is_asked_once_more(sending):
    room = sending()
    room.opens("acme")
    room.sweeps()
    [card] = room.slack.messages_to(MIA)
    room.slack.delete(card)
    room.acknowledges()

    room.sweeps(3, seconds=60)

    assert [(note.kind, note.state) for note in room.notes()] == [
        ("asked", "sent"),
        ("asked", "sent"),
    ]
    assert "lost" in room.notes()[0].failure
    assert room.ledger.cases.named("CSC-1").state == "acknowledged"


def test_a_card_that_is_deleted_again_is_let_be(sending):
    room = sending()
    room.opens("acme")
    room.sweeps()
    for act in (room.acknowledges, room.finishes):
        for card in room.slack.messages_to(MIA):
            room.slack.delete(card)
        act()
        room.sweeps(2, seconds=60)

    assert [note.state for note in room.notes()] == ["sent", "sent"]
    assert room.slack.messages_to(MIA) == []


def test_an_answer_given_before_the_message_leaves_takes_it_back(sending):
    room = sending()
    room.opens("acme")
    [claim] = room.ledger.outbox.claim(most=1)
    room.acknowledges(person="dana.reyes")

    assert room.ledger.outbox.is_held(claim)
    room.sweeps(3, seconds=60)

    assert room.posted() == Counter()


def test_an_escalation_that_left_before_the_answer_has_its_card_corrected(sending):
    room = sending()
    room.opens("acme")
    room.sweeps()
    room.sweeps(seconds=4 * 3600)
    room.acknowledges()

    room.sweeps(seconds=1)

    [asked] = room.slack.messages_to("U02OMAR")
    assert "Acknowledged by Mia Chen" in str(asked.blocks)
    assert asked.buttons.keys() <= {"open"}


def test_after_an_outage_each_case_takes_one_step_and_the_technical_owner_hears(sending):
    room = sending()
    room.opens(*(f"a{n}" for n in range(5)))
    room.sweeps()

    room.sweeps(seconds=3 * 24 * 3600)
    room.sweeps(3, seconds=60)

    assert [room.ledger.cases.named(f"CSC-{n}").step for n in range(1, 6)] == [1] * 5
    wait = {
        room.ledger.cases.named(f"CSC-{n}").due_at - room.notes(f"CSC-{n}")[-1].sent_at
        for n in range(1, 6)
    }
    assert wait == {timedelta(hours=8)}
    [alarm] = room.slack.messages_to("U02LEE")
    assert "5 steps are late" in str(alarm.blocks)


def test_a_sweep_in_time_alarms_nobody(sending):
    room = sending()
    room.opens("acme")
    room.sweeps()

    room.sweeps(seconds=4 * 3600 + 600)

    assert room.slack.messages_to("U02LEE") == []


def test_what_stands_twice_in_slack_is_named(sending):
    room = sending()
    room.opens("acme", "bolt")
    room.sweeps()
    assert recounted(room.layer).breaches == 0
    posted, other = room.slack.messages_to(MIA)
    again = room.slack.post(MIA, "the same once more")
    again.blocks, again.metadata = posted.blocks, posted.metadata
    room.slack.delete(other)

    found = recounted(room.layer)

    assert sorted(found.examples) == [
        f"{ASKED} stands 2 times in slack",
        "CSC-2:0:0:mia.chen:asked was sent, and does not stand in slack",
    ]


def test_a_channel_that_cannot_say_is_named_too(sending):
    room = sending()
    room.opens("acme")
    room.sweeps()
    room.slack.refuse("missing_scope", method="conversations.history")

    (found,) = recounted(room.layer).examples

    assert found.startswith("slack cannot say what mia.chen was sent: ")
