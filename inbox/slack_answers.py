"""Answers given in Slack, carried to the desk; what comes back, and what follows it.

Over HTTP or over a socket, the order is the same: the desk records, then Slack is answered, then
the person is told in private and the messages follow their case.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from connectors.slack.blocks import ACKNOWLEDGE
from connectors.slack.channel import SlackChannel
from connectors.slack.forms import (
    AT,
    NOTE,
    REASON,
    TO,
    UNTIL,
    Opening,
    Written,
    done_form,
    override_form,
    reassign_form,
    snooze_form,
)
from connectors.slack.interactions import Event, Identity, Interaction, Press, Submission, Visit
from decisions import lifecycle
from decisions.definition import Definition
from decisions.desk import Author, Reply
from decisions.errors import ConnectorError, LifecycleError, UnknownPerson
from decisions.ledger.records import Case
from decisions.lifecycle import Move
from decisions.wording import title
from flows import sending
from flows.wiring import Layer
from inbox.moments import next_morning
from inbox.slack_home import Homes
from inbox.slack_people import SlackPeople

_LOG = logging.getLogger(__name__)

PATIENCE: Final = timedelta(seconds=1.5)
"""How long the ledger may keep an answer waiting: Slack shows an error after three seconds."""

_VIA = "slack"
_STRANGER = (
    "Nothing was recorded: people.yaml names nobody with your Slack account. Ask whoever looks "
    "after Followthrough to add your Slack id there."
)
_NOT_OURS = "This message was not sent for that case; open the case in the inbox."
_SAY_WHY = "Say in a sentence why"
_NO_FORM = "Nothing was recorded: the form did not open. Press the button once more."
_ELSE = "something else"
_PARTS: Final[Mapping[Move, tuple[str, ...]]] = {
    Move.DONE: (REASON, NOTE, AT),
    Move.OVERRIDE: (REASON, NOTE),
    Move.SNOOZE: (UNTIL,),
    Move.REASSIGN: (TO, NOTE),
}
"""What each form asks; what is refused for no part of it is said beside the last sentence."""


class NotMeantForUs(Exception):
    """It was signed for us, but sent to another app or workspace."""


@dataclass(frozen=True, slots=True)
class Said:
    """What comes back.

    Attributes:
        answer: What Slack is answered; None for a bare acknowledgement.
        after: What follows once Slack has been answered, in this order, by what it does; what
            is done for one answer need not be done again for the next one of the same name.
    """

    answer: Mapping[str, Any] | None = None
    after: Mapping[str, Callable[[], None]] = field(default_factory=dict)

    def then(self) -> None:
        """Do what follows."""
        for act in self.after.values():
            act()


class Messenger:
    """Takes what people do in one Slack workspace to the desk.

    Args:
        layer: Everything there is.
        channel: The Slack app it came through.
    """

    def __init__(self, layer: Layer, channel: SlackChannel) -> None:
        self._layer = layer
        self._channel = channel
        self._people = SlackPeople(layer.workspace.people, channel)
        self._homes = Homes(layer, channel)

    def answer(self, interaction: Interaction) -> Said:
        """Carry it to the desk, and return what comes back.

        Raises:
            NotMeantForUs: It was sent to another app or workspace.
            LedgerError: Nothing was recorded.
            ConnectorError: Slack cannot say just now which app this is; nothing was recorded.
        """
        if interaction is None:
            return Said()
        self._identify(interaction.meant_for)
        with self._layer.ledger.patience(PATIENCE):
            if isinstance(interaction, Press):
                return self._pressed(interaction)
            return self._submitted(interaction)

    def notice(self, event: Event) -> Said:
        """Take note of what happened in the workspace, and return what follows.

        Raises:
            NotMeantForUs: It was sent to another app or workspace.
            ConnectorError: Slack cannot say just now which app this is.
        """
        if not isinstance(event, Visit):
            return Said()
        self._identify(event.meant_for)

        def show() -> None:
            self._homes.show(event.user, self._people.present(event.user, self._layer.clock()))

        return Said(after={f"home of {event.user}": show})

    def _identify(self, meant_for: Identity) -> None:
        if meant_for != self._channel.identity():
            raise NotMeantForUs(f"app {meant_for.app} in workspace {meant_for.team}")

    def _pressed(self, press: Press) -> Said:
        person = self._people.key(press.user)
        if person is None:
            return self._replied(press.user, None, press.reply_to, _STRANGER)
        if press.reference is not None and not self._layer.ledger.arrivals.seen(
            press.case,
            delivery=press.delivery,
            reference=press.reference,
            hours=self._layer.workspace.people.hours,
        ):
            _LOG.warning("refused a press on a message that was not sent for %s", press.case)
            return self._replied(press.user, person, press.reply_to, _NOT_OURS)
        try:
            said = self._carried_out(press, Author(person, _VIA, press.click))
        except LifecycleError as refusal:
            if press.reference is not None:
                self._layer.ledger.amendments.refresh(press.reference)
            said = str(refusal)
        if said is None:
            return Said()
        return self._replied(press.user, person, press.reply_to, said)

    def _carried_out(self, press: Press, author: Author) -> str | None:
        """Return what the person is to be told, or None where a form opens before them."""
        if press.action == ACKNOWLEDGE:
            return self._layer.desk.acknowledge(press.case, author).text
        move = Move(press.action)
        case = self._layer.ledger.cases.named(press.case)
        if move not in lifecycle.allowed(case.state):
            self._layer.desk.admit(press.case, author, move)
        form = self._form(move, case, author.person, press.reply_to)
        try:
            self._channel.open_form(press.trigger, form)
        except ConnectorError as failure:
            _LOG.warning("the form to %s %s did not open: %s", move, press.case, failure)
            return _NO_FORM
        return None

    def _form(self, move: Move, case: Case, person: str, reply_to: str) -> dict[str, Any]:
        people, now = self._layer.workspace.people, self._layer.clock()
        definition = self._layer.ledger.cases.definition_of(case)
        zone = people.person(person).zone
        ask = title(
            definition, action=case.action, facts=case.facts, opened_at=case.opened_at, zone=zone
        )
        opening = Opening(case.key, ask, reply_to)
        match move:
            case Move.OVERRIDE:
                return override_form(opening, definition.actions[case.action].override_reasons)
            case Move.SNOOZE:
                morning = next_morning(people.hours(person), now)
                return snooze_form(opening, until=morning or now + timedelta(days=1))
            case Move.REASSIGN:
                return reassign_form(opening, self._people.colleagues(now, but=case.assignee))
        return done_form(opening, _ways(definition, case), now=now)

    def _submitted(self, submission: Submission) -> Said:
        written = submission.written
        move = Move(written.move)
        person = self._people.key(submission.user)
        if person is None:
            return _refused(_PARTS[move][-1], _STRANGER)
        try:
            reply = self._taken(written, move, Author(person, _VIA, submission.click))
        except UnknownPerson as refusal:
            return _refused(TO, str(refusal))
        except LifecycleError as refusal:
            return _refused(_place(move, refusal.about), str(refusal), written)
        return self._replied(submission.user, person, written.reply_to, reply.text)

    def _taken(self, written: Written, move: Move, author: Author) -> Reply:
        desk = self._layer.desk
        case = self._layer.ledger.cases.named(written.case)
        definition = self._layer.ledger.cases.definition_of(case)
        match move:
            case Move.OVERRIDE:
                reason = written.choice(definition.actions[case.action].override_reasons)
                if reason is None:
                    raise LifecycleError("Choose a reason", about=REASON)
                return desk.override(case.key, author, reason=reason, note=written.note)
            case Move.SNOOZE:
                if written.instant is None:
                    raise LifecycleError("Choose a day and a time", about=UNTIL)
                return desk.snooze(case.key, author, until=written.instant)
            case Move.REASSIGN:
                to = self._people.chosen(written)
                if to is None:
                    raise LifecycleError("Choose somebody whom people.yaml names", about=TO)
                return desk.reassign(case.key, author, to=to, note=written.note)
        what = _what(written, _ways(definition, case))
        acted_at = _settled(written.instant, case, self._layer.clock())
        return desk.done(case.key, author, what=what, acted_at=acted_at)

    def _replied(self, user: str, person: str | None, reply_to: str, text: str) -> Said:
        def show() -> None:
            self._homes.show(user, person, notice=None if reply_to else text)

        after: dict[str, Callable[[], None]] = {}
        if reply_to:
            after[f"reply to {reply_to}"] = partial(self._reply, reply_to, text)
        # At once, not at the next sweep: the person is looking at the buttons they pressed.
        after["amendments"] = lambda: _amend(self._layer)
        return Said(after=after | {f"home of {user}": show})

    def _reply(self, reply_to: str, text: str) -> None:
        try:
            self._channel.reply(reply_to, text)
        except ConnectorError as failure:
            _LOG.warning("Slack did not take a reply, the answer itself is recorded: %s", failure)


def _amend(layer: Layer) -> None:
    sending.amend(layer)


def _ways(definition: Definition, case: Case) -> dict[str, str]:
    """Return what may have been done, by name: the recommended first, something else last."""
    others = [name for name in definition.actions if name != case.action]
    ways = {case.action: f"{_worded(case.action)}, as recommended"}
    ways |= {name: f"{_worded(name)} instead" for name in others[:8]}
    return ways | {_ELSE: "Something else"}


def _worded(action: str) -> str:
    words = action.replace("-", " ")
    return words[:1].upper() + words[1:]


def _what(written: Written, ways: Mapping[str, str]) -> str:
    """Return what was done as one sentence; empty where it was something else and not said."""
    chosen = written.choice(list(ways)) or _ELSE
    if chosen == _ELSE:
        return written.note
    return f"{ways[chosen]}: {written.note}" if written.note else ways[chosen]


def _settled(picked: datetime | None, case: Case, now: datetime) -> datetime | None:
    """Return the instant that was meant: Slack's own are whole minutes, and clocks differ."""
    if picked is None or abs(now - picked) < timedelta(minutes=1):
        return None
    near = timedelta() < case.opened_at - picked < timedelta(minutes=1)
    return case.opened_at if near else picked


def _place(move: Move, about: str | None) -> str:
    parts = _PARTS[move]
    if about in parts:
        return str(about)
    return NOTE if NOTE in parts else parts[-1]


def _refused(place: str, text: str, written: Written | None = None) -> Said:
    errors = {place: text}
    if written is not None and place in {REASON, TO} and not written.note.strip():
        errors[NOTE] = _SAY_WHY  # all at once: whoever mends the first is not sent back again
    return Said({"response_action": "errors", "errors": errors})
