import gzip
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from connectors.testing.wire import post
from decisions.delivery import Attempt
from decisions.desk import Author
from decisions.ledger.records import Notification
from flows import sending, sweep
from flows.messages import message_for
from inbox.slack import LARGEST_BODY
from tests.samples import MONDAY, action, batch, definition, matches, people
from tests.slack_room import BEN, MIA


@pytest.fixture
def clock(slack_clock):
    return slack_clock


@pytest.fixture
def room(slack_room):
    return slack_room


class TestPresses:
    def test_acknowledge_takes_the_case_and_says_so_in_private(self, room):
        answer = room.slack.press(room.card, "acknowledge")

        assert answer.status == 200
        assert room.state == "acknowledged"
        assert room.told().startswith("CSC-1 is yours; complete it by ")

    def test_the_answer_is_stored_before_slack_is_answered(self, room):
        room.slack.press(room.card, "acknowledge")

        [answer] = room.dossier.answers
        assert (answer.by, answer.via, answer.kind) == ("mia.chen", "slack", "acknowledge")

    def test_the_same_press_sent_twice_counts_once(self, room):
        room.slack.press(room.card, "acknowledge")

        room.slack.repeat()

        assert room.told(count=2) == "CSC-1: already recorded"
        assert len(room.dossier.answers) == 1

    def test_whoever_comes_second_hears_who_was_first(self, room):
        room.done()

        room.slack.press(room.card, "acknowledge")

        assert room.told(count=2).startswith("CSC-1 was already completed by Mia Chen on ")
        assert [answer.accepted for answer in room.dossier.answers] == [True, False]

    def test_what_cannot_be_recorded_is_not_acknowledged(self, room, tmp_path):
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
            database.execute("DROP TABLE answers")

        assert room.slack.press(room.card, "acknowledge").status == 503
        assert room.slack.private_replies_to(MIA) == []
        assert room.layer.ledger.cases.named("CSC-1").state == "open"

    def test_the_link_button_asks_nothing_of_us(self, room):
        assert room.slack.press(room.card, "open").status == 200
        assert room.dossier.answers == []


class TestWhoAnswers:
    def test_somebody_not_entitled_is_refused_in_private(self, room):
        answer = room.slack.press(room.card, "acknowledge", by=BEN)

        assert answer.status == 200
        assert room.told(BEN).startswith("Ben Okafor may not answer CSC-1; it is with Mia Chen")
        assert room.state == "open"

    def test_a_person_without_a_slack_id_is_known_by_e_mail(self, room):
        room.slack.press(room.card, "acknowledge", by=BEN)

        [answer] = room.dossier.answers
        assert answer.by == "ben.okafor"

    def test_a_stranger_is_told_whom_to_ask(self, room):
        room.slack.press(room.card, "acknowledge", by="U09GUEST")

        assert "people.yaml names nobody with your Slack account" in room.told("U09GUEST")
        assert room.dossier.answers == []

    def test_if_slack_cannot_say_who_it_is_nobody_is_guessed(self, room):
        room.slack.refuse("internal_error", method="users.info")

        room.slack.press(room.card, "acknowledge", by=BEN)

        assert "Nothing was recorded" in room.told(BEN)


