import os
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from flows import sweep
from flows.wiring import Layer
from inbox.app import create_app
from tests.company import DECISION, assembled, write_scores, write_workspace
from tests.samples import MovableClock

PICTURES = os.environ.get("FOLLOWTHROUGH_TEST_PICTURES")
"""A folder to keep a picture of every page in, to look at them."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


class Office(NamedTuple):
    """A running inbox over a company with two cases for Mia."""

    address: str
    layer: Layer

    def state(self, key: str) -> str:
        return self.layer.ledger.cases.named(key).state


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = MovableClock()
    write_workspace(tmp_path)
    accounts = [{"account_id": "acme"}, {"account_id": "brook", "company": "B" * 120}]
    write_scores(tmp_path, accounts, scored_at=clock() - timedelta(hours=1))
    layer = assembled(tmp_path, clock)
    sweep.decide(layer, DECISION)
    sweep.dispatch(layer)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(layer), lifespan="off", log_level="warning", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield Office(f"http://127.0.0.1:{listening.getsockname()[1]}", layer)
        server.should_exit = True
        thread.join()
    layer.ledger.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(
    params=[
        pytest.param((DESK, "light"), id="desk-light"),
        pytest.param((DESK, "dark"), id="desk-dark"),
        pytest.param((PHONE, "light"), id="phone-light"),
        pytest.param((PHONE, "dark"), id="phone-dark"),
    ]
)
def window(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """A window with script switched off."""
    size, scheme = request.param
    context = chromium.new_context(viewport=size, color_scheme=scheme, java_script_enabled=False)
    yield context
    context.close()


def seen(page: Page, name: str) -> None:
    """Check that nothing hangs over the edge; keep a picture where one is asked for."""
    if PICTURES:
        width = page.evaluate("window.innerWidth")
        is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        file = f"{name}-{width}-{'dark' if is_dark else 'light'}.png"
        page.screenshot(path=Path(PICTURES) / file, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_from_the_queue_to_done_without_script(office, window):
    page = window.new_page()
    complaints, strangers = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: strangers.append(request.url))

    page.goto(office.address)
    seen(page, "who")
    page.get_by_role("button", name="Mia Chen").click()
    expect(page.get_by_role("heading", name="Your queue")).to_be_visible()
    seen(page, "queue")

    page.get_by_role("button", name="Acknowledge CSC-1").click()
    expect(page.get_by_role("status")).to_contain_text("CSC-1 is yours")
    assert office.state("CSC-1") == "acknowledged"
    seen(page, "acknowledged")

    page.get_by_role("link", name="Call Acme Ltd before").click()
    page.locator("summary", has_text="Done").click()
    page.get_by_label("What was done?").fill("ok")
    seen(page, "case")
    page.get_by_role("button", name="Report it done").click()
    expect(page.get_by_role("alert")).to_contain_text("Not recorded")
    expect(page.get_by_label("What was done?")).to_have_value("ok")
    seen(page, "refused")

    page.get_by_label("What was done?").fill("Called them, they stay with ten seats more")
    page.get_by_role("button", name="Report it done").click()
    expect(page.get_by_role("status")).to_contain_text("CSC-1 is completed")
    assert office.state("CSC-1") == "completed"
    seen(page, "done")
    assert [text for text in complaints if "422" not in text] == []
    assert [url for url in strangers if not url.startswith(office.address)] == []


def test_an_owner_walks_every_page_and_halts_a_decision_without_script(office, window):
    page = window.new_page()
    page.goto(office.address)
    page.get_by_role("button", name="Dana Reyes").click()
    for name in ("Everybody", "Messages", "Cases", "Decisions", "Runs", "Explain", "Ledger"):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        seen(page, name.lower())

    page.get_by_role("button", name="Verify the whole history").click()
    expect(page.get_by_role("status")).to_contain_text("The history holds")

    page.goto(f"{office.address}/explain?decision={DECISION}&subject=acme")
    expect(page.get_by_role("link", name="Open CSC-1")).to_be_visible()
    seen(page, "explained")

    page.goto(f"{office.address}/decisions/{DECISION}")
    seen(page, "decision")
    page.get_by_label("Why it has to stop").fill("The scores of today are wrong")
    page.get_by_role("button", name=f"Halt {DECISION}").click()
    expect(page.get_by_role("button", name=f"Resume {DECISION}")).to_be_visible()
    assert [each.by for each in office.layer.ledger.releases.halts()] == ["dana.reyes"]
    seen(page, "halted")


def test_many_are_acknowledged_at_once_without_script(office, window):
    page = window.new_page()
    page.goto(office.address)
    page.get_by_role("button", name="Mia Chen").click()

    for key in ("CSC-1", "CSC-2"):
        page.get_by_label(f"Tick {key}").check()
    page.get_by_role("button", name="Acknowledge those ticked").click()

    expect(page.get_by_role("status")).to_contain_text("acknowledged")
    assert {office.state(key) for key in ("CSC-1", "CSC-2")} == {"acknowledged"}


def test_the_queue_is_worked_by_keys_alone(office, chromium):
    context = chromium.new_context(viewport=DESK)
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(office.address)
    page.get_by_role("button", name="Mia Chen").click()

    expect(page.get_by_role("heading", name="Your queue")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Call Acme Ltd")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("a")

    expect(page.get_by_role("status")).to_contain_text("CSC-1 is yours")
    assert complaints == []
    context.close()


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("http://localhost:9", id="another-site"),
        pytest.param("http://127.0.0.1:9", id="another-port-of-this-machine"),
    ],
)
def test_a_form_of_another_site_answers_nothing(office, window, origin):
    page = window.new_page()
    page.goto(office.address)
    page.get_by_role("button", name="Mia Chen").click()
    trap = f"""<form method="post" action="{office.address}/cases/CSC-1/done">
        <input name="number" value="made-elsewhere-1"><input name="note" value="Gone">
        <button>Win a prize</button></form>"""
    window.route(f"{origin}/", lambda route: route.fulfill(body=trap, content_type="text/html"))

    page.goto(f"{origin}/")
    page.get_by_role("button", name="Win a prize").click()

    expect(page.get_by_text("Nothing was recorded")).to_be_visible()
    assert office.state("CSC-1") == "open"
