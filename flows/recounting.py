"""Holds what the ledger says was sent against what the channels say stands there."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from decisions.errors import ConnectorError, UnknownPerson
from decisions.ledger.audit import SHOWN, Promise
from decisions.ports import RecountingChannel
from flows.messages import addressee
from flows.wiring import Layer

DAYS = 30
"""How far back channels are asked."""

NAME = "Nobody is told twice: channels show each message once, as the ledger says"


def recounted(layer: Layer) -> Promise:
    """Return whether every message of the last 30 days stands in its channel exactly once."""
    since = layer.clock() - timedelta(days=DAYS)
    breaches: list[str] = []
    for (name, recipient), keys in layer.ledger.outbox.taken(since).items():
        channel = layer.channels.get(name)
        if isinstance(channel, RecountingChannel):
            breaches += _compared(layer, channel, recipient, keys)
    return Promise(NAME, len(breaches), tuple(breaches[:SHOWN]))


def _compared(
    layer: Layer, channel: RecountingChannel, recipient: str, keys: list[str]
) -> Iterator[str]:
    # A message may have been taken a little before it was recorded as sent.
    since = layer.clock() - timedelta(days=DAYS + 1)
    try:
        to = addressee(recipient, layer.workspace.people)
        stands = Counter(channel.recounted(to, since))
    except (ConnectorError, UnknownPerson) as silence:
        yield f"{channel.name} cannot say what {recipient} was sent: {silence}"
        return
    for key, times in stands.items():
        if times > 1:
            yield f"{key} stands {times} times in {channel.name}"
    for key in keys:
        if not stands[key]:
            yield f"{key} was sent, and does not stand in {channel.name}"
