"""What is mailed for a message: one pure function, text and HTML of the same content.

An e-mail cannot be changed once it is sent, so that nothing in it says how the case stands.
"""

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as spelt
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from decisions.ports import Addressee, Kind, Message

FACTS_SHOWN: Final = 40
_SUBJECT, _LINE, _WHY, _VALUE = 150, 300, 2_000, 1_000
_NOTHING = "-"
# Control characters, lone surrogates and what reorders the text after it: with any of them a value
# could write headers or lines of its own.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_LINK = re.compile(r"https?://[^\s<>|\"'\\]+")


_TEMPLATES: Final = Environment(
    loader=PackageLoader("connectors.mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def letter(message: Message, *, sender: str, at: datetime) -> EmailMessage:
    """Return the e-mail for a message.

    Its Message-ID is made of the delivery id, so that every try bears the same one: a mailbox
    that knows it shows a repeat once. All letters about a case refer to one another.

    Args:
        message: What to say.
        sender: Whom it comes from, with or without a name.
        at: When it is sent (timezone-aware).
    """
    _, address = parseaddr(sender)
    domain = address.rpartition("@")[2]
    written = EmailMessage(SMTP if address.isascii() and message.to.email.isascii() else SMTPUTF8)
    written["From"] = sender
    written["To"] = message.to.email
    written["Subject"] = _subject(message)
    written["Date"] = format_datetime(at.astimezone(UTC))
    written["Message-ID"] = message_id(message, domain)
    if message.case:
        written["References"] = _identity("case", message.case, domain)
    written["Auto-Submitted"] = "auto-generated"
    values = _values(message)
    written.set_content(text(message), cte="quoted-printable")
    html = _TEMPLATES.get_template("letter.html").render(values)
    written.add_alternative(html, subtype="html", cte="quoted-printable")
    return written


def text(message: Message) -> str:
    """Return what the letter says to whoever reads no HTML."""
    return _TEMPLATES.get_template("letter.txt").render(_values(message))


def message_id(message: Message, domain: str) -> str:
    """Return the Message-ID that every try to hand the message over bears."""
    return _identity("message", message.key, domain)


def _identity(kind: str, name: str, domain: str) -> str:
    return f"<{sha256(f'{kind}:{name}'.encode()).hexdigest()[:40]}@{domain}>"


def _subject(message: Message) -> str:
    lead = {Kind.ESCALATED: "Nobody answered: ", Kind.REMINDED: "Reminder: "}.get(message.kind, "")
    return _fitting(f"{lead}{message.title or message.decision}", _SUBJECT)


def _values(message: Message) -> dict[str, Any]:
    title = _fitting(message.title, _LINE) or _fitting(message.decision, _LINE)
    lead, why = _fitting(message.lead or "", _LINE), _fitting(message.why, _WHY)
    facts = [
        {"label": _fitting(fact.label, _LINE) or _NOTHING, "text": _fitting(fact.text, _VALUE)}
        for fact in message.facts[:FACTS_SHOWN]
    ]
    about = " · ".join(_fitting(part, _LINE) for part in (message.case, message.decision) if part)
    return {
        "head": [line for line in (lead, title, why) if line],
        "lead": lead,
        "title": title,
        "why": why,
        "facts": facts,
        "more": len(message.facts) - len(facts),
        "deadline": _deadline(message),
        "answer": _link(message.answer_url),
        "url": _link(message.url),
        "name": _fitting(message.to.name, _LINE),
        "owner": _fitting(message.owner, _LINE) or _NOTHING,
        "about": about,
    }


def _deadline(message: Message) -> str:
    if message.answer_by is None:
        return ""
    ask = "Answer by" if message.kind is Kind.ASKED else "Due"
    return f"{ask} {_local(message.answer_by, message.to)}"


def _local(instant: datetime, to: Addressee) -> str:
    there = instant.astimezone(ZoneInfo(to.zone))
    return f"{spelt(there, 'EEE d MMM, HH:mm', locale='en')} ({to.zone})"


def _link(url: str | None) -> str:
    return url if url and _LINK.fullmatch(url) else ""


def _fitting(text: str, limit: int) -> str:
    line = " ".join(_UNSAFE.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
