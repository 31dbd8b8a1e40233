import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from connectors.slack.blocks import asks, carries, payload
from connectors.slack.forms import (
    Opening,
    done_form,
    override_form,
    reassign_form,
    snooze_form,
    written,
)
from connectors.slack.home import Waiting, home
from connectors.slack.limits import (
    BEST_TEXT,
    home_breaches,
    length,
    message_breaches,
    view_breaches,
)
from connectors.slack.preview import PreviewChannel, as_html, as_terminal
from connectors.slack.texts import escape, fitting, one_line, unescape
from decisions.ports import Addressee, Channel, Fact, Kind, Message

EXPECTED = Path(__file__).parent / "expected"

DANA = Addressee(
    person="dana.reyes",
    name="Dana Reyes",
    email="dana.reyes@larkfield.example",
    slack="U01DANA",
    zone="Europe/London",
)
ASKED = Message(
    key="CSC-2417:0:0:dana.reyes:asked",
    kind=Kind.ASKED,
    to=DANA,
    decision="churn-save-call",
    case="CSC-2417",
    title="Call R&D Partners before 3 January 2027",
    why="91% likely to leave, USD 80,000 a year, renews 3 January 2027",
    facts=(
        Fact(label="churn probability", text="91%"),
        Fact(label="arr", text="USD 80,000"),
        Fact(label="top reasons", text="usage <50%, *no* champion"),
    ),
    owner="Omar Haddad",
    answer_by=datetime(2026, 11, 24, 17, 30, tzinfo=UTC),
    reasons=("already in contact", "data is wrong"),
    url="https://inbox.larkfield.example/cases/CSC-2417?from=slack&tab=1",
)
ESCALATED = ASKED.model_copy(
    update={
        "key": "CSC-2417:0:1:omar.haddad:escalated",
        "kind": Kind.ESCALATED,
        "to": DANA.model_copy(update={"zone": "America/New_York"}),
        "lead": "Dana Reyes has not answered within 4 working hours",
    }
)
REMINDED = ASKED.model_copy(
    update={
        "key": "CSC-2417:1:1:dana.reyes:reminded",
        "kind": Kind.REMINDED,
        "lead": "You acknowledged this case and it is not completed yet",
        "url": None,
    }
)
WITHHELD = Message(
    key="run 31:0:0:lee.park:withheld",
    kind=Kind.WITHHELD,
    to=DANA.model_copy(update={"zone": "UTC"}),
    decision="churn-save-call",
    lead="Nothing was decided",
    title="The batch of 24 November was withheld",
    why="The newest signal is 31 hours old; at most 26 hours are allowed",
    owner="Omar Haddad",
    url="https://inbox.larkfield.example/runs/31",
)
EVERY_KIND = {"asked": ASKED, "escalated": ESCALATED, "reminded": REMINDED, "withheld": WITHHELD}

FEW = settings(max_examples=25, deadline=None)
NASTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "",
            " \n\t ",
            "<!channel> <@U01OMAR> <https://evil.example|Sign in>",
            "*bold* _it_ ~gone~ `code` @here https://evil.example",
            "\nAcknowledged by Omar Haddad",
            "\x00\x07 NUL \u202e desrever \u2028 line",
            "שלום عالم",
            "👩‍👩‍👧‍👦" * 400,
            "&" * 5_000,
            "x" * 10_000,
            "\U0001f600" * 5_000,
        ]
    ),
)
HOSTILE = st.builds(
    Message,
    key=st.from_regex(r"[A-Z]{2,4}-\d{1,6}:\d:\d:[a-z.]{1,300}:[a-z]{5,9}", fullmatch=True),
    kind=st.sampled_from(Kind),
    to=st.builds(
        Addressee,
        person=st.just("dana.reyes"),
        name=NASTY,
        email=NASTY,
        slack=st.none(),
        zone=st.sampled_from(["Europe/London", "Asia/Kathmandu", "Mars/Olympus", "", "../x"]),
    ),
    decision=NASTY,
    case=st.none() | st.from_regex(r"[A-Z]{2,4}-\d{1,6}", fullmatch=True),
    lead=st.none() | NASTY,
    title=NASTY,
    why=NASTY,
    facts=st.lists(st.builds(Fact, label=NASTY, text=NASTY), max_size=30).map(tuple),
    owner=NASTY,
    answer_by=st.none() | st.datetimes(timezones=st.just(UTC)),
    reasons=st.lists(NASTY, max_size=3).map(tuple),
    url=st.none() | NASTY | st.just("https://inbox.larkfield.example/" + "a" * 4_000),
)


