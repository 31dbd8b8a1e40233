"""How the people of the made-up company behave when they hear of a case.

Every person has a habit; chance does the rest, from a seed. What they do is a list of acts for
later instants; whether the act is still allowed by then is the decision layer's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

import numpy as np

from decisions.ownership import People
from decisions.ports import Kind
from decisions.quantities import Span
from decisions.worktime import deadline

Deed = Literal["acknowledge", "override", "snooze", "reassign", "call", "done"]


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody deals with cases; shares from 0 to 1.

    Attributes:
        answers: Share of asks they react to at all.
        within: Mean working hours until they do.
        overrides: Share of reactions that decline the recommendation.
        completes: Share of acknowledged cases in which they make the call unreminded.
    """

    answers: float
    within: float
    overrides: float
    completes: float


HABITS: Mapping[str, Habit] = {
    "punctual": Habit(answers=0.97, within=1.5, overrides=0.08, completes=0.95),
    "slow": Habit(answers=0.85, within=7.0, overrides=0.10, completes=0.90),
    "silent": Habit(answers=0.25, within=5.0, overrides=0.10, completes=0.80),
    "overrider": Habit(answers=0.95, within=3.0, overrides=0.45, completes=0.90),
}

_DEALT = ("punctual", "slow", "punctual", "overrider", "punctual", "silent", "punctual", "slow")


@dataclass(frozen=True, slots=True)
class Lead:
    """What somebody does about an escalation; shares from 0 to 1, the rest is nothing.

    Attributes:
        steps_in: Share they take on themselves.
        declines: Share they override.
        passes_on: Share they give to another account manager.
    """

    steps_in: float
    declines: float
    passes_on: float


_MANAGER = Lead(steps_in=0.35, declines=0.15, passes_on=0.20)
_OWNER = Lead(steps_in=0.15, declines=0.40, passes_on=0.40)

_SNOOZES = 0.04
_LOGS = 0.95
"""Share of calls that leave a row in the CRM."""
_REPORTS = 0.95
"""Share of calls after which somebody also tells the decision layer."""
_HEEDS_REMINDER = 0.85
_RINGS_BACK = 0.7
"""Share of customers who ring back when they were only written to; then there is a call as well."""

_SAID = (
    "Called; they stay if support answers faster.",
    "Called; agreed a price for another year.",
    "Called; a review with their new lead is set for next week.",
    "Called; they are undecided, a proposal follows.",
    "Called; they were glad somebody asked.",
)
_WROTE = "Wrote to them; no answer yet."
_DECLINED = (
    "Spoke to them last week; nothing to add now.",
    "They merged with another customer of ours; this account goes away.",
    "Usage fell because of their summer break, as every year.",
    "Legal is at it; a call would not help.",
)


