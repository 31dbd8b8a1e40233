"""The one page on which a decision says what it may do: who, on what, how much, and how to stop it.

The same sentences on paper and in the terminal.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from decisions.definition import NOTHING, OWNER_ROLES, Action, Definition
from decisions.ownership import ASSIGNEES_MANAGER, People
from decisions.phrase import label, phrase
from decisions.rules.expression import parse

_AUTONOMY = {
    "notify": "a person is told and acts; the system does nothing itself",
    "approve": "the system acts once a person has agreed",
    "auto": "the system acts by itself; a person may reverse it",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One question of the page and its answers.

    Attributes:
        heading: The question.
        sentences: The answers, plain texts.
    """

    heading: str
    sentences: tuple[str, ...]


def operating_boundary(definition: Definition, people: People) -> tuple[Section, ...]:
    """Return what a decision may do, question by question.

    Args:
        definition: The decision.
        people: Who there is, for names in place of keys.
    """
    named = _Names(definition, people)
    answers = (
        ("Who is told", _told(definition, named)),
        ("On what evidence", _evidence(definition)),
        ("What is automatic", _automatic(definition)),
        ("Where it stops", _stops(definition, named)),
        ("How much it can do", _amounts(definition)),
        ("How to stop it", _stopped(definition, named)),
    )
    return tuple(Section(heading, tuple(sentences)) for heading, sentences in answers)


class _Names:
    """Names of people behind the words of a definition."""

    def __init__(self, definition: Definition, people: People) -> None:
        self._definition, self._people = definition, people

    def of(self, target: str) -> str:
        """Return whom a word stands for: an owner, a role, a person, or a field's value."""
        if target == ASSIGNEES_MANAGER:
            return "the assignee's manager"
        if target in self._definition.fields:
            named = label(target, self._definition.fields)
            return f"whoever “{named}” names, else {self.of('business')}"
        role = f" ({target} owner)" if target in OWNER_ROLES else ""
        key = getattr(self._definition.owners, target) if role else target
        holder = self._people.roles.get(key, key)
        held = f" ({key.replace('-', ' ')})" if holder != key and not role else ""
        return f"{self._people.name(holder)}{role or held}"


def escalation(action: Action, named: _Names) -> list[str]:
    """Return the steps of an action while nobody answers, in words."""
    end = "the case stays open" if action.unanswered == "keep open" else "the case is closed"
    last = f"{end} as unanswered; silence is never consent"
    if not action.escalate:
        return [last]
    waits = ((f"after {each.after} without an answer", each.to) for each in action.escalate)
    steps = [f"{wait}: {named.of(to)}" for wait, to in waits]
    return [*steps, f"then {last}"]


def names(definition: Definition, people: People) -> _Names:
    """Return what turns the words of a definition into names of people."""
    return _Names(definition, people)


def _told(definition: Definition, named: _Names) -> Iterator[str]:
    for name, action in definition.actions.items():
        channels = ", else ".join(action.through)
        who = named.of(action.assign or "business")
        yield f"{name}: {who}, through {channels}, to answer within {action.respond_within}"
        climbs = [f"{named.of(step.to)} after {step.after}" for step in action.escalate]
        if climbs:
            yield f"{name}, while nobody answers: {', then '.join(climbs)}"
    yield f"A batch that cannot be used: {named.of('technical')}"
    for each in definition.withhold:
        yield f"Once a run, how many are withheld because “{each.because}”: {named.of(each.to)}"


def _evidence(definition: Definition) -> Iterator[str]:
    signal, fields = definition.signal, definition.columns
    place = signal.table or signal.path or "a query"
    yield f"{signal.model.name} scores each {label(signal.subject, fields)}; read from {place}"
    yield from (f"Rule {rule.name}: {words(definition, rule.when)}" for rule in definition.rules)
    if definition.signal.gate.max_age:
        yield f"Scores are at most {definition.signal.gate.max_age} old"
    shown = {name for action in definition.actions.values() for name in action.show}
    told = [label(name, fields) for name in definition.nameable if name in shown]
    if told:
        yield f"The person asked sees {', '.join(told)}"


def _automatic(definition: Definition) -> Iterator[str]:
    for name, action in definition.actions.items():
        yield f"{name}: {_AUTONOMY[action.autonomy]}"
    yield "Selecting, telling, reminding and escalating are automatic; answering never is"


def _stops(definition: Definition, named: _Names) -> Iterator[str]:
    yield "A batch that does not meet its data contract: nothing of it is decided"
    for each in definition.withhold:
        condition = words(definition, each.when)
        yield f"Where {condition}: nothing is decided ({each.because}); {named.of(each.to)} is told"
    if definition.match == "unique":
        yield f"Where two rules hold: nothing is decided; {named.of('technical')} is told"
    rest = definition.otherwise
    yield f"Where no rule holds: {'nothing happens' if rest == NOTHING else rest}"
    if definition.holdout:
        share = definition.holdout.share
        yield f"{share} of the selected are left alone on purpose, to measure the effect"


def _amounts(definition: Definition) -> Iterator[str]:
    limits, fields = definition.limits, definition.columns
    if limits.per_run is not None:
        yield f"At most {limits.per_run:,} cases a run"
    if limits.per_assignee:
        yield f"At most {limits.per_assignee} for one assignee"
    if limits.per_subject:
        yield f"At most {limits.per_subject} for one {label(definition.signal.subject, fields)}"
    if limits.cost:
        cost, warned = label(limits.cost.of, fields), limits.cost.warn_at
        yield f"At most {limits.cost.at_most}, by {cost}; owners hear of it at {warned}"
    if not (limits.per_run or limits.per_assignee or limits.cost):
        yield "No limit is declared: as many cases as the rules select"
    if limits.prefer:
        yield f"Who comes first where not all may: the highest {limits.prefer}"
    when = definition.schedule
    yield f"It runs at {when.cron} ({when.zone})" if when else "It runs when somebody asks"


def _stopped(definition: Definition, named: _Names) -> Iterator[str]:
    owners = [named.of(role) for role in OWNER_ROLES if getattr(definition.owners, role)]
    yield f"Any owner, alone and at once: {', '.join(owners)}"
    yield f'followthrough halt {definition.decision} --because "…"'
    yield "Nothing is decided, told or escalated from then on; people may still answer open cases"


def words(definition: Definition, condition: str) -> str:
    """Return a condition of a definition in words."""
    return phrase(parse(condition, definition.columns), definition.columns)