class TestWhatIsSent:
    @pytest.mark.parametrize("kind", EVERY_KIND)
    def test_each_kind_of_message_is_as_agreed(self, kind):
        expected = json.loads((EXPECTED / f"slack-{kind}.json").read_text())

        assert payload(EVERY_KIND[kind]) == expected

    def test_the_text_alone_tells_everything(self):
        text = payload(ESCALATED)["text"].splitlines()

        assert text == [
            "Dana Reyes has not answered within 4 working hours",
            "Call R&amp;D Partners before 3 January 2027",
            "91% likely to leave, USD 80,000 a year, renews 3 January 2027",
            "churn probability: 91%",
            "arr: USD 80,000",
            "top reasons: usage &lt;50%, *no* champion",
            "Due Tue 24 Nov, 12:30 (America/New_York)",
            "Accountable: Omar Haddad",
            "CSC-2417 · churn-save-call",
            "https://inbox.larkfield.example/cases/CSC-2417?from=slack&amp;tab=1",
        ]

    @pytest.mark.parametrize(
        ("message", "buttons"),
        [
            pytest.param(
                ASKED, ["acknowledge", "done", "override", "snooze", "reassign", "open"], id="asked"
            ),
            pytest.param(
                REMINDED,
                ["done", "override", "snooze", "reassign"],
                id="reminded-has-acknowledged-already",
            ),
            pytest.param(
                ESCALATED.model_copy(update={"acknowledged": True}),
                ["done", "override", "snooze", "reassign", "open"],
                id="escalated-while-somebody-has-it",
            ),
            pytest.param(WITHHELD, [], id="about-a-run"),
            pytest.param(
                ASKED.model_copy(update={"answer_by": None, "reasons": ()}),
                [],
                id="for-information",
            ),
            pytest.param(
                ASKED.model_copy(update={"reasons": (), "url": None}),
                ["acknowledge", "done", "snooze", "reassign"],
                id="no-reason-to-override",
            ),
        ],
    )
    def test_buttons_stand_where_an_answer_is_asked_for(self, message, buttons):
        rows = [block for block in payload(message)["blocks"] if block["type"] == "actions"]

        assert [button["action_id"] for row in rows for button in row["elements"]] == buttons
        assert asks(message) is bool(buttons)

    def test_a_button_carries_the_case_and_nothing_else(self):
        [row] = [block for block in payload(ASKED)["blocks"] if block["type"] == "actions"]

        assert {button.get("value", "CSC-2417") for button in row["elements"]} == {"CSC-2417"}

    def test_a_long_title_is_a_section_since_a_header_has_no_room(self):
        message = ASKED.model_copy(update={"title": "Call " + "Partners " * 20})

        kinds = [block["type"] for block in payload(message)["blocks"]]

        assert kinds[0] == "section"

    def test_what_is_over_is_counted(self):
        facts = tuple(Fact(label=f"fact {n}", text="1") for n in range(32))
        message = ASKED.model_copy(update={"facts": facts})

        sent = payload(message)

        assert "… 12 more, see the case's page" in json.dumps(sent["blocks"], ensure_ascii=False)
        assert "… 12 more, see the case's page" in sent["text"]

    def test_an_unknown_zone_costs_nobody_the_message(self):
        message = ASKED.model_copy(update={"to": DANA.model_copy(update={"zone": "Mars/Olympus"})})

        assert "Answer by Tue 24 Nov, 17:30 (UTC)" in payload(message)["text"]


class TestReadingBack:
    def test_the_delivery_is_known_by_its_metadata(self):
        assert carries({"metadata": payload(ASKED)["metadata"]}, ASKED.key)

    @pytest.mark.parametrize("key", [ASKED.key, "k" * 1_000], ids=["usual", "long"])
    def test_or_by_a_block_where_metadata_is_dropped(self, key):
        message = ASKED.model_copy(update={"key": key})

        assert carries({"blocks": payload(message)["blocks"]}, key)

    def test_another_delivery_of_the_same_case_is_another(self):
        assert not carries(payload(ASKED), ESCALATED.key)

    def test_what_others_wrote_is_no_delivery(self):
        assert not carries({"text": "hello", "metadata": None, "blocks": None}, ASKED.key)


