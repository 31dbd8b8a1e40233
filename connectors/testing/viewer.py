"""A pretended Slack as a person sees it: messages and the app's Home, with working buttons."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import unescape
from time import sleep
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from connectors.testing.slack import FakeSlack
from connectors.testing.team import Form, Member
from connectors.testing.wire import HttpAnswer, HttpRequest
from decisions.ports import Clock

PATH = "look"

_WALL = "%Y-%m-%dT%H:%M"
_AFTERWARDS = 0.4
"""Seconds left to what follows an answer, so that the next page shows it."""
_BOLD = re.compile(r"\*([^*\n]+)\*")
_LINK = re.compile(r"&lt;(https?://[^|&\s]+(?:&amp;[^|&\s]+)*)\|([^&]*)&gt;")

Control = Callable[[], object]


class Viewer:
    """Answers ``/look`` of a pretended Slack with pages that need no script.

    Args:
        slack: What is looked at.
        clock: Its clock.
        controls: More buttons, by what stands on them, such as one that lets time pass.
        title: What stands above everything.
    """

    def __init__(
        self,
        slack: FakeSlack,
        clock: Clock,
        *,
        controls: Mapping[str, Control] | None = None,
        title: str = "A pretended Slack",
    ) -> None:
        self._slack = slack
        self._clock = clock
        self._controls = dict(controls or {})
        self._title = title
        loader = PackageLoader("connectors.testing")
        self._templates = Environment(
            loader=loader, autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters["shown"] = shown
        slack.pages[PATH] = self.answer
        slack.pages[""] = lambda _request: HttpAnswer(303, b"", {"Location": f"/{PATH}"})

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Return the page, or do what was pressed and lead back to it."""
        path, query = urlsplit(request.path).path, _first(urlsplit(request.path).query)
        if request.verb == "GET":
            return _page(self._drawn(query.get("user", ""), query.get("tab", "messages"), query))
        said = _first(request.body.decode())
        user, tab = said.get("user", ""), said.get("tab", "messages")
        try:
            wrong = self._done(path.removeprefix(f"/{PATH}/"), user, said)
        except (LookupError, OSError, ValueError) as fault:
            wrong = str(fault) or type(fault).__name__
        sleep(_AFTERWARDS)
        place = f"/{PATH}?user={quote(user)}&tab={quote(tab)}&after=1"
        place += f"&wrong={quote(wrong)}" if wrong else ""
        return HttpAnswer(303, b"", {"Location": place})

    def _done(self, act: str, user: str, said: Mapping[str, str]) -> str:
        """Do one act, and return what Slack would show the person as wrong."""
        if act == "control":
            self._controls[said["control"]]()
            return ""
        if act == "cancel":
            self._form(said["form"]).closed = True
            return ""
        if act == "submit":
            form = self._form(said["form"])
            return _failed(self._slack.submit(form, _values(form, said, self._zone(user))))
        if act == "press-home":
            return _failed(self._slack.press_home(user, said["action"], said.get("value")))
        place = (said["channel"], said["ts"])
        message = next(m for m in self._slack.messages if (m.channel, m.ts) == place)
        return _failed(self._slack.press(message, said["action"], by=user))

    def _form(self, name: str) -> Form:
        return next(form for form in self._slack.forms if form.id == name)

    def _zone(self, user: str) -> ZoneInfo:
        return ZoneInfo(self._slack.people[user].zone)

    def _drawn(self, user: str, tab: str, query: Mapping[str, str]) -> str:
        people = list(self._slack.people.values())
        told = {person.id: len(self._slack.messages_to(person.id)) for person in people}
        people.sort(key=lambda person: (not told[person.id], person.name))
        chosen = self._slack.people.get(user) or (people[0] if people else None)
        if chosen is None:
            return "<p>Nobody is in this workspace.</p>"
        if tab == "home" and "after" not in query:  # what the app says of an answer stays in sight
            self._slack.open_home(chosen.id)
            sleep(_AFTERWARDS)
        return self._templates.get_template("look.html").render(
            title=self._title,
            people=people,
            told=told,
            me=chosen,
            tab=tab,
            lines=self._lines(chosen),
            home=self._slack.homes.get(chosen.id),
            form=self._open_form(chosen.id),
            controls=list(self._controls),
            wrong=query.get("wrong", ""),
            now=f"{self._there(self._clock(), chosen):%A, %d %B %Y, %H:%M}",
            when=lambda ts: f"{self._there(_instant(ts), chosen):%a %d %b, %H:%M}",
            wall=lambda seconds: f"{self._there(_instant(seconds), chosen):{_WALL}}",
        )

    def _lines(self, person: Member) -> list[Any]:
        private = [m for m in self._slack.everything if m.to == person.id and not m.deleted]
        return sorted(private, key=lambda message: float(message.ts))

    def _open_form(self, user: str) -> Form | None:
        still = [each for each in self._slack.forms if each.user == user and not each.closed]
        return still[-1] if still else None

    def _there(self, at: datetime, person: Member) -> datetime:
        return at.astimezone(ZoneInfo(person.zone))


def shown(text: Mapping[str, Any]) -> Markup:
    """Return a text object as Slack shows it, as HTML."""
    if text["type"] == "plain_text":
        return Markup.escape(unescape(text["text"])).replace("\n", Markup("<br>"))
    written = str(Markup.escape(unescape(text["text"])))
    written = _LINK.sub(r'<a href="\1">\2</a>', written)
    return Markup(_BOLD.sub(r"<strong>\1</strong>", written))  # noqa: S704  escaped above


def _values(form: Form, said: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for block in form.view["blocks"]:
        if block["type"] != "input":
            continue
        name, kind = block["block_id"], block["element"]["type"]
        written = said.get(f"field-{name}", "")
        if kind == "datetimepicker":
            wall = datetime.fromisoformat(written).replace(tzinfo=zone) if written else None
            values[name] = None if wall is None else int(wall.timestamp())
        elif written or kind == "plain_text_input":
            values[name] = written
    return values


def _failed(answer: HttpAnswer) -> str:
    if answer.status == 200:
        return ""
    return f"Slack would show an error here: the app answered {answer.status}"


def _first(query: str) -> dict[str, str]:
    found: Mapping[str, Sequence[str]] = parse_qs(query, keep_blank_values=True)
    return {name: values[0] for name, values in found.items()}


def _instant(ts: str | float) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


def _page(html: str) -> HttpAnswer:
    return HttpAnswer(200, html.encode(), {"content-type": "text/html; charset=utf-8"})
