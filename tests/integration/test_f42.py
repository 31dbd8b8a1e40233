"""F42: nothing that is logged tells a secret, whatever goes wrong and whoever logs it."""

import asyncio
import logging
import secrets
from datetime import timedelta

import httpx
import pytest

from connectors.testing import FakeSlack
from decisions.errors import ConnectorError
from flows import sweep, wiring
from flows.settings import Settings
from inbox.app import create_app
from tests.browsing import HERE
from tests.company import CHURN_SAVE_CALL, DECISION, write_scores, write_workspace
from tests.planted import lines_logged, planted, told_secrets
from tests.samples import MovableClock

pytestmark = pytest.mark.fault("F42")

EVERYWHERE = CHURN_SAVE_CALL.replace("through: [slack]", "through: [slack, mail, crm]")


@pytest.fixture
def slack():
    with FakeSlack() as slack:
        slack.add_person("U01MIA", email="mia@larkfield.example", name="Mia Chen")
        yield slack


@pytest.fixture
def layer(tmp_path, monkeypatch, slack):
    """A company whose every connection holds a planted secret, and whose log tells everything."""
    variables = {
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "MAIL_URL": f"smtp://desk:{planted(secrets.token_hex(8))}@127.0.0.1:9",
        "CRM_URL": f"http://127.0.0.1:9/{planted(secrets.token_hex(8))}",
        "CRM_SECRET": planted(f"whsec_{secrets.token_hex(32)}"),
        "FOLLOWTHROUGH_SECRET": planted(secrets.token_hex(32)),
        "FOLLOWTHROUGH_HEARTBEAT": f"http://127.0.0.1:9/{planted(secrets.token_hex(8))}",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    write_workspace(tmp_path, definition=EVERYWHERE)
    (tmp_path / "connections.yaml").write_text(
        "warehouse: {type: duckdb, path: warehouse.duckdb}\n"
        f'slack: {{type: slack, token: "${{SLACK_BOT_TOKEN}}", base_url: "{slack.url}",\n'
        '        signing_secret: "${SLACK_SIGNING_SECRET}"}\n'
        'mail: {type: mail, url: "${MAIL_URL}", sender: desk@larkfield.example}\n'
        'crm: {type: webhook, url: "${CRM_URL}", secret: "${CRM_SECRET}"}\n'
        'receipts: {type: receipts, secret: "${CRM_SECRET}"}\n'
    )
    clock = MovableClock()
    write_scores(tmp_path, [{"account_id": "acme"}], scored_at=clock())
    before, level = logging.getLogRecordFactory(), logging.getLogger().level
    made = wiring.assemble(Settings(workspace=tmp_path, home=tmp_path / "home"), clock)
    logging.getLogger().setLevel(logging.DEBUG)
    yield made
    logging.getLogger().setLevel(level)
    logging.setLogRecordFactory(before)
    made.ledger.close()


FAULTS = {
    "refused": lambda slack: slack.refuse("token_revoked"),
    "no-such-person": lambda slack: slack.refuse("user_not_found", method="users.info"),
    "cut-before": lambda slack: slack.cut_before_accept(),
    "cut-after": lambda slack: slack.cut_after_accept(),
    "html": lambda slack: slack.answer_html(502),
    "no-json": lambda slack: slack.answer_raw(b"\xff{"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_f42_no_fault_of_a_channel_brings_a_secret_or_an_address_into_a_log(layer, slack, fault):
    FAULTS[fault](slack)
    with lines_logged() as lines:
        sweep.decide(layer, DECISION)
        for _ in range(3):
            sweep.dispatch(layer)
            layer.clock.now += timedelta(minutes=10)

    assert lines
    assert told_secrets(lines) == []
    kept = [file.read_bytes().decode("latin-1") for file in layer.settings.home.glob("ledger.db*")]
    assert kept
    assert told_secrets(kept) == []
    assert [line for line in lines if "@larkfield.example" in line] == []


@pytest.mark.parametrize("name", ["mail", "crm"])
def test_f42_nor_does_what_a_channel_raises_once_it_is_logged(layer, name):
    from tests.integration.test_mail import QUESTION

    with lines_logged() as lines:
        try:
            layer.channels[name].deliver(QUESTION)
        except ConnectorError:
            logging.getLogger("flows.sweep").exception("a connector failed: %r", layer.channels)

    assert "a connector failed" in "\n".join(lines)
    assert told_secrets(lines) == []


def test_f42_nor_does_a_request_that_holds_one(layer, slack):
    app = create_app(layer)
    link = f"/answer/{planted(secrets.token_hex(20))}"

    async def ask():
        wire = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=wire, base_url=HERE) as client:
            headers = {"X-Slack-Signature": slack.signing_secret, "X-Slack-Request-Timestamp": "x"}
            await client.post("/slack/interactions", content=slack.token, headers=headers)
            await client.post("/receipts/receipts", content=slack.token, headers=headers)
            await client.get(link)

    with lines_logged() as lines:
        asyncio.run(ask())

    assert len([line for line in lines if line.startswith("inbox.")]) == 2
    assert told_secrets(lines) == []