class TestHostileData:
    @FEW
    @given(HOSTILE)
    def test_everything_stays_within_slacks_limits(self, message):
        sent = payload(message)

        assert message_breaches(sent) == []
        assert length(sent["text"]) <= BEST_TEXT
        for block in Block.parse_all(sent["blocks"]):
            block.validate_json()

    @FEW
    @given(HOSTILE)
    def test_no_value_can_mention_link_or_draw_a_line(self, message):
        sent = payload(message.model_copy(update={"url": None}))
        texts = [sent["text"], *_strings(sent["blocks"])]

        assert not any(character in text for text in texts for character in "<>\x00\u202e\u2028")
        assert not any("\n" in text for text in texts[1:])

    @FEW
    @given(HOSTILE)
    def test_only_labels_and_our_own_link_are_markup(self, message):
        styled = [text for text in _texts(payload(message)["blocks"]) if text["type"] == "mrkdwn"]

        for text in styled:
            assert text["verbatim"]
            assert re.fullmatch(r"\*[^*_~`<>]+\*|<https?://[^\s<>|]+\|Open the page>", text["text"])

    @FEW
    @given(HOSTILE)
    def test_the_same_message_is_always_cut_in_the_same_place(self, message):
        assert payload(message) == payload(message.model_copy(deep=True))

    @FEW
    @given(HOSTILE)
    def test_the_last_block_is_ours(self, message):
        last = payload(message)["blocks"][-1]

        assert last["block_id"].startswith("delivery:")
        assert last["elements"][0]["text"].startswith("Accountable: ")

    @FEW
    @given(HOSTILE)
    def test_the_preview_draws_it_too(self, message):
        drawn = in_a_terminal(message)

        assert "Accountable: " in drawn
        assert "<script" not in as_html(message)


class TestTexts:
    @FEW
    @given(st.text(st.characters(exclude_categories=()), max_size=300), st.integers(1, 200))
    def test_a_cut_text_fits_and_is_a_beginning(self, text, limit):
        cut = fitting(text, limit)

        assert length(cut) <= limit
        assert one_line(text).startswith(unescape(cut).removesuffix("…"))
        cut.encode()

    def test_an_escape_is_never_cut_in_half(self):
        assert fitting("R&D", 5) == "R…"
        assert fitting("R&D", 7) == "R&amp;D"

    def test_escaping_can_be_undone(self):
        assert unescape(escape("a &lt; b <c> & d")) == "a &lt; b <c> & d"


class TestLimits:
    @pytest.mark.parametrize(
        ("broken", "found"),
        [
            pytest.param({"text": ""}, "a message needs text or blocks", id="nothing"),
            pytest.param({"text": "x" * 40_001}, "text is over 40000", id="text"),
            pytest.param({"blocks": [{"type": "actions", "elements": []}]}, "0 actions", id="none"),
            pytest.param(
                {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]},
                "text has 3001 characters",
                id="section",
            ),
            pytest.param(
                {"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]},
                "header is of type 'mrkdwn'",
                id="header",
            ),
            pytest.param(
                {"blocks": [{"type": "section", "block_id": "a", "text": {}}] * 2},
                "a block_id stands twice",
                id="block-id",
            ),
            pytest.param(
                {"text": "x", "metadata": {"event_type": "e", "event_payload": {"a": {}}}},
                "metadata 'a' is not flat",
                id="metadata",
            ),
            pytest.param({"blocks": [{"type": "video"}]}, "'video' is not known", id="unknown"),
        ],
    )
    def test_what_slack_would_refuse_is_found(self, broken, found):
        assert found in "; ".join(message_breaches(broken))


class TestPreview:
    def test_it_is_a_channel(self):
        assert isinstance(PreviewChannel("slack"), Channel)

    def test_it_takes_every_message_and_sends_none(self):
        now = datetime(2026, 11, 24, 9, tzinfo=UTC)
        channel = PreviewChannel("slack", clock=lambda: now)

        receipt = channel.deliver(ASKED)

        assert receipt.reference == f"preview/{ASKED.key}"
        assert receipt.accepted_at == now
        assert channel.find(ASKED) is None

    def test_a_terminal_shows_what_slack_would(self):
        assert in_a_terminal(ESCALATED) == (EXPECTED / "slack-terminal.txt").read_text()

    def test_a_page_shows_what_slack_would(self):
        assert str(as_html(ESCALATED)) + "\n" == (EXPECTED / "slack-page.html").read_text()

    def test_a_page_shows_data_as_text(self):
        message = ASKED.model_copy(update={"title": "<script>alert(1)</script>"})

        page = as_html(message)

        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
OPENING = Opening("CSC-2417", "Call Brightwater", "https://hooks.slack.com/actions/1")
OPENINGS = st.builds(
    Opening,
    case=st.from_regex(r"[A-Z]{2,4}-\d{1,18}", fullmatch=True),
    title=NASTY,
    reply_to=st.just("https://hooks.slack.com/actions/" + "x" * 200),
)


