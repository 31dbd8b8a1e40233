import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from connectors.testing.wire import HttpAnswer
from flows.settings import Settings
from inbox.app import create_app
from inbox.identity import SESSION
from tests.browsing import ACCOUNTS, HERE, Browser, Company, company_of, text
from tests.provider import CLIENT, STRANGE_KEY, Provider

MIA = {"email": "Mia@Larkfield.example", "email_verified": True}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(claims=dict(MIA)) as found:
        yield found


@pytest.fixture
def company(tmp_path: Path, provider: Provider) -> Iterator[Company]:
    """A company whose people sign in."""
    found = company_of(tmp_path, *ACCOUNTS, settings=provider.settings)
    yield found
    found.layer.ledger.close()


@pytest.fixture
def browser(company: Company) -> Browser:
    return Browser(create_app(company.layer))


def sign_in(browser: Browser, provider: Provider, back: str = "/") -> httpx.Response:
    led = browser.get(f"/sign-in?back={back}")
    assert led.status_code == 302
    return browser.get(provider.sent_back(led.headers["location"]).removeprefix(HERE))


def is_known(browser: Browser) -> bool:
    return "Your queue" in text(browser.get("/"))


def test_nothing_is_shown_before_somebody_has_signed_in(browser):
    addresses = ("/", "/everybody", "/messages", "/cases", "/cases/CSC-1", "/runs", "/me")
    pages = [browser.get(address) for address in addresses]

    assert {page.status_code for page in pages} == {401}
    assert [page for page in pages if "Acme" in page.text or "Mia" in page.text] == []
    assert 'href="/sign-in?back=/cases/CSC-1"' in pages[4].text
    assert "Local mode" not in pages[0].text


def test_whoever_the_provider_vouches_for_is_known_from_then_on(browser, provider):
    arrived = sign_in(browser, provider, back="/cases/CSC-1")

    assert (arrived.status_code, arrived.headers["location"]) == (303, "/cases/CSC-1")
    assert "Mia Chen" in text(browser.get("/"))
    assert browser.post("/cases/CSC-1/acknowledge").status_code == 303


def test_the_provider_is_asked_with_state_nonce_and_proof_key(browser, provider):
    led = urlsplit(browser.get("/sign-in").headers["location"])
    asked = {name: values[0] for name, values in parse_qs(led.query).items()}

    assert asked["client_id"] == CLIENT
    assert asked["redirect_uri"] == f"{HERE}/sign-in/back"
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked["state"]), len(asked["nonce"]), len(asked["code_challenge"])) >= 20


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"email": "eve@larkfield.example", "email_verified": True}, id="stranger"),
        pytest.param({"email": "mia@larkfield.example"}, id="address-not-verified"),
        pytest.param({"email": MIA["email"], "email_verified": "true"}, id="verified-in-words"),
        pytest.param({"email_verified": True}, id="no-address"),
        pytest.param({"https://slack.com/user_id": "U0EVE"}, id="strange-slack-id"),
        pytest.param({}, id="nothing"),
    ],
)
def test_whom_people_yaml_does_not_name_is_not_let_in(browser, provider, claims):
    provider.claims = claims

    page = sign_in(browser, provider)

    assert page.status_code == 403
    assert "nobody in people.yaml has your address" in text(page)
    assert not is_known(browser)


def test_slack_vouches_by_member_id(browser, provider):
    provider.claims = {"https://slack.com/user_id": "U01DANA", "email": MIA["email"]}

    sign_in(browser, provider)

    assert "Dana Reyes" in text(browser.get("/"))


def test_an_organisations_own_provider_may_name_another_claim(tmp_path, provider):
    told = {"oidc_email_claim": "preferred_username", "oidc_unverified": True}
    company = company_of(tmp_path, *ACCOUNTS, settings=provider.settings | told)
    provider.claims = {"preferred_username": "sam@larkfield.example"}
    browser = Browser(create_app(company.layer))

    sign_in(browser, provider)

    assert "Sam Ortiz" in text(browser.get("/"))
    company.layer.ledger.close()


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"nonce": "of-another-sign-in"}, id="nonce"),
        pytest.param({"aud": "another-program"}, id="audience"),
        pytest.param({"iss": "https://evil.example"}, id="issuer"),
        pytest.param({"exp": 1_000_000}, id="expired"),
    ],
)
def test_a_token_that_does_not_hold_lets_nobody_in(browser, provider, wrong):
    provider.wrong = wrong

    assert sign_in(browser, provider).status_code == 403
    assert not is_known(browser)


def test_a_token_signed_by_somebody_else_lets_nobody_in(browser, provider):
    provider.key = STRANGE_KEY

    assert sign_in(browser, provider).status_code == 403
    assert not is_known(browser)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(HttpAnswer(500, b"oops"), id="broken"),
        pytest.param(HttpAnswer(200, b"<html>", {"content-type": "text/html"}), id="no-json"),
        pytest.param(HttpAnswer(200, b'{"access_token": "x"}',
                                {"content-type": "application/json"}), id="no-id-token"),
        pytest.param(HttpAnswer(400, b'{"error": "invalid_grant"}',
                                {"content-type": "application/json"}), id="refused"),
    ],
)  # fmt: skip
def test_a_provider_that_fails_lets_nobody_in(browser, provider, fault):
    provider.fault = fault

    page = sign_in(browser, provider)

    assert page.status_code == 403
    assert "Traceback" not in page.text
    assert not is_known(browser)


def test_a_provider_out_of_reach_is_said(tmp_path, provider):
    nowhere = provider.settings | {"oidc_issuer": "http://127.0.0.1:9"}
    company = company_of(tmp_path, *ACCOUNTS, settings=nowhere)

    page = Browser(create_app(company.layer)).get("/sign-in")

    assert page.status_code == 502
    assert "cannot be reached" in text(page)
    company.layer.ledger.close()


