"""Draw a message in a terminal as the channel shows it that it goes through."""

from typing import TYPE_CHECKING, Final

from rich.panel import Panel
from rich.text import Text

if TYPE_CHECKING:
    from decisions.ledger import Dossier
    from decisions.ports import Message
    from flows.wiring import Layer

_SLACK: Final = "slack"
_NAMES: Final = {"mail": "E-mail", "webhook": "Webhook", "apprise": "Apprise"}


def drawn(layer: "Layer", dossier: "Dossier", message: "Message") -> Panel:
    """Return the last message of a case as a panel: Slack's with its buttons, others as text.

    Args:
        layer: Knows of which type each connection is.
        dossier: Its last notification says which connection took it, or is to take it.
        message: What it says.
    """
    from connectors.slack.preview import as_terminal

    through = _through(dossier)
    spec = layer.workspace.connections.get(through)
    if spec is not None and spec.type == _SLACK:
        return as_terminal(message)
    return _as_text(message, _NAMES.get(spec.type, spec.type) if spec else through)


def _through(dossier: "Dossier") -> str:
    last = dossier.notifications[-1]
    declared = dossier.definition.actions[dossier.case.action].through
    return last.channel or last.route or declared[0]


def _as_text(message: "Message", channel: str) -> Panel:
    from connectors.mail.letter import text

    title = Text(f"{channel}, to {' '.join(message.to.name.split())}")
    body = Text(text(message).strip())
    return Panel(body, title=title, title_align="left", padding=(1, 2), width=88)