class TestForms:
    @FEW
    @given(OPENINGS, st.lists(NASTY, min_size=1, max_size=20, unique=True))
    def test_any_data_fits_every_form(self, opening, texts):
        named = {text: text for text in texts}
        for form in (
            override_form(opening, texts),
            done_form(opening, named, now=NOW),
            snooze_form(opening, until=NOW),
            reassign_form(opening, named),
        ):
            assert view_breaches(form) == []
            View(**form).validate_json()

    def test_what_was_written_comes_back(self):
        reasons = ("already in contact", "data is wrong " * 40)
        form = override_form(OPENING, reasons)
        option = form["blocks"][1]["element"]["options"][1]
        state = {
            "reason": {"reason": {"selected_option": option}},
            "note": {"note": {"value": " They renewed yesterday. "}},
        }

        found = written({**form, "state": {"values": state}})

        assert (found.move, found.case) == ("override", "CSC-2417")
        assert found.choice(reasons) == reasons[1]
        assert found.note == "They renewed yesterday."
        assert found.reply_to == "https://hooks.slack.com/actions/1"

    def test_an_instant_that_was_picked_comes_back_in_utc(self):
        form = snooze_form(OPENING, until=NOW)
        state = {"until": {"until": {"selected_date_time": 1_795_511_400}}}

        assert written({**form, "state": {"values": state}}).instant == datetime(
            2026, 11, 24, 9, 10, tzinfo=UTC
        )

    @pytest.mark.parametrize("count", [100, 101])
    def test_up_to_a_hundred_people_are_listed_and_beyond_anybody_can_be_picked(self, count):
        form = reassign_form(OPENING, {f"p{n}": f"Person {n}" for n in range(count)})

        element = form["blocks"][1]["element"]
        assert element["type"] == ("static_select" if count == 100 else "users_select")

    @pytest.mark.parametrize(
        "view",
        [
            pytest.param({}, id="nothing"),
            pytest.param({"callback_id": "done", "private_metadata": "no json"}, id="garbage"),
            pytest.param({"callback_id": "other", "private_metadata": "{}"}, id="another-form"),
            pytest.param(
                {"callback_id": "done", "private_metadata": "[]", "state": {"values": {}}},
                id="no-case",
            ),
            pytest.param(
                {
                    "callback_id": "snooze",
                    "private_metadata": '{"case": "A-1", "reply_to": ""}',
                    "state": {"values": {"until": {"until": {"selected_date_time": 10**30}}}},
                },
                id="no-such-day",
            ),
        ],
    )
    def test_another_view_is_not_taken_for_one(self, view):
        with pytest.raises(ValueError, match=r"."):
            written(view)


WAITING = st.builds(
    Waiting,
    case=st.from_regex(r"[A-Z]{2,4}-\d{1,18}", fullmatch=True),
    decision=NASTY,
    title=NASTY,
    why=NASTY,
    due=st.none() | st.datetimes(timezones=st.just(UTC)),
    acknowledged=st.booleans(),
    can_override=st.booleans(),
    url=st.none() | NASTY,
)
CALL = Waiting(
    case="CSC-2417",
    decision="churn-save-call",
    title="Call R&D Partners before 3 January 2027",
    why="91% likely to leave, USD 80,000 a year",
    due=datetime(2026, 11, 24, 17, 30, tzinfo=UTC),
    acknowledged=False,
    can_override=True,
    url="https://inbox.larkfield.example/cases/CSC-2417",
)


class TestHome:
    @FEW
    @given(
        st.lists(WAITING, max_size=25, unique_by=lambda each: each.case),
        st.integers(0, 100_000),
        st.none() | NASTY,
    )
    def test_any_queue_fits(self, waiting, count, notice):
        view = home(waiting, count=count + len(waiting), zone="UTC", now=NOW, notice=notice)

        assert home_breaches(view) == []
        View(**view).validate_json()
        assert not any(mark in text for text in _strings(view["blocks"]) for mark in "<>\x00")

    def test_it_shows_what_waits_as_agreed(self):
        view = home(
            [CALL, replace(CALL, case="CSC-2418", acknowledged=True)],
            count=3,
            zone="Europe/London",
            now=NOW,
            notice="CSC-2416 is completed",
            url="https://inbox.larkfield.example",
        )

        assert view == json.loads((EXPECTED / "slack-home.json").read_text())

    def test_it_says_so_where_nothing_waits(self):
        texts = list(_strings(home((), count=0, zone="UTC", now=NOW)["blocks"]))

        assert texts[0] == "Nothing waits for you"

    @pytest.mark.parametrize(("minutes", "said"), [(509, "Answer by"), (510, "Overdue since")])
    def test_what_is_overdue_says_so(self, minutes, said):
        now = NOW + timedelta(minutes=minutes)

        view = home([CALL], count=1, zone="UTC", now=now)

        assert any(text.startswith(said) for text in _strings(view["blocks"]))


def in_a_terminal(message):
    written = io.StringIO()
    Console(file=written, width=100).print(as_terminal(message))
    return written.getvalue()


def _texts(blocks):
    for block in blocks:
        yield from block.get("fields", [])
        yield from (element for element in block.get("elements", []) if "text" in element)
        if "text" in block:
            yield block["text"]


def _strings(blocks):
    for text in _texts(blocks):
        yield text["text"] if isinstance(text["text"], str) else text["text"]["text"]
