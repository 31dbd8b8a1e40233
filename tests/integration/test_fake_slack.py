"""The pretended Slack is as strict as the real one, and does what goes wrong there on request."""

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

from connectors.slack.channel import SlackChannel
from connectors.slack.responses import MEANINGS
from connectors.testing import FakeSlack, Pace, RemoteSlack
from connectors.testing.wire import LocalServer
from decisions.errors import ConnectorError, UnknownOutcome
from tests.integration.test_slack import QUESTION
from tests.samples import MovableClock

DANA = "U01DANA"


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def slack(clock):
    with FakeSlack(clock=clock) as slack:
        slack.add_person(DANA, email="dana.reyes@larkfield.example", name="Dana Reyes")
        slack.add_channel("C01SALES", name="sales")
        yield slack


@pytest.fixture
def client(slack):
    return WebClient(slack.token, slack.url, retry_handlers=[])


@pytest.fixture
def channel(slack, clock):
    return SlackChannel("slack", slack.token, slack.url, clock=clock)


def refused(call, **arguments):
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value.response["error"]


class TestChannels:
    def test_a_message_to_a_channel_stands_in_its_history(self, client):
        client.chat_postMessage(channel="C01SALES", text="Hello")

        [found] = client.conversations_history(channel="C01SALES")["messages"]
        assert found["text"] == "Hello"

    def test_nothing_is_posted_where_the_app_is_not_or_nobody_is_any_more(self, slack, client):
        slack.add_channel("C02BOARD", name="board", app_is_in=False)
        slack.archive("C01SALES")

        assert refused(client.chat_postMessage, channel="C02BOARD", text="x") == "not_in_channel"
        assert refused(client.chat_postMessage, channel="C01SALES", text="x") == "is_archived"
        assert client.conversations_info(channel="C01SALES")["channel"]["is_archived"]

    def test_a_message_that_was_taken_away_cannot_be_changed_but_is_remembered(self, slack, client):
        ts = client.chat_postMessage(channel=DANA, text="Hello")["ts"]
        [told] = slack.messages_to(DANA)

        slack.delete(told)

        assert refused(client.chat_update, channel=told.channel, ts=ts, text="x") == (
            "message_not_found"
        )
        assert slack.messages_to(DANA) == []
        assert client.conversations_history(channel=told.channel)["messages"] == []
        assert len(slack.messages) == 1


class TestPace:
    @pytest.mark.parametrize(("seconds", "count"), [(0.999, 1), (1, 0)])
    def test_less_than_a_second_between_two_posts_into_a_channel_is_a_breach(
        self, slack, client, clock, seconds, count
    ):
        client.chat_postMessage(channel=DANA, text="one")
        clock.now += timedelta(seconds=seconds)
        client.chat_postMessage(channel="D01DANA", text="two")

        assert len(slack.breaches) == count

    def test_other_channels_have_a_pace_of_their_own(self, slack, client):
        client.chat_postMessage(channel=DANA, text="one")
        client.chat_postMessage(channel="C01SALES", text="two")

        assert slack.breaches == []

    def test_one_that_is_strict_says_how_long_to_wait(self, clock):
        with FakeSlack(clock=clock, pace=Pace(strict=True)) as slack:
            slack.add_person(DANA, email="dana@larkfield.example")
            client = WebClient(slack.token, slack.url, retry_handlers=[])
            client.chat_postMessage(channel=DANA, text="one")

            with pytest.raises(SlackApiError) as caught:
                client.chat_postMessage(channel=DANA, text="two")

        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"
        assert len(slack.messages) == 1

    @pytest.mark.parametrize(("count", "breaches"), [(3, 0), (4, 1)])
    def test_the_whole_workspace_has_an_allowance_a_minute(self, clock, count, breaches):
        pace = Pace(per_minute=3)

        for n in range(count):
            pace.note(f"D{n}", clock())

        assert [each.channel for each in pace.breaches] == ["workspace"] * breaches


class TestFaults:
    @pytest.mark.parametrize(("seconds", "count"), [(9, 0), (10, 1)])
    def test_what_is_accepted_late_appears_when_its_time_has_come(
        self, slack, channel, clock, seconds, count
    ):
        slack.accept_late(10)
        with pytest.raises(UnknownOutcome):
            channel.deliver(QUESTION)
        assert channel.find(QUESTION) is None

        clock.now += timedelta(seconds=seconds)

        assert len(slack.messages) == count
        assert (channel.find(QUESTION) is not None) is bool(count)

    def test_every_delivery_is_counted_however_often_it_was_taken(self, slack, channel, clock):
        slack.accept_late(10)
        with pytest.raises(UnknownOutcome):
            channel.deliver(QUESTION)
        channel.deliver(QUESTION)

        clock.now += timedelta(seconds=10)

        assert slack.deliveries == Counter({QUESTION.key: 2})

    @pytest.mark.parametrize("code", MEANINGS)
    def test_any_of_slacks_codes_can_be_answered_and_does_nothing(self, slack, client, code):
        slack.refuse(code)

        assert refused(client.chat_postMessage, channel=DANA, text="x") == code
        assert slack.messages == []

    def test_one_can_be_answered_though_the_message_was_taken(self, slack, client):
        slack.refuse_after_accept("fatal_error")

        assert refused(client.chat_postMessage, channel=DANA, text="x") == "fatal_error"
        assert len(slack.messages) == 1

    def test_a_storm_lasts_as_long_as_it_is_told(self, slack, channel, clock):
        slack.refuse("ratelimited", status=429, retry_after=30, times=None,
                     until=clock.now + timedelta(hours=1))  # fmt: skip
        for _ in range(3):
            with pytest.raises(ConnectorError):
                channel.deliver(QUESTION)

        clock.now += timedelta(hours=1)

        channel.deliver(QUESTION)
        assert len(slack.messages) == 1

    def test_chance_is_drawn_from_a_seed(self, slack, client):
        def drawn():
            slack.clear_faults()
            slack.seed(7)
            slack.refuse("internal_error", method="users.*", times=None, chance=0.5)
            return [self.passes(client) for _ in range(20)]

        first = drawn()
        assert drawn() == first
        assert {True, False} == set(first)

    def passes(self, client):
        try:
            return bool(client.users_info(user=DANA)["ok"])
        except SlackApiError:
            return False