class TestOverriding:
    @pytest.fixture
    def form(self, room):
        room.slack.press(room.card, "override")
        return room.slack.forms[-1]

    def test_the_form_offers_the_reasons_the_case_was_opened_with(self, form):
        options = form.view["blocks"][1]["element"]["options"]

        assert [each["text"]["text"] for each in options] == ["already in contact", "data is wrong"]

    def test_a_reason_and_a_sentence_override_the_case(self, room, form):
        room.slack.submit(form, {"reason": "data is wrong", "note": "They renewed yesterday."})

        [answer] = room.dossier.answers
        assert (answer.reason, answer.note) == ("data is wrong", "They renewed yesterday.")
        assert room.state == "overridden"
        assert form.closed
        assert room.told() == "CSC-1 is overridden"

    @pytest.mark.parametrize(
        ("values", "place", "said"),
        [
            pytest.param({"note": "They renewed."}, "reason", "Choose a reason", id="no-reason"),
            pytest.param({"reason": "data is wrong"}, "note", "say in a sentence", id="no-words"),
            pytest.param(
                {"reason": "data is wrong", "note": "  x "}, "note", "say in a sentence", id="short"
            ),
        ],
    )
    def test_what_is_missing_is_said_in_the_form(self, room, form, values, place, said):
        room.slack.submit(form, values)

        assert form.errors[place].startswith(said)
        assert not form.closed
        assert room.state == "open"

    def test_after_a_correction_the_same_form_counts(self, room, form):
        room.slack.submit(form, {"reason": "data is wrong", "note": ""})

        room.slack.submit(form, {"reason": "data is wrong", "note": "They renewed yesterday."})

        assert form.closed
        assert room.state == "overridden"

    def test_a_form_left_open_too_long_learns_who_was_first(self, room, form):
        room.done()

        room.slack.submit(form, {"reason": "data is wrong", "note": "They renewed yesterday."})

        assert form.errors["note"].startswith("CSC-1 was already completed by Mia Chen")
        assert room.state == "completed"

    def test_hours_later_the_answer_counts_though_the_reply_is_lost(self, room, form):
        room.clock.now += timedelta(hours=3)

        room.slack.submit(form, {"reason": "data is wrong", "note": "They renewed yesterday."})

        assert form.closed
        assert room.state == "overridden"

    def test_the_same_form_sent_twice_counts_once(self, room, form):
        room.slack.submit(form, {"reason": "data is wrong", "note": "They renewed yesterday."})

        answer = room.slack.repeat()

        assert answer.status == 200
        assert len(room.dossier.answers) == 1

    def test_somebody_not_entitled_reads_it_in_the_form(self, room):
        room.slack.press(room.card, "override", by=BEN)
        form = room.slack.forms[-1]

        room.slack.submit(form, {"reason": "data is wrong", "note": "They renewed yesterday."})

        assert form.errors["note"].startswith("Ben Okafor may not answer CSC-1")

    def test_a_form_that_does_not_open_can_be_asked_for_again(self, room):
        room.slack.refuse("expired_trigger_id", method="views.open")

        answer = room.slack.press(room.card, "override")

        assert answer.status == 200
        assert "Press the button once more" in room.told()


class TestReportingWhatWasDone:
    def test_the_form_asks_what_and_when_and_proposes_the_recommended_now(self, room):
        room.slack.press(room.card, "done")

        ask, what, note, when = room.slack.forms[-1].view["blocks"]
        assert ask["text"]["text"] == "CSC-1: Call acme"
        assert [each["text"]["text"] for each in what["element"]["options"]] == [
            "Call, as recommended",
            "Something else",
        ]
        assert what["element"]["initial_option"] == what["element"]["options"][0]
        assert note["optional"]
        assert when["element"]["initial_date_time"] == int(room.clock.now.timestamp())

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            pytest.param({}, "Call, as recommended", id="as-proposed"),
            pytest.param({"note": "They stay."}, "Call, as recommended: They stay.", id="and-said"),
            pytest.param(
                {"reason": "Something else", "note": "Sent flowers."}, "Sent flowers.", id="else"
            ),
        ],
    )
    def test_what_was_done_is_reported_in_the_persons_words(self, room, values, said):
        room.answer("done", **values)

        [intervention] = room.dossier.interventions
        assert intervention.what == said
        assert room.state == "completed"
        assert room.told() == "CSC-1 is completed"

    def test_another_action_of_the_decision_can_be_what_was_done(self, room):
        ledger, asked = room.layer.ledger, definition(
            actions={"call": action(), "send-offer": action()}
        )  # fmt: skip
        ledger.runs.record(asked, batch(1), matches({"subject": "birch"}), room.people)
        room.deliver()

        room.answer("done", room.slack.messages_to(MIA)[1], reason="Send offer instead")

        [intervention] = ledger.cases.dossier("CSC-2").interventions
        assert intervention.what == "Send offer instead"

    def test_when_it_was_done_is_what_was_picked(self, room):
        picked = room.clock.now + timedelta(hours=2)
        room.clock.now += timedelta(hours=5)

        room.answer("done", at=int(picked.timestamp()))

        [intervention] = room.dossier.interventions
        assert intervention.acted_at == picked

    def test_slacks_whole_minutes_do_not_make_it_happen_before_the_case(self, room):
        room.clock.now += timedelta(minutes=10)

        room.answer("done", at=int((MONDAY - timedelta(seconds=50)).timestamp()))

        [intervention] = room.dossier.interventions
        assert intervention.acted_at == MONDAY

    @pytest.mark.parametrize(
        ("values", "place", "said"),
        [
            pytest.param(
                {"reason": "Something else"}, "note", "say in a sentence", id="else-but-not-what"
            ),
            pytest.param({"at": 1_900_000_000}, "at", "CSC-1 cannot have been", id="in-the-future"),
            pytest.param({"at": 1_700_000_000}, "at", "CSC-1 was opened on", id="before-it-began"),
        ],
    )
    def test_what_cannot_be_is_said_beside_what_was_written(self, room, values, place, said):
        form = room.answer("done", **values)

        assert list(form.errors) == [place]
        assert form.errors[place].startswith(said)
        assert room.state == "open"


