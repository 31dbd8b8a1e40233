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
from decisions.ports import Addressee, Condition, Finding, InstalledChannel
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


def examined(layer: Layer, channel: InstalledChannel) -> Finding:
    """Return whether an app is this ledger's, without recording anything.

    Raises:
        TemporaryFailure: The other side cannot be asked just now.
    """
    about, (app, team) = f"{channel.name}: app", channel.installation()
    if refusal := _refusal(layer, channel):
        advice = "make an app of its own for each ledger; slack-manifest.yaml makes one"
        return Finding(about=about, condition=Condition.FAULTY, found=refusal, advice=advice)
    return Finding(about=about, found=f"{app} in {team}, this ledger's alone")


def _moored(layer: Layer, channel: InstalledChannel, *, take_over: bool) -> None:
    refusal = None if take_over else _refusal(layer, channel)
    if refusal is not None:
        raise PermanentFailure(refusal, connector=channel.name)
    installations, name = layer.ledger.installations, channel.name
    if take_over or installations.of(name) is None:
        app, team = channel.installation()
        installations.connect(name, app=app, team=team)


def _refusal(layer: Layer, channel: InstalledChannel) -> str | None:
    """Return why the app is not this ledger's; None where nothing speaks against it."""
    installations, now = layer.ledger.installations, layer.clock()
    (app, team), known = channel.installation(), installations.of(channel.name)
    if known is not None and (known.app, known.team) != (app, team):
        return (
            f"this ledger speaks through app {known.app} in workspace {known.team}, and the token "
            f"is of app {app} in {team}; set the token of that app, or say that the ledger moves "
            "to this one: followthrough serve --take-over"
        )
    since = max(now - LATELY, known.since) if known is not None else now - LATELY
    others = channel.told_by_others(_people(layer), installations.origin(), since)
    for origin, person, at in others:
        return (
            f"another ledger ({origin}) told {person} something through the same app at "
            f"{at:%Y-%m-%d %H:%M} UTC; two processes on one app take each other's answers. Stop "
            "the other one, or give this one an app of its own. If the other is gone for good: "
            "followthrough serve --take-over"
        )
    return None


def _people(layer: Layer) -> Sequence[Addressee]:
    people, now = layer.workspace.people, layer.clock()
    held = layer.ledger.cases.held_by()
    present = (key for key in people.people if not people.has_left(key, now))
    busiest = sorted(present, key=lambda key: -held.get(key, 0))
    return [addressee(key, people) for key in islice(busiest, ASKED)]
