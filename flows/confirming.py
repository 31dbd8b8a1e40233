"""Whether those whose answer is waited for still are there to read what they were sent."""

import logging

from decisions.errors import ConnectorError, PermanentFailure, UnknownPerson
from decisions.ports import ConfirmingChannel
from flows.messages import addressee
from flows.wiring import Layer

_logger = logging.getLogger(__name__)

EVERY = 10
"""Minutes of the hour at whose multiples they are looked up."""


def confirm_people(layer: Layer) -> int:
    """See that everybody whose answer is waited for still is there, every ten minutes.

    Whoever is not counts as out of reach: the next step is due at once.

    Returns:
        How many messages nobody will read.
    """
    if layer.clock().minute % EVERY:
        return 0
    lost = 0
    for person, name in layer.ledger.losses.awaited():
        try:
            channel = layer.channels.get(name)
            if isinstance(channel, ConfirmingChannel):
                channel.confirm(addressee(person, layer.workspace.people))
        except PermanentFailure as gone:
            _logger.warning("%s does not read what was sent: %s", person, gone)
            lost += layer.ledger.losses.person(person, name, str(gone))
        except (ConnectorError, UnknownPerson) as failure:
            _logger.warning("whether %s still is there was not found out: %s", person, failure)
    return lost