NOTHING = {"type": "section", "text": {"type": "plain_text", "text": "Nothing waits"}}
HOME = {"type": "home", "blocks": [NOTHING]}


class TestViews:
    def test_a_home_is_kept_for_each_person(self, slack, client):
        client.views_publish(user_id=DANA, view=HOME)

        assert slack.homes[DANA].view == HOME

    def test_a_home_that_was_changed_meanwhile_is_not_overwritten(self, client):
        first = client.views_publish(user_id=DANA, view=HOME)["view"]["hash"]
        later = {**HOME, "callback_id": "queue"}
        client.views_publish(user_id=DANA, view=later, hash=first)

        assert refused(client.views_publish, user_id=DANA, view=HOME, hash=first) == (
            "hash_conflict"
        )

    def test_a_home_that_slack_would_refuse_is_refused(self, client):
        wrong = {**HOME, "submit": {"type": "plain_text", "text": "Send"}}

        assert refused(client.views_publish, user_id=DANA, view=wrong) == "invalid_arguments"


class TestSocketMode:
    @pytest.fixture
    def app(self, slack):
        said = []

        def listen(client, request):
            said.append(request)
            if request.payload.get("type") != "silent":
                client.send_socket_mode_response(
                    SocketModeResponse(request.envelope_id, {"response_action": "clear"})
                )

        client = SocketModeClient(slack.app_token, web_client=WebClient(base_url=slack.url))
        client.socket_mode_request_listeners.append(listen)
        client.connect()
        yield said
        client.close()

    def test_what_people_do_goes_over_the_socket_and_its_answer_comes_back(self, slack, app):
        answer = slack.interact({"type": "block_actions"})

        assert answer.json == {"response_action": "clear"}
        assert [each.type for each in app] == ["interactive"]
        assert slack.connections == 1

    def test_what_is_not_acknowledged_within_three_seconds_is_an_error_to_the_person(
        self, slack, app
    ):
        assert slack.interact({"type": "silent"}).status == 504
        assert slack.unacknowledged == 1

    def test_only_the_app_token_opens_one(self, slack, client):
        assert refused(client.apps_connections_open, app_token=slack.token) == (
            "not_allowed_token_type"
        )

    def test_without_a_connection_nothing_can_be_told(self, slack):
        with pytest.raises(LookupError, match="no connection open"):
            slack.interact({"type": "block_actions"})


class TestForgeries:
    def test_a_press_can_be_forged_or_late(self, slack, clock):
        told = slack.post(DANA, "Hello")
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        told.blocks = [{"type": "actions", "elements": [button]}]
        heard = []
        with LocalServer(heard.append) as app:
            for how in ({}, {"forged": True}, {"late": timedelta(minutes=6)}):
                with pytest.raises(OSError, match="closed"):
                    slack.press(told, "go", to=app.url, **how)

        assert [signed(request, slack, clock) for request in heard] == [True, False, False]


def signed(request, slack, clock):
    channel = SlackChannel("x", "x", signing_secret=slack.signing_secret, clock=clock)
    return channel.is_genuine(request.body, request.headers)


def test_it_can_be_a_process_of_its_own_that_others_look_into():
    words = [sys.executable, "-m", "connectors.testing"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            about = json.loads(process.stdout.readline())
            slack = RemoteSlack(about["address"])
            slack.do("add_person", user=DANA, email="dana.reyes@larkfield.example")
            slack.do("stop_at", at="2026-11-24T09:00:00+00:00")
            slack.do("refuse", code="ratelimited", until="2026-11-24T10:00:00+00:00", times=None)
            channel = SlackChannel("slack", about["token"], slack.url)
            with pytest.raises(ConnectorError):
                channel.deliver(QUESTION)
            slack.do("forward", seconds=3600)
            for _ in range(2):
                channel.deliver(QUESTION)

            assert slack.do("deliveries") == {QUESTION.key: 2}
            assert [told.key for told in slack.messages] == [QUESTION.key] * 2
            [breach] = slack.breaches
            assert breach.at == datetime(2026, 11, 24, 10, tzinfo=UTC)
            with pytest.raises(LookupError, match="there is no 'explode'"):
                slack.do("explode")
            with pytest.raises(LookupError, match="refuse: "):
                slack.do("refuse", wrongly=1)
        finally:
            process.terminate()
