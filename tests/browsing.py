"""A browser without script, and a company for it to visit."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx

from flows import sweep, wiring
from flows.settings import Settings
from flows.wiring import Layer
from inbox.app import create_app
from tests.company import DECISION, write_scores, write_workspace
from tests.samples import MovableClock

HERE = "http://127.0.0.1:8484"
VOID = {"input", "img", "link", "meta", "br", "hr"}


@dataclass
class Company:
    """Larkfield Software on a Monday morning, and a browser for anybody in it."""

    layer: Layer
    clock: MovableClock

    def visited_by(self, person: str | None = None) -> "Browser":
        return Browser(create_app(self.layer), {"followthrough_person": person} if person else {})

    def forward(self, **span: float) -> None:
        self.clock.now += timedelta(**span)
        sweep.dispatch(self.layer)

    def state(self, key: str) -> str:
        return self.layer.ledger.cases.named(key).state

    def answers(self, key: str) -> list[tuple[str, str, bool]]:
        said = self.layer.ledger.cases.dossier(key).answers
        return [(one.kind, one.by, one.accepted) for one in said]


@dataclass
class Browser:
    """Sends what a browser without script would send, and keeps cookies."""

    app: Any
    cookies: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"

    def get(self, address: str, **headers: str) -> httpx.Response:
        return self._sent("GET", address, headers)

    def post(
        self, address: str, headers: dict[str, str] | None = None, **form: Any
    ) -> httpx.Response:
        form = {"number": "a-form-of-its-own-1"} | form
        return self._sent(
            "POST", address, {"Sec-Fetch-Site": "same-origin"} | (headers or {}), form
        )

    def _sent(
        self, method: str, address: str, headers: dict[str, str], form: dict[str, Any] | None = None
    ) -> httpx.Response:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = asyncio.run(self._over(method, address, {"Cookie": kept} | headers, form))
        for line in response.headers.get_list("set-cookie"):
            for name, cookie in SimpleCookie(line).items():
                if cookie["max-age"] == "0" or "1970" in cookie["expires"]:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = cookie.value
        return response

    async def _over(
        self, method: str, address: str, headers: dict[str, str], form: dict[str, Any] | None
    ) -> httpx.Response:
        wire = httpx.ASGITransport(
            self.app, raise_app_exceptions=False, client=(self.address, 50_000)
        )
        async with httpx.AsyncClient(transport=wire, base_url=HERE) as client:
            return await client.request(method, address, headers=headers, data=form)


class Outline(HTMLParser):
    """What of a page matters to somebody who does not see it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.labelled_inside: list[dict[str, str | None]] = []
        self._open: list[str] = []
        self.feed(page)
        self.unclosed = list(self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in VOID:
            self._open.append(tag)
        if tag in {"input", "select", "textarea"} and "label" in self._open:
            self.labelled_inside.append(found)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def text(response: httpx.Response) -> str:
    """Return what a reader reads, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.text)).split())


def keys(response: httpx.Response) -> list[str]:
    return re.findall(r'<h2><a href="/cases/([A-Z]+-\d+)">', response.text)


def company_of(
    folder: Path,
    *rows: dict[str, Any],
    settings: dict[str, Any] | None = None,
    people: str | None = None,
    is_run: bool = True,
    **workspace: Any,
) -> Company:
    """Return Larkfield with a layer over it; its decision is run once unless told otherwise."""
    clock = MovableClock()
    write_workspace(folder, **workspace)
    if people is not None:
        (folder / "people.yaml").write_text(people)
    write_scores(folder, rows, scored_at=clock() - timedelta(hours=1))
    known = {"workspace": folder, "home": folder / "home"} | (settings or {})
    layer = wiring.assemble(Settings(**known), clock)
    if is_run:
        sweep.decide(layer, DECISION)
        sweep.dispatch(layer)
    return Company(layer, clock)


ACCOUNTS = (
    {"account_id": "acme"},
    {"account_id": "brook", "arr": 9_000, "churn_probability": 0.7},
    {"account_id": "calder", "account_manager": "sam.ortiz", "churn_probability": 0.81},
)
"""Acme is the more pressing of Mia's two, Calder is Sam's."""