def test_a_sign_in_that_another_browser_began_lets_nobody_in(company, browser, provider):
    led = browser.get("/sign-in").headers["location"]
    victim = Browser(create_app(company.layer))

    page = victim.get(provider.sent_back(led).removeprefix(HERE))

    assert page.status_code == 403
    assert not is_known(victim)


def test_a_code_counts_once(browser, provider):
    back = provider.sent_back(browser.get("/sign-in").headers["location"]).removeprefix(HERE)

    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403


def test_session_fixation_a_session_planted_before_is_not_the_one_after(company, browser, provider):
    browser.get("/sign-in")
    planted = browser.cookies[SESSION]

    sign_in(browser, provider)
    attacker = Browser(create_app(company.layer), {SESSION: planted})

    assert browser.cookies[SESSION] != planted
    assert not is_known(attacker)


@pytest.mark.parametrize("change", ["", "x", "{}", "null"])
def test_a_session_nobody_signed_counts_for_nothing(company, browser, provider, change):
    sign_in(browser, provider)
    whole = browser.cookies[SESSION]
    forged = change or whole[:-3] + ("aaa" if not whole.endswith("aaa") else "bbb")

    assert not is_known(Browser(create_app(company.layer), {SESSION: forged}))


def test_what_a_browser_says_of_itself_counts_for_nothing(company, browser):
    said = Browser(create_app(company.layer), {"followthrough_person": "dana.reyes"})

    assert not is_known(said)
    assert browser.post("/me", person="dana.reyes").status_code == 403


@pytest.mark.parametrize(
    ("later", "counts"),
    [
        pytest.param(timedelta(hours=12) - timedelta(seconds=1), True, id="within-the-day"),
        pytest.param(timedelta(hours=12), False, id="the-next-day"),
    ],
)
def test_a_session_ends_by_itself(company, browser, provider, later, counts):
    sign_in(browser, provider)

    company.clock.now += later

    assert is_known(browser) is counts


def test_signing_out_ends_the_session(browser, provider):
    sign_in(browser, provider)

    assert browser.post("/sign-out").status_code == 303
    assert not is_known(browser)


def test_the_session_is_out_of_the_reach_of_scripts_and_other_sites(browser, provider):
    sent = sign_in(browser, provider).headers.get_list("set-cookie")
    (cookie,) = [line for line in sent if line.startswith(SESSION)]

    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert "path=/" in cookie.lower()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_open_redirect_no_sign_in_leads_to_another_site(browser, provider, back):
    assert sign_in(browser, provider, back).headers["location"] == "/"


def test_who_tries_too_often_has_to_wait(browser):
    tries = [browser.get("/sign-in/back?code=guess&state=guess") for _ in range(11)]

    assert {each.status_code for each in tries[:10]} == {403}
    assert tries[10].status_code == 429
    assert 0 < int(tries[10].headers["retry-after"]) <= 60


def test_no_log_line_names_anybody(browser, provider, caplog):
    caplog.set_level(logging.DEBUG)
    sign_in(browser, provider)
    browser.post("/cases/CSC-1/done", note="Called Mia's old friend")
    provider.claims = {"email": "eve@evil.example", "email_verified": True}
    sign_in(browser, provider)
    provider.wrong = {"nonce": "eve@evil.example"}
    sign_in(browser, provider)

    told = "\n".join(
        line.getMessage() for line in caplog.records if line.name.startswith(("inbox", "decisions"))
    )
    assert "somebody signed in whom people.yaml does not name" in told
    assert re.findall(r"(?i)mia|eve|larkfield|old friend", told) == []


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"oidc_issuer": "https://id.example"}, id="issuer-alone"),
        pytest.param({"oidc_client_id": "x", "oidc_client_secret": "y"}, id="no-issuer"),
        pytest.param({"oidc_issuer": "id.example", "oidc_client_id": "x",
                      "oidc_client_secret": "y"}, id="no-address"),
        pytest.param({"oidc_issuer": "http://id.example", "oidc_client_id": "x",
                      "oidc_client_secret": "y"}, id="in-the-clear"),
    ],
)  # fmt: skip
def test_half_a_sign_in_is_refused_at_the_start(told):
    with pytest.raises(ValidationError):
        Settings(**told)


class TestLocalMode:
    @pytest.fixture
    def local(self, tmp_path: Path) -> Iterator[Company]:
        found = company_of(tmp_path, *ACCOUNTS)
        yield found
        found.layer.ledger.close()

    @pytest.mark.parametrize(
        ("address", "status"),
        [
            ("127.0.0.1", 200), ("127.8.9.1", 200), ("::1", 200),
            ("10.0.0.7", 403), ("192.168.1.20", 403), ("2001:db8::1", 403), ("", 403),
        ],
    )  # fmt: skip
    def test_serves_the_machine_it_runs_on_and_no_other(self, local, address, status):
        browser = Browser(create_app(local.layer), {"followthrough_person": "mia.chen"}, address)

        assert browser.get("/").status_code == status

    @pytest.mark.parametrize("path", ["/healthz", "/metrics", "/livez"])
    def test_tells_machines_elsewhere_whether_all_is_well(self, local, path):
        assert Browser(create_app(local.layer), {}, "10.0.0.7").get(path).status_code == 200

    def test_has_no_sign_in_to_speak_of(self, local):
        assert local.visited_by().get("/sign-in").status_code == 404


def test_who_signs_in_again_and_again_need_not_wait(browser, provider):
    found = [sign_in(browser, provider).status_code for _ in range(12)]

    assert set(found) == {303}