class TestSnoozing:
    def test_the_next_working_morning_is_proposed(self, room):
        room.clock.now = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday

        room.answer("snooze")

        assert room.dossier.case.snoozed_until == datetime(2026, 11, 23, 9, tzinfo=UTC)
        assert room.told() == "CSC-1 is snoozed until Mon 23 Nov, 09:00 (UTC)"

    def test_another_instant_can_be_picked(self, room):
        until = room.clock.now + timedelta(days=3)

        room.answer("snooze", until=int(until.timestamp()))

        assert room.dossier.case.snoozed_until == until

    @pytest.mark.parametrize("days", [-1, 31])
    def test_too_far_or_already_over_is_said_in_the_form(self, room, days):
        until = room.clock.now + timedelta(days=days)

        form = room.answer("snooze", until=int(until.timestamp()))

        assert form.errors["until"].startswith("CSC-1 cannot be snoozed until")
        assert room.dossier.case.snoozed_until is None

    def test_nothing_picked_is_said_in_the_form(self, room):
        form = room.answer("snooze", until=None)

        assert form.errors == {"until": "Choose a day and a time"}


class TestReassigning:
    def test_everybody_who_is_there_but_the_holder_can_be_chosen(self, room):
        room.slack.press(room.card, "reassign")

        element = room.slack.forms[-1].view["blocks"][1]["element"]
        assert [each["text"]["text"] for each in element["options"]] == [
            "Ben Okafor", "Dana Reyes", "Lee Park", "Omar Haddad", "Sam Ortiz",
        ]  # fmt: skip

    def test_a_person_and_a_sentence_hand_it_over(self, room):
        room.answer("reassign", to="Ben Okafor", note="Ben knows them.")

        assert room.dossier.case.assignee == "ben.okafor"
        assert room.told() == "CSC-1 is now with Ben Okafor"
        room.deliver()
        [asked] = room.slack.messages_to(BEN)
        assert asked.text.startswith("Handed over by Mia Chen: Ben knows them.\nCall acme\n")
        assert "acknowledge" in asked.buttons

    @pytest.mark.parametrize(
        ("values", "place", "said"),
        [
            pytest.param({"note": "Ben knows."}, "to", "Choose somebody", id="nobody"),
            pytest.param({"to": "Ben Okafor"}, "note", "say in a sentence", id="no-words"),
        ],
    )
    def test_what_is_missing_is_said_in_the_form(self, room, values, place, said):
        form = room.answer("reassign", **values)

        assert form.errors[place].startswith(said)

    def test_somebody_not_entitled_cannot_hand_it_over(self, room):
        form = room.answer("reassign", by=BEN, to="Ben Okafor", note="I want it.")

        assert form.errors["note"].startswith("Ben Okafor may not answer CSC-1")
        assert room.dossier.case.assignee == "mia.chen"

    def test_where_there_are_more_than_a_hundred_anybody_in_slack_can_be_picked(self, room):
        many = {f"p{n}": {"name": f"P {n}", "email": f"p{n}@x.example"} for n in range(100)}
        known = {key: who.model_dump(exclude_none=True) for key, who in room.people.people.items()}
        room.hire(people(people=known | many))

        form = room.answer("reassign", to=BEN, note="Ben knows them.")

        assert form.view["blocks"][1]["element"]["type"] == "users_select"
        assert room.dossier.case.assignee == "ben.okafor"
        assert room.answer("reassign", to="U09GUEST", note="x y z", by=BEN).errors == {
            "to": "Choose somebody whom people.yaml names"
        }


