"""The rows of the fault catalogue that begin with somebody in Slack, each as a test of its name."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from threading import Barrier, Thread
from time import monotonic

import pytest
from sqlalchemy import create_engine, text

from connectors.testing.wire import HttpAnswer, post
from decisions.desk import Author
from flows import sending, sweep
from flows.confirming import confirm_people
from tests.samples import batch, definition, matches, people
from tests.slack_room import BEN, MIA, OMAR, Room, served

REASON = {"reason": "data is wrong", "note": "They renewed yesterday."}


@pytest.fixture
def room(slack_room):
    return slack_room


def accepted(room):
    return [answer.kind for answer in room.dossier.answers if answer.accepted]


class TestF10TheSamePressTwice:
    def test_delivered_twice_it_is_one_answer_and_the_second_hears_so(self, room):
        room.slack.press(room.card, "acknowledge")
        room.slack.repeat()

        assert accepted(room) == ["acknowledge"]
        assert room.told(count=2) == "CSC-1: already recorded"

    def test_delivered_ten_times_at_once_it_is_one_answer(self, room):
        room.slack.press(room.card, "acknowledge")
        room.told()
        together, said = Barrier(10), []

        def send():
            together.wait()
            said.append(room.slack.repeat().status)

        threads = [Thread(target=send) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert accepted(room) == ["acknowledge"]
        assert set(said) == {200}

    def test_pressed_twice_by_an_impatient_finger_it_is_theirs_once_and_told_again(self, room):
        room.slack.press(room.card, "acknowledge")
        room.slack.press(room.card, "acknowledge")

        assert accepted(room) == ["acknowledge"]
        assert room.told(count=2).startswith("CSC-1 is yours; complete it by ")


class TestF11TwoAnswerAtOnce:
    def test_exactly_one_wins_and_the_other_is_told_who_and_when(self, room):
        room.slack.press(room.card, "override")
        [form] = room.slack.forms
        together = Barrier(2)

        def acknowledge():
            together.wait()
            room.slack.press(room.card, "acknowledge")

        def override():
            together.wait()
            room.slack.submit(form, REASON)

        threads = [Thread(target=each) for each in (acknowledge, override)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        kinds = Counter(accepted(room))
        assert kinds["override"] == 1
        assert len(room.dossier.answers) == 2
        assert room.state == "overridden"


class TestF13AnsweredWhileItsOutcomeIsUnknown:
    def test_the_press_itself_proves_that_the_message_arrived(self, room):
        ledger, people = room.layer.ledger, room.people
        ledger.runs.record(definition(), batch(1), matches({"subject": "birch"}), people)
        room.clock.now += timedelta(seconds=1)
        room.slack.cut_after_accept()
        room.deliver()
        message = room.slack.messages_to(MIA)[-1]
        assert ledger.cases.dossier("CSC-2").notifications[0].state == "unknown"

        room.slack.press(message, "acknowledge")

        assert ledger.cases.dossier("CSC-2").notifications[0].state == "sent"
        assert ledger.cases.named("CSC-2").state == "acknowledged"


class TestF30Forged:
    @pytest.mark.parametrize("path", ["interactions_to", "events_to"])
    @pytest.mark.parametrize(
        "headers",
        [{}, {"X-Slack-Signature": "v0=00"}, {"X-Slack-Request-Timestamp": "NaN"}],
        ids=["none", "half", "garbage"],
    )
    def test_what_slack_did_not_sign_is_refused_on_every_path(self, room, path, headers):
        assert post(getattr(room.slack, path), b"payload={}", headers).status == 401

    def test_what_somebody_else_signed_is_refused_and_changes_nothing(self, room, caplog):
        assert room.slack.press(room.card, "acknowledge", forged=True).status == 401

        assert room.dossier.answers == []
        assert room.slack.signing_secret not in caplog.text
        assert [record.levelname for record in caplog.records].count("WARNING") == 1


class TestF31Replayed:
    def test_within_five_minutes_it_has_no_second_effect(self, room):
        room.slack.press(room.card, "acknowledge")
        room.clock.now += timedelta(minutes=4, seconds=59)

        assert room.slack.repeat().status == 200
        assert accepted(room) == ["acknowledge"]

    def test_later_it_is_refused(self, room):
        room.slack.press(room.card, "acknowledge")
        room.clock.now += timedelta(minutes=5, seconds=1)

        assert room.slack.repeat().status == 401

    def test_one_that_slack_delivers_late_is_refused(self, room):
        answer = room.slack.press(room.card, "acknowledge", late=timedelta(minutes=6))

        assert answer.status == 401
        assert room.dossier.answers == []


class TestF32SentToSomebodyElse:
    def press(self, room, **changes):
        content = {}

        def keep(found, **_):
            content.update(found)
            return HttpAnswer()

        room.slack.interact, send = keep, room.slack.interact
        room.slack.press(room.card, "acknowledge")
        room.slack.interact = send
        return room.slack.interact(json.loads(json.dumps(content)) | changes).status

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"api_app_id": "A0OTHER"}, id="another-app"),
            pytest.param({"team": {"id": "T0OTHER"}}, id="another-workspace"),
            pytest.param({"team": {"id": "T0OTHER"}, "api_app_id": "A0OTHER"}, id="both"),
        ],
    )
    def test_well_signed_but_for_another_app_or_workspace_it_is_refused(self, room, changes):
        assert self.press(room, **changes) == 401
        assert room.dossier.answers == []

    def test_for_this_one_it_counts(self, room):
        assert self.press(room) == 200
        assert accepted(room) == ["acknowledge"]

    @pytest.mark.parametrize(
        "container",
        [{"channel_id": "D09OTHER"}, {"message_ts": "1.000001"}],
        ids=["conversation", "time"],
    )
    def test_from_where_nothing_was_sent_it_is_refused_in_private(self, room, container):
        place = {"type": "message", "channel_id": room.card.channel, "message_ts": room.card.ts}

        assert self.press(room, container=place | container) == 200
        assert room.told().startswith("This message was not sent for that case")
        assert room.dossier.answers == []

    def test_with_the_key_of_another_case_it_is_refused_in_private(self, room):
        ledger, people = room.layer.ledger, room.people
        ledger.runs.record(definition(), batch(1), matches({"subject": "birch"}), people)
        pressed = {"action_id": "acknowledge", "value": "CSC-2", "action_ts": "1.1"}

        assert self.press(room, actions=[pressed]) == 200
        assert room.told().startswith("This message was not sent for that case")
        assert ledger.cases.named("CSC-2").state == "open"

    def test_where_slack_cannot_say_which_app_it_is_nothing_is_taken(self, room):
        room.slack.refuse("internal_error", method="auth.test")

        assert room.slack.press(room.card, "acknowledge").status == 503
        assert room.slack.press(room.card, "acknowledge").status == 200
        assert accepted(room) == ["acknowledge"]


class TestF33NotTheirs:
    def test_somebody_not_entitled_is_refused_privately_and_that_is_recorded(self, room):
        room.slack.press(room.card, "acknowledge", by=BEN)

        assert room.told(BEN).startswith("Ben Okafor may not answer CSC-1")
        [answer] = room.dossier.answers
        assert (answer.by, answer.accepted) == ("ben.okafor", False)
        assert room.slack.private_replies_to(MIA) == []

    @pytest.mark.parametrize("action", ["done", "override", "snooze", "reassign"])
    def test_after_the_case_is_closed_no_form_opens_and_the_card_is_made_to_follow(
        self, room, action
    ):
        stale = room.card
        room.layer.desk.done("CSC-1", Author("mia.chen", "inbox", "1"), what="They stay.")

        room.slack.press(stale, action)

        assert room.told().startswith("CSC-1 was already completed by Mia Chen on ")
        assert room.slack.forms == []
        assert [answer.accepted for answer in room.dossier.answers] == [True, False]
        assert room.last_line().endswith(": They stay.")
        assert list(room.card.buttons) == []

    def test_on_a_card_of_an_earlier_cycle_the_card_is_made_to_follow(self, room):
        blocks = room.card.blocks
        room.answer("reassign", to="Ben Okafor", note="Ben knows them.")
        room.last_line()
        room.card.blocks = blocks  # somebody's Slack shows the message as it was

        room.slack.press(room.card, "acknowledge", by="U09GUEST")
        room.slack.press(room.card, "acknowledge", by=OMAR)

        assert room.told(OMAR).startswith("Omar Haddad may not answer CSC-1")
        assert room.last_line().startswith("Mia Chen handed it to Ben Okafor")
        assert list(room.card.buttons) == []


class TestF34Forms:
    @pytest.mark.parametrize("code", ["expired_trigger_id", "exchanged_trigger_id"])
    @pytest.mark.parametrize("action", ["done", "override", "snooze", "reassign"])
    def test_one_that_does_not_open_can_be_asked_for_again(self, room, action, code):
        room.slack.refuse(code, method="views.open")

        assert room.slack.press(room.card, action).status == 200

        assert room.told() == (
            "Nothing was recorded: the form did not open. Press the button once more."
        )
        room.slack.press(room.card, action)
        assert len(room.slack.forms) == 1

    def test_one_left_open_for_hours_counts(self, room):
        room.slack.press(room.card, "override")
        room.clock.now += timedelta(hours=7)

        room.slack.submit(room.slack.forms[0], REASON)

        assert room.slack.forms[0].closed
        assert room.state == "overridden"

    def test_of_two_forms_the_second_hears_that_it_was_answered(self, room):
        for _ in range(2):
            room.slack.press(room.card, "override")
        first, second = room.slack.forms

        room.slack.submit(first, REASON)
        room.slack.submit(second, {**REASON, "note": "Another sentence."})

        assert first.closed
        assert second.errors["note"].startswith("CSC-1 was already overridden by Mia Chen on ")
        assert accepted(room) == ["override"]

    @pytest.mark.parametrize(
        ("note", "said"),
        [("", "say in a sentence"), ("x" * 2_001, "say in a sentence")],
        ids=["empty", "too-long"],
    )
    def test_a_sentence_that_is_none_is_said_beside_it(self, room, note, said):
        form = room.answer("override", reason="data is wrong", note=note)

        assert form.errors["note"].startswith(said)
        assert room.state == "open"


class TestF35SlowDatabase:
    def test_while_the_ledger_is_locked_slack_shows_an_error_and_nothing_is_pretended(
        self, room, tmp_path
    ):
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = monotonic()
            answer = room.slack.press(room.card, "acknowledge")
            took = monotonic() - began
            other.execute("ROLLBACK")

        assert answer.status == 503
        assert took < 3
        assert room.dossier.answers == []
        assert room.slack.press(room.card, "acknowledge").status == 200
        assert accepted(room) == ["acknowledge"]

    def test_the_same_on_postgresql(self, tmp_path, larkfield, slack_clock, postgresql_url):
        room = Room(tmp_path, larkfield, slack_clock, url=postgresql_url)
        engine = create_engine(postgresql_url)
        with closing(room.layer.ledger), served(room), engine.connect() as other:
            other.execute(text("LOCK TABLE answers IN ACCESS EXCLUSIVE MODE"))
            began = monotonic()
            answer = room.slack.press(room.card, "acknowledge")
            took = monotonic() - began
            other.rollback()
            again = room.slack.press(room.card, "acknowledge")
            room.told()
            kinds = accepted(room)
            room.settle(lambda: not room.outdated)
        engine.dispose()

        assert (answer.status, again.status) == (503, 200)
        assert took < 3
        assert kinds == ["acknowledge"]


class TestHome:
    def texts(self, room, user=MIA):
        view = room.slack.homes[user].view
        shown = [block.get("text", {}).get("text", "") for block in view["blocks"]]
        context = [each for block in view["blocks"] if block["type"] == "context"
                   for each in block["elements"]]  # fmt: skip
        return shown + [each["text"] for each in context]

    def open(self, room, user=MIA, **how):
        answer = room.slack.open_home(user, **how)
        room.settle(lambda: user in room.slack.homes)
        return answer

    def test_whoever_looks_sees_what_waits_for_them(self, room):
        assert self.open(room).status == 200

        assert "1 case waits for you" in self.texts(room)
        assert "Call acme" in self.texts(room)
        assert "90% likely to leave" in self.texts(room)

    @pytest.mark.parametrize(
        ("last_day", "count"), [pytest.param(0, 1, id="last-day"), pytest.param(1, 0, id="after")]
    )
    def test_whoever_has_left_sees_nothing_of_it(self, room, last_day, count):
        left_on = (room.clock() - timedelta(days=last_day)).date()
        known = {key: each.model_dump(exclude_unset=True) for key, each in people().people.items()}
        known["mia.chen"]["last_day"] = left_on
        room.hire(people(people=known))

        self.open(room)

        assert sum("Call acme" in each for each in self.texts(room)) == count

    def test_a_case_is_answered_on_it_and_then_is_gone_from_it(self, room):
        self.open(room)

        room.slack.press_home(MIA, "acknowledge", "CSC-1")
        room.settle(lambda: "CSC-1 is yours" in " ".join(self.texts(room)))
        room.slack.press_home(MIA, "done", "CSC-1")
        room.slack.submit(room.slack.forms[-1], {})
        room.settle(lambda: "Nothing waits for you" in self.texts(room))

        assert accepted(room) == ["acknowledge", "done"]
        assert self.texts(room)[0] == "CSC-1 is completed"

    def test_it_follows_what_is_answered_on_the_message(self, room):
        self.open(room)

        room.done()
        room.told()

        room.settle(lambda: "Nothing waits for you" in self.texts(room))

    def test_a_refusal_is_shown_on_it(self, room):
        self.open(room)
        room.layer.desk.done("CSC-1", Author("mia.chen", "inbox", "1"), what="They stay.")

        room.slack.press_home(MIA, "override", "CSC-1")

        room.settle(lambda: "CSC-1 was already completed" in self.texts(room)[0])

    def test_a_stranger_is_told_whom_to_ask(self, room):
        self.open(room, "U09GUEST")

        assert "people.yaml names nobody with your Slack account" in self.texts(room, "U09GUEST")[0]

    @pytest.mark.parametrize("retry", [1, 3])
    def test_an_event_that_is_told_again_does_no_harm(self, room, retry):
        assert self.open(room, retry=retry).status == 200

    def test_one_that_cannot_be_shown_costs_no_answer(self, room):
        room.slack.refuse("internal_error", method="views.publish")

        room.slack.press(room.card, "acknowledge")

        assert room.told().startswith("CSC-1 is yours")
        assert room.state == "acknowledged"

    def test_slack_is_told_that_the_address_for_events_is_ours(self, room):
        answer = room.slack.tell({"type": "url_verification", "challenge": "3eZbrw1aB"})

        assert (answer.status, answer.body) == (200, b"3eZbrw1aB")

    @pytest.mark.parametrize("content", [{}, {"type": "event_callback"}, [], "x"], ids=repr)
    def test_what_is_no_event_is_not_taken(self, room, content):
        assert room.slack.tell(content).status == 404

    def test_other_events_ask_nothing_of_us(self, room):
        content = {"type": "event_callback", "event": {"type": "message"}}

        assert room.slack.tell(content).status == 200


class TestF24GoneSince:
    def sweep(self, room, **span):
        room.clock.now += timedelta(**span)
        confirm_people(room.layer)
        sweep.escalate(room.layer)
        room.deliver()

    def notifications(self, room):
        return [(each.recipient, each.state) for each in room.dossier.notifications]

    def test_whoever_leaves_while_they_are_waited_for_is_followed_by_the_next_at_once(self, room):
        room.slack.deactivate(MIA)

        self.sweep(room, minutes=10)

        assert self.notifications(room) == [("mia.chen", "unreachable"), ("omar.haddad", "sent")]
        [told] = room.slack.messages_to(OMAR)
        assert told.text.startswith("Nobody has answered in time; it is with Mia Chen")
        assert any("not told" in (entry.act) for entry in room.dossier.entries)

    def test_the_technical_owner_hears_once_of_all_that_they_will_not_read(self, room):
        room.slack.add_person("U01LEE", email="lee@larkfield.example", name="Lee Park")
        room.ask("birch", "cedar")
        room.slack.deactivate(MIA)
        room.clock.now = room.clock.now.replace(second=0, microsecond=0)

        for _ in range(3):
            self.sweep(room, minutes=10)

        [alarm] = room.slack.messages_to("U01LEE")
        assert "Mia Chen will not read what was sent about CSC-1 and 2 more" in str(alarm.blocks)
        for key in ("CSC-1", "CSC-2", "CSC-3"):
            acts = [entry.act for entry in room.layer.ledger.cases.dossier(key).entries]
            assert acts.count("not told") == 1
        assert room.layer.ledger.verified().breach is None

    def test_the_next_one_then_has_their_full_time(self, room):
        room.slack.deactivate(MIA)
        self.sweep(room, minutes=10)

        for _ in range(3):
            self.sweep(room, minutes=10)

        assert len(room.slack.messages) == 2

    def test_nothing_happens_to_those_who_are_there(self, room):
        self.sweep(room, minutes=10)

        assert self.notifications(room) == [("mia.chen", "sent")]

    def test_what_slack_does_not_say_is_asked_again(self, room):
        room.clock.now += timedelta(minutes=10)
        room.slack.refuse("internal_error", method="users.info")
        room.slack.deactivate(MIA)
        confirm_people(room.layer)
        assert self.notifications(room) == [("mia.chen", "sent")]

        self.sweep(room, minutes=10)

        assert self.notifications(room)[0] == ("mia.chen", "unreachable")

    def test_where_many_are_waited_for_each_has_their_turn(self, room, monkeypatch):
        monkeypatch.setattr("flows.confirming.MOST", 1)
        room.ask("birch")
        room.layer.desk.reassign(
            "CSC-2", Author("mia.chen", "inbox", "1"), to="ben.okafor", note="Ben knows them."
        )
        self.sweep(room, seconds=2)
        room.slack.deactivate(MIA)
        room.slack.deactivate(BEN)
        room.clock.now = room.clock.now.replace(minute=0)

        for _ in range(2):
            self.sweep(room, minutes=10)

        lost = [room.layer.ledger.cases.dossier(key) for key in ("CSC-1", "CSC-2")]
        assert all(any(note.state == "unreachable" for note in each.notifications) for each in lost)

    def test_what_was_answered_is_nobodys_to_miss(self, room):
        room.done()
        room.slack.deactivate(MIA)

        self.sweep(room, minutes=10)

        assert self.notifications(room) == [("mia.chen", "sent")]

    @pytest.mark.parametrize(("minute", "asked"), [(9, 0), (10, 1), (11, 0)])
    def test_people_are_looked_up_every_ten_minutes(self, room, minute, asked):
        room.clock.now += timedelta(minutes=minute)
        before = len(room.slack.calls)

        confirm_people(room.layer)

        # Within ten minutes what Slack said of them is remembered.
        assert len(room.slack.calls) - before == asked

    def test_the_ledger_keeps_its_promises(self, room):
        room.slack.deactivate(MIA)
        self.sweep(room, minutes=10)

        kept = list(room.layer.ledger.audited(room.people))

        assert [promise for promise in kept if promise.breaches] == []


class TestF22Poison:
    def test_a_form_slack_refuses_goes_out_plainer_once(self, room):
        room.slack.refuse("invalid_blocks")

        self.ask(room, "birch")

        told = room.slack.messages_to(MIA)[-1]
        assert told.text.startswith("Call birch")
        assert told.blocks == []

    def test_refused_in_any_form_the_next_person_hears_and_the_queue_goes_on(self, room):
        room.slack.refuse("invalid_blocks")
        room.slack.refuse("msg_too_long")
        self.ask(room, "birch", "cedar")

        lost, told = (self.state(room, key) for key in ("CSC-2", "CSC-3"))
        assert lost in {"unreachable", "dead"}
        assert told == "sent"
        sweep.escalate(room.layer)
        room.clock.now += timedelta(seconds=2)
        room.deliver()
        assert any("birch" in each.text for each in room.slack.messages_to(OMAR))

    def test_a_change_slack_refuses_goes_out_plainer_too(self, room):
        room.slack.refuse("invalid_blocks", method="chat.update")
        room.layer.desk.acknowledge("CSC-1", Author("mia.chen", "inbox", "1"))

        sending.amend(room.layer)

        assert room.card.text.startswith("Acknowledged by Mia Chen")
        assert room.card.blocks == []

    def ask(self, room, *subjects):
        found = matches(*({"subject": each} for each in subjects))
        room.layer.ledger.runs.record(definition(), batch(len(subjects)), found, room.people)
        for _ in subjects:
            room.clock.now += timedelta(seconds=1)
            room.deliver()

    def state(self, room, key):
        return room.layer.ledger.cases.dossier(key).notifications[0].state


class TestF26GoneCard:
    def test_whoever_holds_the_case_is_asked_once_more_and_told_why(self, room):
        room.slack.delete(room.card)
        room.layer.desk.acknowledge("CSC-1", Author("mia.chen", "inbox", "1"))
        room.clock.now += timedelta(seconds=2)

        sending.amend(room.layer)
        room.deliver()

        [again] = room.slack.messages_to(MIA)
        assert again.text.startswith("Acknowledged; it is with Mia Chen\nOnce more, because")
        assert "acknowledge" not in again.buttons
        room.answer("done", again)
        assert room.state == "completed"

    @pytest.mark.parametrize("code", ["cant_update_message", "is_inactive", "edit_window_closed"])
    def test_one_that_can_be_changed_no_more_is_replaced_too(self, room, code):
        room.slack.refuse(code, method="chat.update")
        room.layer.desk.acknowledge("CSC-1", Author("mia.chen", "inbox", "1"))
        room.clock.now += timedelta(seconds=2)

        sending.amend(room.layer)
        room.deliver()

        assert len(room.slack.messages_to(MIA)) == 2

    def test_of_a_case_that_is_closed_nobody_hears_again(self, room):
        room.slack.delete(room.card)
        room.layer.desk.done("CSC-1", Author("mia.chen", "inbox", "1"), what="They stay.")

        sending.amend(room.layer)
        room.deliver()

        assert room.slack.messages_to(MIA) == []


def test_f23_a_conversation_that_is_gone_makes_the_next_person_hear_at_once(room):
    room.slack.refuse("channel_not_found")
    room.ask("birch")
    room.clock.now += timedelta(seconds=2)
    sweep.escalate(room.layer)
    room.deliver()

    assert any("birch" in told.text for told in room.slack.messages_to(OMAR))
