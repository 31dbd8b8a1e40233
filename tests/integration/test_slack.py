import logging
import os
import subprocess
import sys
import traceback
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors.slack.channel import SlackChannel
from connectors.slack.examination import SCOPES
from connectors.slack.responses import MEANINGS, Meaning
from connectors.testing import FakeSlack
from connectors.testing.wire import LocalServer
from decisions.errors import (
    ConnectorError,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
)
from decisions.ports import Addressee, Channel, Kind, Message
from inbox.slack import EVENTS, PATH

MANIFEST = Path(__file__).parents[2] / "slack-manifest.yaml"
TOKEN = "xoxb-larkfield-1"

DANA = Addressee(
    person="dana.reyes",
    name="Dana Reyes",
    email="dana.reyes@larkfield.example",
    slack="U01DANA",
    zone="Europe/London",
)
QUESTION = Message(
    key="CSC-2417:0:0:dana.reyes:asked",
    kind=Kind.ASKED,
    to=DANA,
    decision="churn-save-call",
    case="CSC-2417",
    title="Call Brightwater before 3 January 2027",
    why="91% likely to leave",
    owner="Omar Haddad",
    answer_by=datetime(2026, 11, 24, 17, 30, tzinfo=UTC),
    reasons=("already in contact",),
)
BY_EMAIL = QUESTION.model_copy(update={"to": DANA.model_copy(update={"slack": None})})


class Impatient(SlackChannel):
    timeout = timedelta(seconds=1)


@pytest.fixture
def slack():
    with FakeSlack(token=TOKEN) as slack:
        slack.add_person("U01DANA", email="dana.reyes@larkfield.example", name="Dana Reyes")
        yield slack


@pytest.fixture
def channel(slack):
    return SlackChannel("slack", slack.token, slack.url)


def codes(meaning):
    return [code for code, its_meaning in MEANINGS.items() if its_meaning is meaning]


class TestDelivering:
    def test_it_is_a_channel(self, channel):
        assert isinstance(channel, Channel)

    def test_a_message_arrives_and_its_receipt_says_where_and_when(self, slack, channel):
        receipt = channel.deliver(QUESTION)

        [told] = slack.messages_to("U01DANA")
        assert told.text.startswith("Call Brightwater before 3 January 2027\n")
        assert list(told.buttons) == ["acknowledge", "done", "override", "snooze", "reassign"]
        assert receipt.reference == f"D01DANA/{told.ts}"
        assert receipt.accepted_at == datetime.fromtimestamp(float(told.ts), UTC)

    def test_a_person_without_a_slack_id_is_found_by_e_mail(self, slack, channel):
        channel.deliver(BY_EMAIL)

        assert len(slack.messages_to("U01DANA")) == 1

    def test_nothing_in_the_text_is_expanded(self, slack, channel):
        channel.deliver(QUESTION)

        _, sent = slack.calls[-1]
        expanding = ("link_names", "mrkdwn", "unfurl_links", "unfurl_media")
        assert {name: sent[name] for name in expanding} == dict.fromkeys(expanding, False)

    def test_slack_is_asked_about_a_person_once_in_ten_minutes(self, slack):
        now = datetime(2026, 11, 24, 9, tzinfo=UTC)
        channel = SlackChannel("slack", slack.token, slack.url, clock=lambda: now)

        for minutes in (0, 9, 1):
            now += timedelta(minutes=minutes)
            channel.deliver(BY_EMAIL)

        assert [method for method, _ in slack.calls].count("users.lookupByEmail") == 2

    def test_whoever_has_left_is_not_sent_a_message_nobody_reads(self, slack, channel):
        slack.deactivate("U01DANA")

        with pytest.raises(PermanentFailure, match=r"dana\.reyes's Slack account is deactivated"):
            channel.deliver(QUESTION)
        assert slack.messages_to("U01DANA") == []

    def test_a_bot_is_nobody_to_tell(self, slack, channel):
        slack.add_person("U01DANA", email="dana.reyes@larkfield.example", is_bot=True)

        with pytest.raises(PermanentFailure, match="is a bot's"):
            channel.deliver(QUESTION)

    @pytest.mark.parametrize(
        "to",
        [
            pytest.param(DANA.model_copy(update={"slack": "U9NOBODY"}), id="id"),
            pytest.param(
                DANA.model_copy(update={"slack": None, "email": "x@larkfield.example"}), id="e-mail"
            ),
        ],
    )
    def test_somebody_slack_does_not_know_cannot_be_reached(self, channel, to):
        with pytest.raises(PermanentFailure, match=r"dana\.reyes in people\.yaml"):
            channel.deliver(QUESTION.model_copy(update={"to": to}))