class TestForgeries:
    def press(self, room, **changes):
        content = {
            "type": "block_actions",
            "api_app_id": "A0FOLLOW",
            "team": {"id": "T0LARKFIELD"},
            "user": {"id": MIA},
            "container": {
                "type": "message",
                "channel_id": room.card.channel,
                "message_ts": room.card.ts,
            },
            "trigger_id": "1",
            "response_url": f"{room.slack.url}x",
            "actions": [{"action_id": "acknowledge", "value": "CSC-1", "action_ts": "1.1"}],
            **changes,
        }
        return urlencode({"payload": json.dumps(content)}).encode()

    def send(self, room, body, headers):
        return post(room.slack.interactions_to, body, headers).status

    def test_a_genuine_one_passes(self, room):
        body = self.press(room)

        assert self.send(room, body, room.slack.signed(body)) == 200
        assert room.state == "acknowledged"

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"X-Slack-Signature": "v0=" + "0" * 64}, id="wrong-signature"),
            pytest.param({"X-Slack-Signature": ""}, id="empty-signature"),
            pytest.param({"X-Slack-Signature": "v0=\u00e9"}, id="odd-signature"),
            pytest.param({"X-Slack-Request-Timestamp": "soon"}, id="garbage-time"),
            pytest.param({"X-Slack-Request-Timestamp": "9" * 400}, id="endless-time"),
            pytest.param({"X-Slack-Request-Timestamp": "-1"}, id="negative-time"),
        ],
    )
    def test_what_slack_has_not_signed_is_refused(self, room, change):
        body = self.press(room)
        headers = {**room.slack.signed(body), **change}

        assert self.send(room, body, headers) == 401
        assert room.dossier.answers == []

    def test_so_is_a_request_without_a_signature(self, room):
        assert self.send(room, self.press(room), {}) == 401

    def test_so_is_another_body_under_a_good_signature(self, room):
        headers = room.slack.signed(self.press(room))

        assert self.send(room, self.press(room, user={"id": BEN}), headers) == 401

    @pytest.mark.parametrize(("minutes", "status"), [(4.9, 200), (5.1, 401), (-5.1, 401)])
    def test_a_signature_holds_for_five_minutes(self, room, minutes, status):
        body = self.press(room)
        headers = room.slack.signed(body)

        room.clock.now += timedelta(minutes=minutes)

        assert self.send(room, body, headers) == status

    @pytest.mark.parametrize(
        "body", [b"\xff\xfe\x00", gzip.compress(b"0" * 100_000)], ids=["not-utf-8", "packed"]
    )
    def test_bytes_that_are_no_text_are_refused(self, room, body):
        headers = room.slack.signed(body) | {"Content-Encoding": "gzip"}

        assert self.send(room, body, headers) == 401

    def test_a_huge_body_is_refused_unread(self, room):
        assert self.send(room, b"x" * (LARGEST_BODY + 1), {}) == 413

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"payload=no+json", id="no-json"),
            pytest.param(b"payload=[]", id="a-list"),
            pytest.param(b'payload={"type":"block_actions"}', id="no-actions"),
            pytest.param(b'payload={"type":"view_submission","view":{}}', id="no-view"),
        ],
    )
    def test_a_signed_request_of_another_form_is_not_taken(self, room, body):
        assert self.send(room, body, room.slack.signed(body)) == 404

    def test_a_signed_request_that_asks_nothing_is_thanked_for(self, room):
        body = self.press(room, type="shortcut")

        assert self.send(room, body, room.slack.signed(body)) == 200
        assert room.dossier.answers == []

    def test_a_case_that_does_not_exist_is_refused_in_private(self, room):
        button = {"action_id": "acknowledge", "value": "CSC-999", "action_ts": "1.1"}
        body = self.press(room, actions=[button])

        assert self.send(room, body, room.slack.signed(body)) == 200
        assert room.dossier.answers == []


