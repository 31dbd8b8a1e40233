"""What Slack is sent for a message: one pure function, and its inverse for reading back."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from connectors.slack.limits import BEST_TEXT, BUTTON_TEXT, HEADER, ID, SECTION_FIELDS, URL
from connectors.slack.texts import NOTHING, fitting, length, one_line
from decisions.ports import Fact, Kind, Message

ACKNOWLEDGE, DONE, OVERRIDE = "acknowledge", "done", "override"
SNOOZE, REASSIGN, OPEN = "snooze", "reassign", "open"
"""The ``action_id`` of each button."""
ANSWERS = (ACKNOWLEDGE, DONE, OVERRIDE, SNOOZE, REASSIGN)
"""Those that answer; the other one leads to the case's page."""

EVENT_TYPE = "followthrough_message"
FACTS_SHOWN = 20
_LABEL, _VALUE = 75, 600
_LINE, _WHY = 300, 1_500
_DELIVERY = "delivery:"
_FACTS_PER_SECTION = SECTION_FIELDS // 2
_HASHED = re.compile(r"[0-9a-f]{64}")
_MARKUP = str.maketrans("*_~`", "    ")
_LINK = re.compile(r"https?://[^\s<>|\"'\\]+")

Json = dict[str, Any]


def payload(message: Message, *, origin: str | None = None) -> Json:
    """Return the ``text``, ``blocks`` and ``metadata`` to post.

    Everything from the message stands in plain text objects, escaped and on one line, so that no
    value can mention, link, style or imitate. Too long a value is cut in the same place every
    time. The delivery id stands in the metadata and once more in a ``block_id``, because a
    workspace may drop either.

    Args:
        message: What to say.
        origin: What tells the ledger it comes from.
    """
    about = {"key": message.key} | ({"ledger": origin} if origin else {})
    return {
        "text": text(message),
        "blocks": list(_blocks(message)),
        "metadata": {"event_type": EVENT_TYPE, "event_payload": about},
    }


def carries(posted: Mapping[str, Any], key: str) -> bool:
    """Say whether a message read back from Slack is the one with this delivery id."""
    metadata = posted.get("metadata") or {}
    if (metadata.get("event_payload") or {}).get("key") == key:
        return True
    return any(block.get("block_id") == _block_id(key) for block in posted.get("blocks") or ())


def carried_by(posted: Mapping[str, Any]) -> str | None:
    """Return the delivery id of a message that was posted; None if it is none of ours."""
    told = (posted.get("metadata") or {}).get("event_payload") or {}
    return told.get("key") or delivery_of(posted)


def delivery_of(posted: Mapping[str, Any]) -> str | None:
    """Return the delivery id that a message carries in a ``block_id``; None if it is too long."""
    ids = [str(block.get("block_id")) for block in posted.get("blocks") or ()]
    found = [each.removeprefix(_DELIVERY) for each in ids if each.startswith(_DELIVERY)]
    return next((key for key in found if not _HASHED.fullmatch(key)), None)


def text(message: Message) -> str:
    """Return the message as text: what notifications and screen readers read out."""
    head = [fitting(message.lead or "", _LINE), _title(message, _LINE), fitting(message.why, _WHY)]
    tail = [_deadline(message), *_accountability(message), _link(message, 1_000) or ""]
    if message.standing:
        head.insert(0, fitting(message.standing, _LINE))
    head, tail = [line for line in head if line], [line for line in tail if line]
    room = BEST_TEXT - sum(length(line) + 1 for line in head + tail)
    return "\n".join([*head, *_fact_lines(message.facts, room), *tail])


def origin_of(posted: Mapping[str, Any]) -> str | None:
    """Return the ledger that a message of this app's was posted for; None where it does not say."""
    metadata = posted.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("ledger")


def asks(message: Message) -> bool:
    """Say whether the message asks for an answer, and so carries buttons."""
    about_a_case = message.case is not None and message.kind is not Kind.WITHHELD
    return about_a_case and bool(message.reasons or message.answer_by)


def _blocks(message: Message) -> Iterator[Json]:
    if lead := fitting(message.lead or "", _LINE):
        yield {"type": "context", "elements": [plain(lead)]}
    yield _heading(message)
    if why := fitting(message.why, _WHY):
        yield {"type": "section", "text": plain(why)}
    yield from _facts(message.facts)
    if deadline := _deadline(message):
        yield {"type": "section", "text": plain(deadline)}
    if asks(message):
        yield {"type": "actions", "elements": list(_offered(message))}
    yield _closing(message)
    if standing := fitting(message.standing or "", _LINE):
        # Ours, and last: a value that imitates it stands above.
        yield {"type": "context", "elements": [plain(standing)]}


def _heading(message: Message) -> Json:
    title = _title(message, _LINE)
    if length(title) <= HEADER:
        return {"type": "header", "text": plain(title)}
    return {"type": "section", "text": plain(title)}


def _title(message: Message, limit: int) -> str:
    return fitting(message.title, limit) or fitting(message.decision, limit) or NOTHING


