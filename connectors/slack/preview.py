"""What Slack would be sent, drawn where there is no Slack: in a terminal, on a page."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connectors.slack.blocks import payload
from connectors.slack.texts import one_line, unescape
from decisions.ports import Addressee, Clock, Condition, Finding, Message, Receipt, wall_clock

_LINK = re.compile(r"<[^|>]*\|([^>]*)>")


class PreviewChannel:
    """Stands in for Slack while no token is set: builds every message and sends none.

    The full payload is built, so a message that cannot be built shows here and not on the day
    the token is set. What was to be told is kept by the ledger, not here.

    Attributes:
        name: The connection's name in ``connections.yaml``.
    """

    def __init__(self, name: str, *, clock: Clock = wall_clock) -> None:
        self.name = name
        self._clock = clock

    def __repr__(self) -> str:
        return f"PreviewChannel({self.name!r})"

    def deliver(self, message: Message) -> Receipt:
        """Build the payload and send it nowhere; see ``Channel.deliver``."""
        payload(message)
        return Receipt(reference=f"preview/{message.key}", accepted_at=self._clock())

    def amend(self, reference: str, message: Message) -> None:  # noqa: ARG002  the port's signature
        """Build the payload and change nothing; see ``AmendingChannel.amend``."""
        payload(message)

    def examined(self, people: Sequence[Addressee]) -> Iterator[Finding]:  # noqa: ARG002  the port's signature
        """Say that nobody is told anything; see ``Examinable.examined``."""
        yield Finding(
            about=f"{self.name}: token",
            condition=Condition.DOUBTFUL,
            found="no token is set: messages are drawn and kept, none is sent",
            advice="set the variable that 'token' names in connections.yaml",
        )

    def find(self, message: Message) -> Receipt | None:  # noqa: ARG002  the port's signature
        """Return None: nothing was ever sent."""
        return None


def as_terminal(message: Message) -> Panel:
    """Return the message as a panel of text, with its buttons as ``[Acknowledge]``."""
    rows: list[RenderableType] = []
    for part in _parts(message):
        rows += [_row(part), Text()]
    title = Text(f"Slack, to {one_line(message.to.name)}")
    return Panel(Group(*rows[:-1]), title=title, title_align="left", padding=(1, 2), width=88)


def as_html(message: Message) -> Markup:
    """Return the message as HTML for a page; its buttons only look like buttons."""
    drawn = Markup("\n").join(_element(part) for part in _parts(message))
    return Markup(
        '<article class="slack-message" aria-label="As shown in Slack">\n{}\n</article>'
    ).format(drawn)


@dataclass(frozen=True, slots=True)
class _Part:
    """A block of the payload as a reader sees it.

    Attributes:
        kind: The block's type; ``fields`` for a section that has them.
        texts: What stands in it; of fields, label and value in turn.
        primary: Which of the texts is the emphasised button, or None.
    """

    kind: str
    texts: tuple[str, ...]
    primary: str | None = None

    @property
    def pairs(self) -> Iterator[tuple[str, str]]:
        return zip(self.texts[::2], self.texts[1::2], strict=True)


def _parts(message: Message) -> Iterator[_Part]:
    for block in payload(message)["blocks"]:
        if block["type"] == "actions":
            buttons = block["elements"]
            primary = [button for button in buttons if button.get("style") == "primary"]
            yield _Part("actions", _shown(_labels(buttons)), *_shown(_labels(primary)))
        elif "fields" in block:
            yield _Part("fields", _shown(block["fields"]))
        else:
            yield _Part(block["type"], _shown(block.get("elements") or [block["text"]]))


def _labels(buttons: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [button["text"] for button in buttons]


def _shown(texts: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the texts as Slack shows them, without its markup and escapes."""
    shown = []
    for text in texts:
        written = text["text"]
        if text["type"] == "mrkdwn":
            written = _LINK.sub(r"\1", written).strip("*")
        shown.append(unescape(written))
    return tuple(shown)


def _row(part: _Part) -> RenderableType:
    match part.kind:
        case "header":
            return Text(part.texts[0], style="bold")
        case "fields":
            table = Table.grid(padding=(0, 2))
            for label, value in part.pairs:
                table.add_row(Text(label, style="bold"), Text(value))
            return table
        case "actions":
            return Text("  ".join(f"[{label}]" for label in part.texts), style="cyan")
        case "context":
            return Text("  |  ".join(part.texts), style="dim")
    return Text("\n".join(part.texts))


def _element(part: _Part) -> Markup:
    match part.kind:
        case "header":
            return Markup('<h3 class="slack-header">{}</h3>').format(part.texts[0])
        case "fields":
            rows = [
                Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*pair) for pair in part.pairs
            ]
            return Markup('<dl class="slack-fields">{}</dl>').format(Markup().join(rows))
        case "actions":
            return _drawn_buttons(part)
    texts = Markup("<br>").join(part.texts)
    return Markup('<p class="slack-{}">{}</p>').format(part.kind, texts)


def _drawn_buttons(part: _Part) -> Markup:
    drawn = []
    for label in part.texts:
        emphasis = " slack-primary" if label == part.primary else ""
        button = Markup('<span class="slack-button{}" aria-disabled="true">{}</span>')
        drawn.append(button.format(emphasis, label))
    return Markup('<p class="slack-actions">{}</p>').format(Markup(" ").join(drawn))