class TestTheMessageFollowsItsCase:
    def test_an_acknowledged_one_says_by_whom_and_when_and_keeps_what_its_holder_may_do(self, room):
        room.slack.press(room.card, "acknowledge")
        room.told()

        assert room.last_line() == "Acknowledged by Mia Chen, Mon 16 Nov, 09:00 (UTC)"
        assert list(room.card.buttons) == ["done", "override", "snooze", "reassign", "open"]

    def test_a_completed_one_says_what_was_done_and_has_no_answers_left(self, room):
        author = Author("mia.chen", "inbox", "1")
        room.layer.desk.done("CSC-1", author, what="Called; they stay.")

        assert room.last_line().endswith("(UTC): Called; they stay.")
        assert list(room.card.buttons) == []

    def test_whoever_else_was_told_sees_who_took_it_and_cannot_answer_any_more(self, room, clock):
        clock.now += timedelta(days=3)
        sweep.escalate(room.layer)
        room.deliver()
        escalated = room.slack.messages_to("U01OMAR")[0]
        assert "acknowledge" in escalated.buttons

        room.slack.press(room.card, "acknowledge")
        room.told()

        assert room.last_line("U01OMAR").startswith("Acknowledged by Mia Chen")
        assert list(room.slack.messages_to("U01OMAR")[0].buttons) == []

    def test_one_handed_on_names_the_new_holder(self, room):
        author = Author("mia.chen", "inbox", "1")
        room.layer.desk.reassign("CSC-1", author, to="ben.okafor", note="Ben knows them.")

        assert room.last_line().startswith("Mia Chen handed it to Ben Okafor, ")
        assert list(room.card.buttons) == []

    def test_a_snoozed_one_says_until_when_and_later_that_it_was_asked_again(self, room, clock):
        room.answer("snooze")
        assert room.last_line().startswith("Snoozed by Mia Chen until Tue 17 Nov")

        clock.now += timedelta(days=2)
        sweep.escalate(room.layer)
        room.deliver()

        assert room.last_line() == "Snoozed by Mia Chen; asked again since"
        assert "acknowledge" in room.slack.messages_to(MIA)[1].buttons

    def test_a_change_slack_did_not_take_is_tried_again_and_one_it_refuses_is_let_be(
        self, room, clock
    ):
        room.slack.refuse("ratelimited", method="chat.update", status=429, retry_after=60)
        room.layer.desk.acknowledge("CSC-1", Author("mia.chen", "inbox", "1"))
        assert sending.amend(room.layer) == 0

        clock.now += timedelta(seconds=60)
        room.slack.refuse("message_not_found", method="chat.update")

        assert sending.amend(room.layer) == 1
        clock.now += timedelta(days=1)
        assert sending.amend(room.layer) == 0
        assert room.state == "acknowledged"

    def test_an_answer_that_came_while_the_message_was_on_its_way_is_shown_on_it(self, room):
        ledger, people = room.layer.ledger, room.people
        ledger.runs.record(definition(), batch(1), matches({"subject": "birch"}), people)
        [claim] = ledger.outbox.claim()
        room.layer.desk.acknowledge("CSC-2", Author("mia.chen", "inbox", "1"))

        message = message_for(claim, people, "http://127.0.0.1:8484")
        attempt = Attempt(claim, message, room.layer.channels, people, room.clock())
        ledger.outbox.settle(claim, attempt.made())

        assert room.last_line(place=1).startswith("Acknowledged by Mia Chen")

    def test_a_value_that_imitates_the_line_stands_above_it(self, room):
        author = Author("mia.chen", "inbox", "1")
        room.layer.desk.done("CSC-1", author, what="*Acknowledged by* <@U01OMAR> & all")

        assert room.last_line().endswith("*Acknowledged by* &lt;@U01OMAR&gt; &amp; all")
        assert room.card.blocks[-1]["elements"][-1]["type"] == "plain_text"


