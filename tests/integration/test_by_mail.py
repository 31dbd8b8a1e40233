"""From a question that Slack could tell nobody, by e-mail, to the answer."""

import re
import socket
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller

from connectors.testing import FakeSlack
from flows import sweep
from inbox.app import create_app
from tests.browsing import Browser, text
from tests.company import CHURN_SAVE_CALL, DECISION, assembled, write_scores, write_workspace
from tests.integration.test_mail import Postmaster, part
from tests.samples import MovableClock

EITHER_WAY = CHURN_SAVE_CALL.replace("through: [slack]", "through: [slack, mail]")


@pytest.fixture
def postmaster():
    return Postmaster()


@pytest.fixture
def layer(tmp_path, monkeypatch, postmaster):
    """A company whose people no Slack knows, and who all have a mailbox."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(postmaster, hostname="127.0.0.1", port=port)
    controller.start()
    clock = MovableClock()
    with FakeSlack(clock=clock) as slack:
        monkeypatch.setenv("SLACK_BOT_TOKEN", slack.token)
        monkeypatch.setenv("MAIL_URL", f"smtp://127.0.0.1:{port}")
        write_workspace(tmp_path, definition=EITHER_WAY)
        (tmp_path / "connections.yaml").write_text(
            "warehouse: {type: duckdb, path: warehouse.duckdb}\n"
            f'slack: {{type: slack, token: "${{SLACK_BOT_TOKEN}}", base_url: "{slack.url}"}}\n'
            'mail: {type: mail, url: "${MAIL_URL}", sender: desk@larkfield.example}\n'
        )
        write_scores(tmp_path, [{"account_id": "acme"}], scored_at=clock())
        made = assembled(tmp_path, clock)
        sweep.decide(made, DECISION)
        yield made
        made.ledger.close()
    controller.stop()


def links_in(letter):
    return re.findall(r"http://127\.0\.0\.1:8484(/answer/\S+)", part(letter, "plain"))


def test_whom_slack_does_not_know_is_mailed_and_answers_by_their_own_link(layer, postmaster):
    sweep.dispatch(layer)

    [(to, letter)] = postmaster.taken
    assert to == "mia@larkfield.example"
    [link] = links_in(letter)
    browser = Browser(create_app(layer))
    assert "Call Acme Ltd" in text(browser.get(link))
    browser.post(f"{link}/acknowledge")

    case = layer.ledger.cases.dossier("CSC-1")
    assert (case.case.state, case.case.assignee) == ("acknowledged", "mia.chen")
    [told] = case.notifications
    assert (told.state, told.channel, told.reference) == ("sent", "mail", letter["Message-ID"])
    assert link.removeprefix("/answer/") not in str(told.message)


def test_a_letter_of_unknown_fate_is_sent_again_marked_and_under_the_same_id(layer, postmaster):
    postmaster.cut = True
    sweep.dispatch(layer)
    postmaster.cut = False

    for _ in range(6):
        layer.clock.now += timedelta(minutes=1)
        sweep.dispatch(layer)

    first, again = [letter for _, letter in postmaster.taken]
    assert first["Message-ID"] == again["Message-ID"]
    assert "Repeat: the first message could not be confirmed" not in part(first, "plain")
    assert "Repeat: the first message could not be confirmed" in part(again, "plain")
    [told] = layer.ledger.cases.dossier("CSC-1").notifications
    assert told.state == "sent"


def test_a_refused_mailbox_too_leaves_the_case_to_the_next_person(layer, postmaster):
    postmaster.recipient = "550 no such user"
    sweep.dispatch(layer)
    postmaster.recipient = "250 OK"
    layer.clock.now += timedelta(minutes=1)
    sweep.dispatch(layer)

    assert [to for to, _ in postmaster.taken] == ["omar@larkfield.example"]
    first, _ = layer.ledger.cases.dossier("CSC-1").notifications
    assert first.state == "unreachable"
    assert "refused with 550" in first.failure
