"""One ledger, one Slack app: two that share an app would take each other's answers.

What somebody presses goes to any one of the processes that listen to an app. So a process does not
start on an app that its ledger does not know, or that another ledger has spoken through lately.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Final

from decisions.errors import PermanentFailure, TemporaryFailure
from decisions.ports import Addressee, InstalledChannel
from flows.messages import addressee
from flows.wiring import Layer

_logger = logging.getLogger(__name__)

LATELY: Final = timedelta(hours=24)
"""For how long a message of another ledger counts as one of a process that still runs."""

ASKED: Final = 5
"""People whose conversations are looked into: those with most to do hear of every process."""


def moor(layer: Layer, *, take_over: bool = False) -> None:
    """See that each installed app is this ledger's, and record those it did not know yet.

    Args:
        layer: Everything there is.
        take_over: Whether to take an app over from another ledger, or another app for this one.

    Raises:
        PermanentFailure: An app is not this ledger's.
    """
    for name in layer.channels:
        try:
            channel = layer.channels[name]
            if isinstance(channel, InstalledChannel):
                _moored(layer, channel, take_over=take_over)
        except TemporaryFailure as silence:
            _logger.warning("%s: whose app it is was not found out: %s", name, silence)


def _moored(layer: Layer, channel: InstalledChannel, *, take_over: bool) -> None:
    installations, name = layer.ledger.installations, channel.name
    app, team = channel.installation()
    known = installations.of(name)
    if take_over:
        installations.connect(name, app=app, team=team)
        return
    if known is not None and (known.app, known.team) != (app, team):
        text = (
            f"this ledger speaks through app {known.app} in workspace {known.team}, and the token "
            f"is of app {app} in {team}; set the token of that app, or say that the ledger moves "
            "to this one: followthrough serve --take-over"
        )
        raise PermanentFailure(text, connector=name)
    now = layer.clock()
    since = max(now - LATELY, known.since) if known is not None else now - LATELY
    ours = installations.origin()
    for origin, person, at in channel.told_by_others(_people(layer), ours, since):
        text = (
            f"another ledger ({origin}) told {person} something through the same app at "
            f"{at:%Y-%m-%d %H:%M} UTC; two processes on one app take each other's answers. Stop "
            "the other one, or give this one an app of its own. If the other is gone for good: "
            "followthrough serve --take-over"
        )
        raise PermanentFailure(text, connector=name)
    if known is None:
        installations.connect(name, app=app, team=team)


def _people(layer: Layer) -> Sequence[Addressee]:
    people, now = layer.workspace.people, layer.clock()
    held = layer.ledger.cases.held_by()
    present = (key for key in people.people if not people.has_left(key, now))
    busiest = sorted(present, key=lambda key: -held.get(key, 0))
    return [addressee(key, people) for key in islice(busiest, ASKED)]