class TestTheMessageIsTheOneThatWasSent:
    def doubtful(self, room):
        """Have birch's case asked, with Slack cutting the line after it took the message."""
        ledger, people = room.layer.ledger, room.people
        ledger.runs.record(definition(), batch(1), matches({"subject": "birch"}), people)
        room.slack.cut_after_accept()
        room.deliver()
        return room.slack.messages_to(MIA)[1]

    def delivery(self, room):
        return room.layer.ledger.cases.dossier("CSC-2").notifications[0]

    def test_an_answer_on_a_message_of_unknown_outcome_proves_that_it_arrived(self, room):
        message = self.doubtful(room)
        assert self.delivery(room).state == "unknown"

        room.slack.press(message, "acknowledge")
        room.told()

        found = self.delivery(room)
        assert (found.state, found.reference) == ("sent", f"{message.channel}/{message.ts}")
        room.clock.now += timedelta(days=1)
        room.deliver()
        assert len(room.slack.messages_to(MIA)) == 2

    def test_a_form_opened_on_one_of_unknown_outcome_and_left_starts_its_wait(self, room):
        message = self.doubtful(room)

        room.slack.press(message, "override")

        pressed_at = self.delivery(room).sent_at
        assert pressed_at == room.clock()
        assert room.layer.ledger.cases.named("CSC-2").due_at == pressed_at + timedelta(hours=4)
        room.clock.now += timedelta(hours=4)
        sweep.escalate(room.layer)
        assert room.layer.ledger.cases.named("CSC-2").step == 1

    def test_an_answer_while_it_is_being_sent_says_through_what_it_came(self, room):
        ledger = room.layer.ledger
        ledger.runs.record(definition(), batch(1), matches({"subject": "birch"}), room.people)
        [claim] = ledger.outbox.claim()
        message = message_for(claim, room.people, "http://127.0.0.1:8484")
        room.layer.channels["slack"].deliver(message)

        room.slack.press(room.slack.messages_to(MIA)[1], "acknowledge")
        room.told()

        assert (self.delivery(room).state, self.delivery(room).channel) == ("sent", "slack")

    @pytest.mark.parametrize("state", ["superseded", "dead", "unreachable"])
    def test_one_that_was_given_up_and_arrived_after_all_is_corrected(self, room, state):
        message = self.doubtful(room)
        table = Notification.__table__
        given_up = {"state": state, "next_at": None}
        with room.layer.ledger.writing() as transaction:
            of_birch = table.c.key == self.delivery(room).key
            transaction.connection.execute(update(table).where(of_birch).values(**given_up))
        room.layer.desk.acknowledge("CSC-2", Author("dana.reyes", "inbox", "1"))

        room.slack.press(message, "acknowledge")

        assert room.last_line(place=1).startswith("Acknowledged by Dana Reyes")
        assert (self.delivery(room).state, self.delivery(room).channel) == (state, "slack")

    def test_a_press_that_names_another_case_is_refused(self, room):
        self.doubtful(room)
        for block in room.card.blocks:
            for element in block.get("elements", []):
                if "value" in element:
                    element["value"] = "CSC-2"

        room.slack.press(room.card, "acknowledge")

        assert room.told() == "This message was not sent for that case; open the case in the inbox."
        assert room.layer.ledger.cases.named("CSC-2").state == "open"

    def test_a_message_somebody_else_posted_answers_nothing(self, room):
        forged = room.slack.post(MIA, "Answer here")
        forged.blocks = room.card.blocks

        room.slack.press(forged, "acknowledge")

        assert room.told().startswith("This message was not sent for that case")
        assert room.state == "open"
