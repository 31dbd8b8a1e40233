"""Everything that can be rendered to Slack, over hostile data, before four referees."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.slack.blocks import payload
from connectors.slack.forms import done_form, override_form, reassign_form, snooze_form
from connectors.slack.home import home
from connectors.slack.limits import (
    BEST_TEXT,
    home_breaches,
    length,
    message_breaches,
    view_breaches,
)
from decisions.ports import Fact
from tests.referees import blockkit_takes, slack_sdk_takes, slackblocks_takes, texts
from tests.unit.test_slack_blocks import ASKED, FEW, HOSTILE, NASTY, NOW, OPENINGS, WAITING

REFEREES = [slack_sdk_takes, blockkit_takes, slackblocks_takes]
MEGABYTES = "\U0001f926\u200d ,\ud800\x00\u05e9\u05dc\u05d5\u05dd <!channel> " * 60_000
IMITATION = "Acknowledged by Omar Haddad, Mon 16 Nov, 09:00 (UTC)"
INJECTIONS = [
    "<!channel>", "<!here>", "<@U01OMAR>", "<#C01SALES>", "<https://evil.example|Sign in>",
    "<mailto:a@b.c>", "<!subteam^S1>", "*bold* _it_ ~no~ `code` ```pre```", "@channel @here",
    "&lt;!channel&gt;", "https://evil.example", ":tada:", "\n> quoted", "=HYPERLINK(1)",
]  # fmt: skip

forms = st.tuples(OPENINGS, st.lists(NASTY, min_size=1, max_size=20, unique=True)).flatmap(
    lambda drawn: st.sampled_from(
        [
            override_form(drawn[0], drawn[1]),
            done_form(drawn[0], {text: text for text in drawn[1]}, now=NOW),
            snooze_form(drawn[0], until=NOW),
            reassign_form(drawn[0], {text: text for text in drawn[1]}),
        ]
    )
)
homes = st.builds(
    lambda cases, notice, url: home(
        cases, count=len(cases), zone="UTC", now=NOW, notice=notice, url=url
    ),
    st.lists(WAITING, max_size=25, unique_by=lambda each: each.case),
    st.none() | NASTY,
    st.none() | NASTY | st.just("https://inbox.larkfield.example"),
)


@pytest.mark.parametrize("takes", REFEREES)
class TestTheReferees:
    @FEW
    @given(HOSTILE)
    def test_take_every_message(self, takes, message):
        assert takes(message=payload(message))

    @FEW
    @given(forms)
    def test_take_every_form(self, takes, form):
        assert takes(view=form)

    @FEW
    @given(homes)
    def test_take_every_home(self, takes, view):
        assert takes(view=view)

    @pytest.mark.parametrize(
        "breach",
        [
            pytest.param({"type": "header", "text": "x" * 151}, id="header"),
            pytest.param({"type": "section", "text": "x" * 3_001}, id="section"),
        ],
    )
    def test_refuse_what_slack_would(self, takes, breach):
        text = {"type": "plain_text", "text": breach["text"], "emoji": False}

        with pytest.raises(Exception, match=r"15\d|3\d\d\d|exceed|length|max"):
            takes(message={"text": "x", "blocks": [breach | {"text": text}]})


class TestOurLinter:
    @FEW
    @given(HOSTILE)
    def test_takes_every_message(self, message):
        assert message_breaches(payload(message)) == []

    @FEW
    @given(forms)
    def test_takes_every_form(self, form):
        assert view_breaches(form) == []

    @FEW
    @given(homes)
    def test_takes_every_home(self, view):
        assert home_breaches(view) == []


class TestF27Oversize:
    def test_megabytes_and_ten_thousand_fields_become_one_message_that_every_referee_takes(self):
        facts = tuple(Fact(label=MEGABYTES[:500], text=MEGABYTES[:50_000]) for _ in range(32))
        facts += tuple(Fact(label=f"field {n}", text="1") for n in range(10_000))
        message = ASKED.model_copy(
            update={"title": MEGABYTES, "why": MEGABYTES, "owner": MEGABYTES, "facts": facts}
        )

        sent = payload(message)

        assert message_breaches(sent) == []
        assert all(takes(message=sent) for takes in REFEREES)
        assert length(sent["text"]) <= BEST_TEXT
        assert "… 10,012 more, see the case's page" in list(texts(sent["blocks"]))
        assert payload(message) == sent

    @pytest.mark.parametrize("character", ["\x00", "\ud800", "\u202e", "\u2028", "\ufffe"])
    def test_what_no_reader_could_take_is_left_out(self, character):
        sent = payload(ASKED.model_copy(update={"title": f"Call{character}acme"}))

        assert next(iter(texts(sent["blocks"]))) == "Call acme"


class TestF28Injection:
    @pytest.mark.parametrize("text", INJECTIONS)
    @pytest.mark.parametrize("part", ["title", "why", "owner", "lead", "decision", "standing"])
    def test_no_value_links_mentions_or_styles(self, part, text):
        sent = payload(ASKED.model_copy(update={part: text, "url": None}))

        assert_harmless([sent["text"], *texts(sent["blocks"])])
        assert_plain(sent["blocks"], but_labels=True)

    @pytest.mark.parametrize("text", INJECTIONS)
    def test_neither_does_a_fact(self, text):
        sent = payload(ASKED.model_copy(update={"facts": (Fact(label=text, text=text),)}))

        assert_harmless(texts(sent["blocks"]))
        assert_plain(sent["blocks"], but_labels=True)

    @FEW
    @given(forms | homes)
    def test_forms_and_homes_hold_no_markup_at_all(self, view):
        assert_harmless(texts(view["blocks"]))
        assert_plain(view["blocks"])


def assert_harmless(found):
    assert not [
        text for text in found if re.search(r"<(?!https?://[^\s<>|]+\|Open the page>)", text)
    ]


def assert_plain(part, *, but_labels=False):
    """Say that data stands in plain text alone, whose emoji are no pictures."""
    if isinstance(part, list):
        for each in part:
            assert_plain(each, but_labels=but_labels)
    elif isinstance(part, dict):
        if part.get("type") == "plain_text":
            assert part["emoji"] is False
        if part.get("type") == "mrkdwn":
            assert but_labels
            assert part["verbatim"]
            assert re.fullmatch(r"\*[^*_~`<>]+\*|<https?://[^\s<>|]+\|Open the page>", part["text"])
        for value in part.values():
            assert_plain(value, but_labels=but_labels)


class TestF29Imitation:
    @pytest.mark.parametrize("part", ["title", "why", "owner", "decision", "lead"])
    def test_the_line_on_how_a_case_stands_is_ours_and_last(self, part):
        message = ASKED.model_copy(
            update={part: IMITATION, "standing": "Overridden by Mia Chen", "answer_by": None}
        )

        *others, last = payload(message)["blocks"]

        assert last == {
            "type": "context",
            "elements": [{"type": "plain_text", "text": "Overridden by Mia Chen", "emoji": False}],
        }
        assert IMITATION in " ".join(texts(others))

    @pytest.mark.parametrize("label", ["Acknowledge", "Done", "Answer by Tue 24 Nov", IMITATION])
    def test_a_fact_stands_beside_its_label_and_makes_no_button(self, label):
        message = ASKED.model_copy(update={"facts": (Fact(label=label, text=label),)})

        sent = payload(message)["blocks"]

        holding = [
            block["type"] for block in sent if label in list(texts(block)) and "fields" in block
        ]
        assert holding == ["section"]
        [row] = [block for block in sent if block["type"] == "actions"]
        assert len({each["action_id"] for each in row["elements"]}) == len(row["elements"]) == 6

    def test_without_a_standing_the_last_block_is_who_is_accountable(self):
        message = ASKED.model_copy(update={"why": IMITATION, "answer_by": NOW})

        assert payload(message)["blocks"][-1]["block_id"].startswith("delivery:")
