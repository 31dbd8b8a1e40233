"""The loop, clicked through in a pretended Slack, with script switched off."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from connectors.testing.viewer import shown
from inbox.slack_preview import previewed
from tests.e2e.test_inbox_browser import FLAGS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        free = listening.getsockname()[1]
    with (
        previewed(tmp_path / "preview", port=0, inbox_port=free, accounts=600) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(address)
        yield page
        browser.close()


def pressed(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def test_a_case_is_acknowledged_and_done_and_the_message_follows(page):
    pressed(page, "Acknowledge")
    expect(page.get_by_text("is yours; complete it by").first).to_be_visible()
    expect(page.get_by_text("Acknowledged by").first).to_be_visible()

    pressed(page, "Done")
    page.get_by_label("In a sentence").fill("They stay, with ten seats more.")
    pressed(page, "Report it done")

    expect(page.get_by_text("They stay, with ten seats more.").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_is_wrong_in_a_form_is_said_beside_it(page):
    pressed(page, "Override")
    page.get_by_label("In a sentence").fill("They told us.")
    page.get_by_role("dialog").get_by_role("button", name="Override").click()

    expect(page.get_by_role("alert")).to_have_text("Choose a reason")


def test_a_form_that_is_sent_back_keeps_what_was_written_and_says_all_that_is_wrong(page):
    pressed(page, "Override")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Override").click()
    expect(page.get_by_role("alert")).to_have_text(["Choose a reason", "Say in a sentence why"])

    dialog.get_by_label("In a sentence").fill("They told us yesterday.")
    dialog.get_by_role("button", name="Override").click()

    expect(page.get_by_role("alert")).to_have_text(["Choose a reason"])
    expect(dialog.get_by_label("In a sentence")).to_have_value("They told us yesterday.")


def test_the_bare_address_leads_to_the_page_and_nothing_on_it_is_missing(page):
    missed = []
    page.on("response", lambda one: missed.append(one.url) if one.status >= 400 else None)

    page.goto(page.url.partition("/look")[0] + "/")

    expect(page.get_by_role("link", name="Home")).to_be_visible()
    assert missed == []


def test_the_home_is_the_queue_and_time_brings_the_next_person(page):
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", name="for you")).to_be_visible()
    before = page.locator("nav .count").count()

    pressed(page, "1 day later")

    assert page.locator("nav .count").count() > before


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ({"type": "plain_text", "text": "a &lt;b&gt; *c*"}, "a &lt;b&gt; *c*"),
        ({"type": "plain_text", "text": "<script>"}, "&lt;script&gt;"),
        ({"type": "mrkdwn", "text": "*a* &amp; b"}, "<strong>a</strong> &amp; b"),
        (
            {"type": "mrkdwn", "text": "<https://x.example/?a=1&amp;b=2|Open>"},
            '<a href="https://x.example/?a=1&amp;b=2">Open</a>',
        ),
        ({"type": "mrkdwn", "text": "&lt;script&gt;"}, "&lt;script&gt;"),
    ],
)
def test_texts_are_drawn_as_slack_draws_them_and_never_as_html(text, html):
    assert shown(text) == html
