"""What the pages show of a case, taken from the ledger's rows and the pinned definition."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from connectors.slack.preview import as_html
from decisions import lifecycle
from decisions.definition import OWNER_ROLES, Definition
from decisions.errors import UnknownPerson
from decisions.escalation import ASSIGNEE, End, Telling, due_step
from decisions.ledger import Dossier
from decisions.ledger.records import Case, CaseState, Notification
from decisions.lifecycle import Move
from decisions.ownership import People, resolve
from decisions.ports import Fact, Kind, Message
from decisions.template import Figure, money
from decisions.wording import changed_facts, shown_facts, title, why
from decisions.worktime import WorkingHours, working_time

WAITING: Final = (CaseState.OPEN, CaseState.ACKNOWLEDGED)

LONGEST_RECKONED: Final = timedelta(days=14)
"""For deadlines so near the reader's working time until then is shown."""

_ENDS: Final = {
    End.CLOSE_UNANSWERED: "the case closes as unanswered; that is not consent",
    End.KEEP_OPEN: "nobody else is told; the case stays open",
    End.STOP_REMINDING: "nobody else is told; the case stays with whoever acknowledged it",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One case in a list.

    Attributes:
        case: The case.
        title: The ask in one sentence.
        why: The rule's reason.
        stake: What one success is worth, with its unit; None if not declared or not known.
        deadline: When the next word from a person is due; None once it is closed.
        left: The reader's working time until then; None without a deadline to come soon.
        is_overdue: Whether that has passed; a snoozed case is not overdue, it sleeps.
        moves: What somebody who may answer can do.
    """

    case: Case
    title: str
    why: str
    stake: str | None
    deadline: datetime | None
    left: timedelta | None
    is_overdue: bool
    moves: tuple[Move, ...]


def row(
    case: Case,
    definition: Definition,
    *,
    zone: str,
    now: datetime,
    hours: WorkingHours | None = None,
) -> Row:
    """Return the case as a list shows it.

    Args:
        case: The case.
        definition: The definition it is pinned to.
        zone: IANA time zone of the reader.
        now: The present instant (timezone-aware).
        hours: When the reader works; None for no word of their working time.
    """
    facts, opened_at = case.facts, case.opened_at
    deadline = (case.complete_by or case.respond_by) if case.state in WAITING else None
    return Row(
        case=case,
        title=title(definition, action=case.action, facts=facts, opened_at=opened_at, zone=zone),
        why=why(definition, rule=case.rule, facts=facts, opened_at=opened_at, zone=zone),
        stake=_stake(case, definition),
        deadline=deadline,
        left=_left(deadline, now, hours),
        is_overdue=deadline is not None and deadline < now and case.snoozed_until is None,
        moves=lifecycle.allowed(case.state),
    )


def _left(deadline: datetime | None, now: datetime, hours: WorkingHours | None) -> timedelta | None:
    # Counted day by day: of what is further off nobody reckons the hours.
    if hours is None or deadline is None or not now < deadline <= now + LONGEST_RECKONED:
        return None
    return working_time(now, deadline, hours)


def other_facts(case: Case, definition: Definition, zone: str) -> tuple[Fact, ...]:
    """Return what was frozen with the case besides the evidence its action shows."""
    action = definition.actions[case.action]
    rest = tuple(name for name in case.facts if name not in action.show)
    actions = {case.action: action.model_copy(update={"show": rest})}
    showing_the_rest = definition.model_copy(update={"actions": actions})
    return shown_facts(showing_the_rest, case.action, case.facts, zone)


def owners(definition: Definition, people: People, at: datetime) -> dict[str, str]:
    """Return who answers for the decision at an instant (timezone-aware): their keys by role.

    A role that nobody is left to fill is absent.
    """
    found = {}
    for role in OWNER_ROLES:
        if getattr(definition.owners, role) is not None:
            with suppress(UnknownPerson):
                found[role] = resolve(
                    role, people=people, owners=definition.owners, assignee=None, at=at
                ).person
    return found


def next_step(case: Case, definition: Definition, people: People) -> str | None:
    """Return what happens at the case's ``due_at`` if nobody says anything, in half a sentence."""
    if case.due_at is None or case.state not in WAITING:
        return None
    if case.snoozed_until is not None:
        return "it wakes up, and whoever holds it is asked again"
    step = due_step(definition.actions[case.action], state=case.state, taken=case.step)
    if isinstance(step, End):
        return _ENDS[step]
    whom = _target(step, case, definition, people)
    return f"{whom} is {'reminded' if step.kind is Kind.REMINDED else 'told'}"


def drawn(told: Notification) -> Markup | None:
    """Return the message as Slack shows it, or None while it has not been written."""
    return as_html(Message.model_validate(told.message)) if told.message else None


def pages_around(page: int, count: int, size: int) -> Iterator[tuple[str, int]]:
    """Yield the name and number of the pages before and after this one, where there are any."""
    if page > 1:
        yield "Previous", page - 1
    if page * size < count:
        yield "Next", page + 1


def _stake(case: Case, definition: Definition) -> str | None:
    if case.value is None or definition.outcome is None or definition.outcome.value is None:
        return None
    spec = definition.fields.get(definition.outcome.value)
    return money(Figure.of(case.value, spec.unit if spec else None))


def _target(step: Telling, case: Case, definition: Definition, people: People) -> str:
    target = str(case.assignee) if step.to == ASSIGNEE else step.to
    try:
        standin = resolve(
            target,
            people=people,
            owners=definition.owners,
            assignee=case.assignee,
            at=case.due_at or case.opened_at,
        )
    except UnknownPerson:
        return target
    return people.person(standin.person).name


def changed(dossier: Dossier, zone: str) -> tuple[Fact, ...]:
    """Return the shown facts that are others by the latest signal, with what they were."""
    if not dossier.later_signals:
        return ()
    case, last = dossier.case, dossier.later_signals[-1]
    return changed_facts(dossier.definition, case.action, case.facts, last.facts, zone)