class TestRefusals:
    def test_a_rate_limit_is_temporary_and_says_how_long(self, slack, channel):
        slack.refuse("ratelimited", status=429, retry_after=30)

        with pytest.raises(TemporaryFailure) as caught:
            channel.deliver(QUESTION)
        assert caught.value.retry_after == timedelta(seconds=30)

    @pytest.mark.parametrize("code", codes(Meaning.WAIT))
    def test_a_rate_limit_without_a_wait_is_temporary_too(self, slack, channel, code):
        slack.refuse(code)

        with pytest.raises(TemporaryFailure) as caught:
            channel.deliver(QUESTION)
        assert caught.value.retry_after is None

    @pytest.mark.parametrize("code", [*codes(Meaning.UNREACHABLE), "restricted_action_thread"])
    def test_a_bad_destination_is_permanent(self, slack, channel, code):
        slack.refuse(code)

        with pytest.raises(PermanentFailure, match=code):
            channel.deliver(QUESTION)

    @pytest.mark.parametrize("code", codes(Meaning.REPAIR))
    def test_a_bad_installation_loses_nothing(self, slack, channel, code):
        slack.refuse(code)

        with pytest.raises(TemporaryFailure, match="the installation needs repair") as caught:
            channel.deliver(QUESTION)
        assert caught.value.retry_after == timedelta(minutes=5)

    @pytest.mark.parametrize(
        "code", [*codes(Meaning.UNKNOWN), "duplicate_message", "never_heard_of_it"]
    )
    def test_what_leaves_open_whether_it_was_taken_is_unknown(self, slack, channel, code):
        slack.refuse(code)

        with pytest.raises(UnknownOutcome, match=code):
            channel.deliver(QUESTION)

    @pytest.mark.parametrize("code", codes(Meaning.OUR_FAULT))
    def test_a_form_slack_does_not_like_goes_out_plainer(self, slack, channel, code):
        slack.refuse(code)

        channel.deliver(QUESTION)

        [told] = slack.messages_to("U01DANA")
        assert told.text.startswith("Call Brightwater")
        assert bool(told.blocks) is (code == "metadata_too_large")

    def test_metadata_slack_does_not_like_costs_no_button(self, slack, channel):
        slack.refuse("invalid_metadata_format")

        channel.deliver(QUESTION)

        [told] = slack.messages_to("U01DANA")
        assert told.buttons
        assert channel.find(QUESTION) is not None

    def test_if_the_plainer_form_is_refused_too_a_person_must_look(self, slack, channel):
        slack.refuse("invalid_blocks")
        slack.refuse("msg_too_long")

        with pytest.raises(PermanentFailure, match="report it as a fault of ours"):
            channel.deliver(QUESTION)

    def test_a_missing_scope_is_named(self, channel, slack):
        with FakeSlack(token=TOKEN, scopes=frozenset({"users:read"})) as poor:
            poor.add_person("U01DANA", email="dana.reyes@larkfield.example")

            with pytest.raises(TemporaryFailure, match="it needs the scope 'chat:write'"):
                SlackChannel("slack", poor.token, poor.url).deliver(QUESTION)