@dataclass(frozen=True, slots=True)
class Told:
    """One message as the person who got it sees it.

    Attributes:
        case: The case's key.
        account: The subject.
        action: What the case asks for.
        state: How the case stands.
        kind: Why they were told.
        person: Who was told.
        assignee: Who holds the case.
        at: When they were told (timezone-aware).
        reasons: Reasons an override may give.
    """

    case: str
    account: str
    action: str
    state: str
    kind: str
    person: str
    assignee: str
    at: datetime
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody means to do about a case at a later instant.

    Attributes:
        at: When (timezone-aware).
        deed: What; a ``call`` happens in the world, the rest at the desk.
        person: Who.
        told: The message that moved them.
        text: The sentence that goes with it.
        reason: The reason of an override.
        to: To whom the case is passed on.
        logged: Whether a call leaves a row in the CRM.
        reported: Whether the decision layer is told of a call.
    """

    at: datetime
    deed: Deed
    person: str
    told: Told
    text: str = ""
    reason: str = ""
    to: str = ""
    logged: bool = True
    reported: bool = True


class Staff:
    """The people of the company, each with a habit.

    Args:
        people: Who there is.
        managers: Keys of the account managers; habits are dealt to them in this order.
        owner: Key of the business owner, whom the last step of an escalation reaches.
        seed: The same one makes the same people.
    """

    def __init__(self, people: People, managers: Sequence[str], *, owner: str, seed: int) -> None:
        self._people = people
        self._owner = owner
        self._managers = tuple(managers)
        self._habits = {
            manager: HABITS[_DEALT[place % len(_DEALT)]] for place, manager in enumerate(managers)
        }
        self._draw = np.random.default_rng([seed, len(managers)])

    def reaction(self, told: Told) -> list[Act]:
        """Return what the person means to do about a message; often nothing."""
        if told.kind == Kind.ASKED:
            return self._to_an_ask(told)
        if told.kind == Kind.REMINDED:
            return self._work(told, told.at) if self.happens(_HEEDS_REMINDER) else []
        if told.kind == Kind.ESCALATED and told.person != told.assignee:
            return self._to_an_escalation(told)
        return []

    def follow_up(self, act: Act) -> list[Act]:
        """Return what follows an act that was accepted: the call, and word of it."""
        if act.deed == "acknowledge":
            completes = self._habit(act.person).completes
            return self._work(act.told, act.at) if self.happens(completes) else []
        if act.deed == "call" and act.reported:
            at = act.at + timedelta(minutes=int(self._draw.integers(5, 40)))
            return [Act(at, "done", act.person, act.told, text=self._one_of(_SAID))]
        return []

    def own_initiative(self, told: Told) -> list[Act]:
        """Return a call that nobody asked for; where the account is held out, a contamination."""
        at = self._later(told, mean_hours=40)
        logged = self.happens(_LOGS)
        return [Act(at, "call", told.person, told, logged=logged, reported=False)]

    def happens(self, share: float) -> bool:
        """Whether something of that probability (0 to 1) happens this time."""
        return bool(self._draw.random() < share)

    def is_away(self, person: str, at: datetime) -> bool:
        """Whether somebody else stands in for the person at an instant."""
        return self._people.standin(person, at).person != person

    def _to_an_ask(self, told: Told) -> list[Act]:
        habit = self._habit(told.person)
        if not self.happens(habit.answers):
            return []
        at = self._later(told, mean_hours=habit.within)
        if self.happens(habit.overrides):
            return [self._override(told, at)]
        deed: Deed = "snooze" if self.happens(_SNOOZES) else "acknowledge"
        return [Act(at, deed, told.person, told)]

    def _to_an_escalation(self, told: Told) -> list[Act]:
        lead = _OWNER if told.person == self._owner else _MANAGER
        choice = float(self._draw.random())
        at = self._later(told, mean_hours=2)
        if choice < lead.declines:
            return [self._override(told, at)]
        if choice < lead.declines + lead.passes_on:
            others = [one for one in self._managers if one != told.assignee]
            to = self._one_of(others or [told.person])
            return [Act(at, "reassign", told.person, told, text="Please take this one.", to=to)]
        is_free = told.state == "open"
        if is_free and choice < lead.declines + lead.passes_on + lead.steps_in:
            return [Act(at, "acknowledge", told.person, told)]
        return []

    def _work(self, told: Told, since: datetime) -> list[Act]:
        at = self._later(told, mean_hours=6, since=since)
        if told.action != "call" and not self.happens(_RINGS_BACK):
            return [Act(at, "done", told.person, told, text=_WROTE)]
        logged, reported = self.happens(_LOGS), self.happens(_REPORTS)
        return [Act(at, "call", told.person, told, logged=logged, reported=reported)]

    def _override(self, told: Told, at: datetime) -> Act:
        text, reason = self._one_of(_DECLINED), self._one_of(told.reasons)
        return Act(at, "override", told.person, told, text=text, reason=reason)

    def _later(self, told: Told, *, mean_hours: float, since: datetime | None = None) -> datetime:
        """Return an instant after some of the person's working time, exponential about a mean."""
        begins_at = since or told.at
        minutes = 2 + int(self._draw.exponential(60 * mean_hours))
        whole_hours = ceil(minutes / 60)
        span = Span(whole_hours, "hour", working=True)
        at = deadline(begins_at, span, self._people.hours(told.person))
        early = timedelta(minutes=60 * whole_hours - minutes)
        return max(at - early, begins_at + timedelta(minutes=2))

    def _habit(self, person: str) -> Habit:
        return self._habits.get(person, HABITS["punctual"])

    def _one_of(self, choices: Sequence[str]) -> str:
        return choices[int(self._draw.integers(0, len(choices)))]