def _facts(facts: Sequence[Fact]) -> Iterator[Json]:
    shown = facts[:FACTS_SHOWN]
    for start in range(0, len(shown), _FACTS_PER_SECTION):
        fields: list[Json] = []
        for fact in shown[start : start + _FACTS_PER_SECTION]:
            fields += [_label(fact.label), plain(fitting(fact.text, _VALUE) or NOTHING)]
        yield {"type": "section", "fields": fields}
    if more := len(facts) - len(shown):
        yield {"type": "context", "elements": [plain(_more(more))]}


def _fact_lines(facts: Sequence[Fact], room: int) -> Iterator[str]:
    room -= length(_more(len(facts))) + 1
    for position, fact in enumerate(facts):
        line = f"{fitting(fact.label, _LABEL) or NOTHING}: {fitting(fact.text, _VALUE) or NOTHING}"
        room -= length(line) + 1
        if position == FACTS_SHOWN or room < 0:
            yield _more(len(facts) - position)
            return
        yield line


def _more(count: int) -> str:
    return f"… {count:,} more, see the case's page"


def _deadline(message: Message) -> str:
    if message.answer_by is None:
        return ""
    # To whoever hears later, the time to answer may have passed already.
    ask = "Answer by" if message.kind is Kind.ASKED else "Due"
    return f"{ask} {local(message.answer_by, message.to.zone)}"


def local(instant: datetime, zone: str) -> str:
    """Return an instant on the reader's wall, with the zone; in UTC where the zone is none."""
    try:
        there = instant.astimezone(ZoneInfo(zone))
    except (KeyError, OSError, ValueError, OverflowError):  # a wrong zone costs nobody the message
        there, zone = instant.astimezone(UTC), "UTC"
    return f"{format_datetime(there, 'EEE d MMM, HH:mm', locale='en')} ({zone})"


def _offered(message: Message) -> Iterator[Json]:
    # Whoever is reminded has acknowledged already, and so has somebody once the case moved on.
    held = message.acknowledged or message.kind is Kind.REMINDED
    acknowledge = not held and not message.standing
    return buttons(
        message.case or "",
        acknowledge=acknowledge,
        override=bool(message.reasons),
        url=message.url,
    )


def buttons(case: str, *, acknowledge: bool, override: bool, url: str | None) -> Iterator[Json]:
    """Yield the buttons by which a case is answered.

    Args:
        case: The case's key.
        acknowledge: Whether nobody has it yet.
        override: Whether it may be decided otherwise.
        url: The case's page, if it has one.
    """
    if acknowledge:
        yield _button(ACKNOWLEDGE, "Acknowledge", case) | {"style": "primary"}
    yield _button(DONE, "Done", case)
    if override:
        yield _button(OVERRIDE, "Override", case)
    yield _button(SNOOZE, "Snooze", case)
    yield _button(REASSIGN, "Reassign", case)
    if link := link_button(url, "Open the case"):
        yield link


def link_button(url: str | None, label: str) -> Json | None:
    """Return a button that leads to a page; None where the address cannot be one."""
    if not (address := _address(url)):
        return None
    return {"type": "button", "action_id": OPEN, "text": plain(label), "url": address}


def _button(action: str, label: str, case: str) -> Json:
    return {
        "type": "button",
        "action_id": action,
        "text": plain(label),
        "value": case,
        "accessibility_label": fitting(f"{label} {case}", BUTTON_TEXT),
    }


def _closing(message: Message) -> Json:
    elements = [plain(line) for line in _accountability(message)]
    link = None if asks(message) else _link(message, URL)
    if link:
        elements.append({"type": "mrkdwn", "text": f"<{link}|Open the page>", "verbatim": True})
    return {"type": "context", "block_id": _block_id(message.key), "elements": elements}


def _accountability(message: Message) -> list[str]:
    about = " · ".join(part for part in (message.case, message.decision) if part)
    return [
        f"Accountable: {fitting(message.owner, 100) or NOTHING}",
        fitting(about, 200) or NOTHING,
    ]


def _block_id(key: str) -> str:
    if length(_DELIVERY + key) > ID:
        key = hashlib.sha256(key.encode()).hexdigest()
    return _DELIVERY + key


def _address(url: str | None) -> str | None:
    return url if url and _LINK.fullmatch(url) and length(url) <= URL else None


def _link(message: Message, limit: int) -> str | None:
    url = (_address(message.url) or "").replace("&", "&amp;")
    return url if url and length(url) <= limit - len("<|Open the page>") else None


def _label(label: str) -> Json:
    written = fitting(one_line(label).translate(_MARKUP), _LABEL) or NOTHING
    return {"type": "mrkdwn", "text": f"*{written}*", "verbatim": True}


def plain(text: str) -> Json:
    """Return a text object in which nothing styles, mentions or links; ``text`` is escaped."""
    # Without emoji=False Slack would turn a value such as ":100:" into a picture.
    return {"type": "plain_text", "text": text, "emoji": False}