class TestTheWire:
    @pytest.mark.parametrize("status", [500, 502, 503, 200, 404])
    def test_a_page_in_place_of_an_answer_leaves_it_open(self, slack, channel, status):
        slack.answer_html(status)

        with pytest.raises(UnknownOutcome):
            channel.deliver(QUESTION)

    @pytest.mark.parametrize(
        ("body", "length"),
        [
            pytest.param(b'{"ok": tr', None, id="truncated-json"),
            pytest.param(b'{"ok": true}', 500, id="cut-body"),
            pytest.param(b"[]", None, id="a-list"),
            pytest.param(b"[1]", None, id="a-full-list"),
            pytest.param(b"null", None, id="null"),
            pytest.param(b"", None, id="empty"),
            pytest.param(b"\xff\xfe", None, id="not-utf-8"),
            pytest.param(b'{"ok": true}', None, id="no-time"),
        ],
    )
    def test_so_does_an_answer_that_makes_no_sense(self, slack, channel, body, length):
        slack.answer_raw(body, length=length)

        with pytest.raises(UnknownOutcome):
            channel.deliver(QUESTION)

    def test_a_cut_after_slack_took_it_is_found_again(self, slack, channel):
        slack.cut_after_accept()
        with pytest.raises(UnknownOutcome):
            channel.deliver(QUESTION)

        receipt = channel.find(QUESTION)

        [told] = slack.messages_to("U01DANA")
        assert receipt is not None
        assert receipt.reference == f"D01DANA/{told.ts}"

    def test_a_cut_before_slack_took_it_is_not_found(self, slack, channel):
        slack.cut_before_accept()
        with pytest.raises(UnknownOutcome):
            channel.deliver(QUESTION)

        assert channel.find(QUESTION) is None

    def test_silence_leaves_it_open(self, slack):
        slack.hang(seconds=1.3)

        with pytest.raises(UnknownOutcome, match="TimeoutError"):
            Impatient("slack", slack.token, slack.url).deliver(QUESTION)

    @pytest.mark.parametrize("base_url", ["http://127.0.0.1:{}/api/", "http://host.invalid:{}/"])
    def test_a_connection_that_never_was_is_temporary(self, base_url):
        with LocalServer(lambda request: None) as gone:
            port = gone.url.rsplit(":", 1)[1]

        with pytest.raises(TemporaryFailure, match=r"could not be sent"):
            SlackChannel("slack", TOKEN, base_url.format(port)).deliver(QUESTION)

    def test_a_question_that_got_no_answer_changed_nothing(self, slack, channel):
        slack.cut_before_accept("users.info")

        with pytest.raises(TemporaryFailure, match="nothing was sent"):
            channel.deliver(QUESTION)

    def test_nothing_is_sent_twice_from_in_here(self, slack, channel):
        slack.cut_after_accept()

        with pytest.raises(UnknownOutcome):
            channel.deliver(QUESTION)
        assert len(slack.messages_to("U01DANA")) == 1


class TestReadingBack:
    def test_another_message_is_not_mistaken_for_it(self, channel):
        channel.deliver(QUESTION.model_copy(update={"key": "CSC-2417:0:1:dana.reyes:asked"}))

        assert channel.find(QUESTION) is None

    def test_it_is_found_on_a_later_page(self, slack, channel):
        first = channel.deliver(QUESTION)
        for n in range(230):
            slack.post("U01DANA", f"reminder {n}")

        assert channel.find(QUESTION) == first

    @pytest.mark.parametrize(
        ("others", "expected"),
        [
            pytest.param(1_000, None, id="all-was-read"),
            pytest.param(1_001, UnknownOutcome, id="one-was-not"),
        ],
    )
    def test_what_was_not_read_to_its_beginning_does_not_say_no(
        self, slack, channel, others, expected
    ):
        for n in range(others):
            slack.post("U01DANA", f"reminder {n}")

        with pytest.raises(expected) if expected else nullcontext():
            assert channel.find(QUESTION) is None

    @pytest.mark.parametrize(
        ("method", "code"),
        [
            ("conversations.history", "internal_error"),
            ("conversations.history", "ratelimited"),
            ("conversations.history", "missing_scope"),
            ("conversations.open", "fatal_error"),
        ],
    )
    def test_a_history_that_cannot_be_read_now_is_read_later(self, slack, channel, method, code):
        slack.refuse(code, method=method)

        with pytest.raises(TemporaryFailure):
            channel.find(QUESTION)

    def test_a_conversation_that_cannot_be_opened_says_nothing(self, slack, channel):
        slack.deactivate("U01DANA")

        with pytest.raises(UnknownOutcome, match="cannot be looked up"):
            channel.find(QUESTION)


