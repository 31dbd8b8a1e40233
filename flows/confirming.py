"""Whether those whose answer is waited for still are there to read what they were sent."""

import logging

from decisions.errors import (
    ConnectorError,
    PermanentFailure,
    TemporaryFailure,
    UnknownPerson,
)
from decisions.ports import ConfirmingChannel
from flows.messages import addressee
from flows.wiring import Layer

_logger = logging.getLogger(__name__)

EVERY = 10
"""Minutes of the hour at whose multiples they are looked up."""

MOST = 50
"""People who are looked up at a time, as Slack's limits bear it; the others come next."""


def confirm_people(layer: Layer) -> int:
    """See that everybody whose answer is waited for still is there, every ten minutes.

    Whoever is not counts as out of reach: the next step is due at once.

    Returns:
        How many messages nobody will read.
    """
    if layer.clock().minute % EVERY:
        return 0
    lost = 0
    for person, name in _next(layer):
        try:
            channel = layer.channels.get(name)
            if isinstance(channel, ConfirmingChannel):
                channel.confirm(addressee(person, layer.workspace.people))
        except PermanentFailure as gone:
            _logger.warning("%s does not read what was sent: %s", person, gone)
            people = layer.workspace.people
            lost += layer.ledger.losses.person(person, name, str(gone), people)
        except TemporaryFailure as wait:
            _logger.warning("%s is asked who still is there later: %s", name, wait)
            break
        except (ConnectorError, UnknownPerson) as failure:
            _logger.warning("whether %s still is there was not found out: %s", person, failure)
    return lost


def _next(layer: Layer) -> list[tuple[str, str]]:
    """Return whom to look up now, so that in turn everybody is."""
    awaited = layer.ledger.losses.awaited()
    if len(awaited) <= MOST:
        return awaited
    turn = int(layer.clock().timestamp()) // (EVERY * 60)
    first = turn * MOST % len(awaited)
    return (awaited + awaited)[first : first + MOST]
