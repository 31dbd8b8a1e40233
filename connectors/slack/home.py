"""The app's Home: what waits for one person, with the buttons to answer it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.slack.blocks import buttons, link_button, local, plain
from connectors.slack.limits import HEADER
from connectors.slack.texts import NOTHING, fitting

MOST_SHOWN = 20
"""Cases on one Home; each takes four of the 100 blocks that Slack allows."""

_LINE, _WHY = 300, 600

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits for the person.

    Attributes:
        case: Its key.
        decision: The decision it belongs to.
        title: The ask in one sentence.
        why: The rule's reason with the subject's figures.
        due: When an answer, or the work, is due (timezone-aware), if it is.
        acknowledged: Whether they have it already.
        can_override: Whether it may be decided otherwise.
        url: The case's page, if an inbox address is set.
    """

    case: str
    decision: str
    title: str
    why: str
    due: datetime | None
    acknowledged: bool
    can_override: bool
    url: str | None = None


def home(
    cases: Sequence[Waiting],
    *,
    count: int,
    zone: str,
    now: datetime,
    notice: str | None = None,
    url: str | None = None,
) -> Json:
    """Return a person's Home as Slack's ``views.publish`` takes it.

    Args:
        cases: What waits for them, the most urgent first; at most 20 are shown.
        count: How many cases wait for them altogether.
        zone: IANA time zone of the person.
        now: The present instant (timezone-aware).
        notice: What they are to be told of what they just did.
        url: The inbox's page with all that waits for them.
    """
    return {
        "type": "home",
        "callback_id": "queue",
        "blocks": list(_blocks(cases[:MOST_SHOWN], count, zone, now, notice, url)),
    }


def _blocks(
    cases: Sequence[Waiting],
    count: int,
    zone: str,
    now: datetime,
    notice: str | None,
    url: str | None,
) -> Iterator[Json]:
    if said := fitting(notice or "", _LINE):
        yield {"type": "section", "text": plain(said)}
        yield {"type": "divider"}
    yield {"type": "header", "text": plain(fitting(_heading(count), HEADER))}
    for waiting in cases:
        yield from _case(waiting, zone, now)
    if more := count - len(cases):
        yield {"type": "context", "elements": [plain(f"… {more:,} more, see the inbox")]}
    if button := link_button(url, "Open the inbox"):
        yield {"type": "actions", "block_id": "inbox", "elements": [button]}
    updated = f"As of {local(now, zone)}; open this page anew to see what has come since"
    yield {"type": "context", "elements": [plain(updated)]}


def _heading(count: int) -> str:
    if not count:
        return "Nothing waits for you"
    return f"{count:,} {'case waits' if count == 1 else 'cases wait'} for you"


def _case(waiting: Waiting, zone: str, now: datetime) -> Iterator[Json]:
    key = waiting.case
    title = fitting(waiting.title, _LINE) or fitting(waiting.decision, _LINE) or NOTHING
    yield {"type": "section", "block_id": f"{key}:title", "text": plain(title)}
    about = [fitting(waiting.why, _WHY), _due(waiting, zone, now)]
    about.append(fitting(f"{key} · {waiting.decision}", 200))
    yield {
        "type": "context",
        "block_id": f"{key}:about",
        "elements": [plain(text) for text in about if text],
    }
    offered = buttons(
        key, acknowledge=not waiting.acknowledged, override=waiting.can_override, url=waiting.url
    )
    yield {"type": "actions", "block_id": f"{key}:answers", "elements": list(offered)}
    yield {"type": "divider", "block_id": f"{key}:end"}


def _due(waiting: Waiting, zone: str, now: datetime) -> str:
    if waiting.due is None:
        return ""
    ask = "Complete it by" if waiting.acknowledged else "Answer by"
    ask = ask if waiting.due > now else "Overdue since"
    return f"{ask} {local(waiting.due, zone)}"