class TestSecrets:
    @pytest.mark.parametrize(
        "code", ["ratelimited", "invalid_auth", "user_not_found", "fatal_error", "no_text"]
    )
    def test_no_failure_shows_the_token(self, slack, channel, caplog, code):
        caplog.set_level(logging.DEBUG)
        slack.refuse(code)
        slack.refuse(code)

        with pytest.raises(ConnectorError) as caught:
            channel.deliver(QUESTION)
        told = "".join(traceback.format_exception(caught.value)) + repr(channel) + caplog.text
        assert TOKEN not in told

    def test_a_token_with_a_line_in_it_is_refused_without_being_shown(self, slack):
        with pytest.raises(PermanentFailure, match="copy it once more") as caught:
            SlackChannel("slack", "xoxb-1\nX-Evil: 1", slack.url)
        assert "xoxb" not in str(caught.value)

    def test_no_proxy_is_heeded_beside_the_proxy(self, slack):
        # In a process of its own: urllib keeps the first proxies it sees for good.
        environ = {**os.environ, "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
        program = (
            "import sys; from connectors.slack.channel import SlackChannel;"
            "from decisions.ports import Message;"
            "message = Message.model_validate_json(sys.argv[3]);"
            "SlackChannel('slack', sys.argv[1], sys.argv[2]).deliver(message)"
        )
        arguments = [slack.token, slack.url, QUESTION.model_dump_json()]

        subprocess.run([sys.executable, "-c", program, *arguments], env=environ, check=True)

        assert len(slack.messages_to("U01DANA")) == 1


class TestTheManifest:
    @pytest.fixture
    def manifest(self):
        return YAML(typ="safe").load(MANIFEST)

    @pytest.fixture
    def scopes(self, manifest):
        return frozenset(manifest["oauth_config"]["scopes"]["bot"])

    def test_its_scopes_suffice(self, scopes):
        with FakeSlack(token=TOKEN, scopes=scopes) as slack:
            slack.add_person("U01DANA", email="dana.reyes@larkfield.example")
            channel = SlackChannel("slack", slack.token, slack.url)

            by_id, by_email = channel.deliver(QUESTION), channel.deliver(BY_EMAIL)

            assert channel.find(QUESTION) in {by_id, by_email}

    @pytest.mark.parametrize(
        "scope", ["chat:write", "im:write", "im:history", "users:read", "users:read.email"]
    )
    def test_none_of_them_can_be_spared(self, scopes, scope):
        with FakeSlack(token=TOKEN, scopes=scopes - {scope}) as slack:
            slack.add_person("U01DANA", email="dana.reyes@larkfield.example")
            channel = SlackChannel("slack", slack.token, slack.url)

            with pytest.raises(TemporaryFailure, match=f"it needs the scope '{scope}'"):
                [channel.deliver(QUESTION), channel.deliver(BY_EMAIL), channel.find(QUESTION)]

    def test_there_are_no_others(self, scopes):
        assert scopes == {"chat:write", "im:write", "im:history", "users:read", "users:read.email"}
        assert scopes == set(SCOPES)

    def test_it_has_what_slack_accepts(self, manifest):
        about = manifest["display_information"]

        assert set(manifest) == {"display_information", "features", "oauth_config", "settings"}
        assert len(about["name"]) <= 35
        assert len(about["description"]) <= 140
        assert manifest["settings"]["interactivity"]["request_url"].startswith("https://")

    def test_it_leads_to_what_the_inbox_serves(self, manifest):
        told = manifest["settings"]

        assert told["interactivity"]["request_url"].endswith(PATH)
        assert told["event_subscriptions"]["request_url"].endswith(EVENTS)
        assert told["event_subscriptions"]["bot_events"] == ["app_home_opened"]
        assert manifest["features"]["app_home"]["home_tab_enabled"]
        assert set(told) == {
            "event_subscriptions", "interactivity", "org_deploy_enabled", "socket_mode_enabled",
            "token_rotation_enabled",
        }  # fmt: skip

    def test_people_can_be_sent_direct_messages(self, manifest):
        assert manifest["features"]["app_home"]["messages_tab_enabled"]
